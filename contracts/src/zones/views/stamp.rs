//! What stamps are made over now.

use ddt_ledger::context::Context;
use ddt_ledger::stamp::Stamps;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{Hash, Refusal, view};

view! {
    Stamp = "zones.stamp", "The period and beacon that stamps are made over now."
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
    }
}

impl View for Stamp {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<StampRow>, Refusal> {
        let now = Stamps::read(rows).ok_or(NOT_FOUND)?.now;
        Ok(Found::one(StampRow {
            period: now.number,
            beacon: now.beacon,
            light_bits: now.bits.light,
            heavy_bits: now.bits.heavy,
        }))
    }
}
