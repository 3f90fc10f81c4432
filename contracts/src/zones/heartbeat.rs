//! Being heard of.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::system::Lane;
use ddt_ledger::{Refusal, Zone, event, refusals};

use super::record::{MEMBERS, is_full, move_seat};

/// Zones at which a guest looks for a seat.
const LOOKED_AT: usize = 16;

event! {
    /// Says that the member is there, so that its lease goes on.
    Heartbeat = "zones.heartbeat", Anyone, "Say that this member is there"
    {
        /// Work in the place of the fee.
        stamp: Option<Stamp>,
    }
}

refusals! {
    NO_MEMBER = "zones.no_member", "The account is no member of a zone; sign up first.";
    TOO_OFTEN = "zones.too_often", "The member was heard of lately; wait, then say it again.";
}

/// Where the members of a zone go that had no router for an epoch: the next zone with a router
/// and a seat, the lowest following on the highest (spec ZON-12).
fn refuge(book: &Book, cx: &Context, zone: Zone) -> Option<Zone> {
    let lane = Lane::read(book, zone)?;
    if lane.is_governed || cx.clock < lane.opened.plus(cx.params.epoch_ms) {
        return None;
    }
    let lower =
        Lane::scan(book, None, LOOKED_AT).into_iter().take_while(|(other, _)| *other < zone);
    let ring = Lane::scan(book, Some(zone), LOOKED_AT).into_iter().chain(lower);
    let mut ring = ring.take(LOOKED_AT);
    let found = ring.find(|(other, lane)| lane.is_governed && !is_full(book, &cx.params, *other));
    found.map(|(other, _)| other)
}

impl Event for Heartbeat {
    const REFUSALS: &'static [Refusal] = &[NO_MEMBER, TOO_OFTEN];
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);
    const WORK: u32 = 2;

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        let mut member = MEMBERS.get(book, &author).ok_or(NO_MEMBER)?;
        if cx.clock < member.seen.plus(cx.params.heartbeat_ms) {
            return Err(TOO_OFTEN);
        }
        member.seen = cx.clock;
        if let Some(zone) = refuge(book, cx, member.zone) {
            move_seat(book, &mut member, zone);
        }
        MEMBERS.put(book, &author, &member);
        Ok(())
    }
}
