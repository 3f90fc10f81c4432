//! One username's row.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{Hash, Millis, PublicKey, Refusal, view};

use crate::usernames::record::{self, Ciphertext, Status, username_key};

view! {
    Row = "usernames.row", "A username's row, by the slow hash of its name."
    query {
        /// The slow hash of the name.
        row: Hash,
    }
    row RowRow {
        /// The slow hash of the name.
        row: Hash,
        /// Where it stands.
        status: Status,
        /// The one-time key that holds it.
        holder: PublicKey,
        /// When it was claimed, on the epoch clock.
        from: Millis,
        /// First moment after its year, on the epoch clock.
        until: Millis,
        /// From when it may be renewed, on the epoch clock.
        renewable: Millis,
        /// First moment at which it is anybody's, on the epoch clock.
        ends: Millis,
        /// What only the name opens.
        ciphertext: Ciphertext,
    }
}

impl View for Row {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<RowRow>, Refusal> {
        let row = record::read(rows, &self.row).ok_or(NOT_FOUND)?;
        Ok(Found::one(RowRow {
            row: self.row,
            status: row.status(cx),
            holder: row.holder,
            from: row.from,
            until: row.until,
            renewable: row.renewable(cx),
            ends: row.ends(cx),
            ciphertext: row.ciphertext,
        }))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(username_key(&self.row))
    }
}
