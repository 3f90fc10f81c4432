//! The locks under a hash: how the other side of a swap finds the secret.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, Page, View};
use ddt_ledger::{Hash, Refusal, view};

use super::{LockInfo, page_of};
use crate::bank::record::HASH_INDEX;

view! {
    LocksByHash = "bank.locks_by_hash", "The locks under a hash, oldest first."
    query {
        /// SHA-256 of a secret.
        hash: Hash,
    }
    row ByHashRow {
        /// The lock.
        record: LockInfo,
    }
}

impl View for LocksByHash {
    fn run(&self, _: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<ByHashRow>, Refusal> {
        let found = page_of(rows, HASH_INDEX, &self.hash.0, page)?;
        let rows = found.rows.into_iter().map(|record| ByHashRow { record }).collect();
        Ok(Found { rows, next: found.next })
    }
}
