//! Being heard of.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Refusal, event, refusals};

use super::record::MEMBERS;

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

impl Event for Heartbeat {
    const REFUSALS: &'static [Refusal] = &[NO_MEMBER, TOO_OFTEN];
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

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
        MEMBERS.put(book, &author, &member);
        Ok(())
    }
}
