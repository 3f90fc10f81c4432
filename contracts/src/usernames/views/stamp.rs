//! What a stamp is made over now.

use ddt_ledger::context::Context;
use ddt_ledger::stamp::{StampWeight, Stamps};
use ddt_ledger::system::Head;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{Hash, Millis, Refusal, view};

view! {
    Stamp = "usernames.stamp", "The present stamp period: its beacon, and how heavy stamps are."
    query {}
    row StampRow {
        /// The period's number.
        period: u64,
        /// Its beacon.
        beacon: Hash,
        /// Leading zero bits of a light stamp.
        light_bits: u8,
        /// Leading zero bits of a heavy stamp.
        heavy_bits: u8,
        /// When it ends, on the epoch clock; its stamps are good for one more period.
        ends: Millis,
    }
}

impl View for Stamp {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<StampRow>, Refusal> {
        let now = Stamps::read(rows).ok_or(NOT_FOUND)?.now;
        let start = Head::read(rows).ok_or(NOT_FOUND)?.clock_start;
        let length = cx.params.stamp_period_ms.0;
        Ok(Found::one(StampRow {
            period: now.number,
            beacon: now.beacon,
            light_bits: now.bits_of(StampWeight::Light, &cx.params),
            heavy_bits: now.bits_of(StampWeight::Heavy, &cx.params),
            ends: start.plus(Millis(now.number.saturating_add(1).saturating_mul(length))),
        }))
    }
}
