//! Giving a row up.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{Hash, Refusal, event};

use super::record::{self, NOT_HOLDER, UNKNOWN};
use super::{EXPIRE_ROW, NO_STAMP};

event! {
    /// Frees the row at once.
    Release = "usernames.release", Owner, "Give up the username row {row}: anybody may take it"
    {
        /// The slow hash of the name.
        row: Hash,
        /// Light.
        stamp: Option<Stamp>,
    }
}

impl Event for Release {
    const REFUSALS: &'static [Refusal] = &[NO_STAMP, UNKNOWN, NOT_HOLDER];
    const STAMP: Option<StampWeight> = Some(StampWeight::Light);

    fn check(&self) -> Result<(), Refusal> {
        if self.stamp.is_some() { Ok(()) } else { Err(NO_STAMP) }
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp.clone()
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let row = record::own(book, &self.row, cx)?;
        book.unschedule(row.ends(cx), EXPIRE_ROW, &self.row.0);
        record::remove(book, &self.row);
        Ok(())
    }
}
