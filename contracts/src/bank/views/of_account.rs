//! The locks of an account, in both directions.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, Page, View};
use ddt_ledger::{AccountId, Refusal, view};

use super::{LockInfo, page_of};
use crate::bank::record::ACCOUNT_INDEX;

view! {
    LocksOf = "bank.locks_of", "The locks that an account pays or may receive, oldest first."
    query {
        /// The account.
        account: AccountId,
    }
    row OfAccountRow {
        /// The lock.
        record: LockInfo,
    }
}

impl View for LocksOf {
    fn run(
        &self,
        _: &Context,
        rows: &dyn Rows,
        page: &Page,
    ) -> Result<Found<OfAccountRow>, Refusal> {
        let found = page_of(rows, ACCOUNT_INDEX, &self.account.0, page)?;
        let rows = found.rows.into_iter().map(|record| OfAccountRow { record }).collect();
        Ok(Found { rows, next: found.next })
    }
}
