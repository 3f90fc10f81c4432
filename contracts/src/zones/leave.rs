//! Leaving a zone.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Refusal, event};

use super::LEASE;
use super::heartbeat::NO_MEMBER;
use super::record::{MEMBERS, remove_member};

event! {
    /// Gives seat and address up.
    Leave = "zones.leave", Owner, "Leave the zone and give the address up"
    {
        /// Work in the place of the fee.
        stamp: Option<Stamp>,
    }
}

impl Event for Leave {
    const REFUSALS: &'static [Refusal] = &[NO_MEMBER];
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        let member = MEMBERS.get(book, &author).ok_or(NO_MEMBER)?;
        remove_member(book, &author, &member);
        book.unschedule(member.joined.plus(cx.params.lease_ms), LEASE, &author.0);
        Ok(())
    }
}
