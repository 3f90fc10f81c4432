//! One more year.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Hash, Refusal, event, refusals};

use super::record::{self, NOT_HOLDER, UNKNOWN};
use super::{EXPIRE_ROW, NO_STAMP};

event! {
    /// Adds a year to the row's end.
    Renew = "usernames.renew", Owner, "Keep the username row {row} for another year"
    {
        /// The slow hash of the name.
        row: Hash,
        /// Heavy: a year costs as much work as the first one did.
        stamp: Option<Stamp>,
    }
}

refusals! {
    RENEW_EARLY = "usernames.renew_early",
        "The username runs for long yet; renew it nearer to its end.";
}

impl Event for Renew {
    const REFUSALS: &'static [Refusal] = &[NO_STAMP, UNKNOWN, NOT_HOLDER, RENEW_EARLY];
    const STAMP: Option<StampWeight> = Some(StampWeight::Heavy);

    fn check(&self) -> Result<(), Refusal> {
        if self.stamp.is_some() { Ok(()) } else { Err(NO_STAMP) }
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let mut row = record::own(book, &self.row, cx)?;
        if cx.clock < row.renewable(cx) {
            return Err(RENEW_EARLY);
        }
        book.unschedule(row.ends(cx), EXPIRE_ROW, &self.row.0);
        row.until = row.until.plus(cx.params.username_year_ms);
        record::put(book, &self.row, &row);
        book.schedule(row.ends(cx), EXPIRE_ROW, &self.row.0);
        Ok(())
    }
}
