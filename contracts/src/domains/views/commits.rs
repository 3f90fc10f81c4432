//! The commits of an account that wait for their reveal.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{CURSOR, Found, Page, View};
use ddt_ledger::{AccountId, Amount, Hash, Millis, Refusal, view};

use crate::domains::record::COMMITS;

view! {
    Commits = "domains.commits", "An account's commits that wait for their reveal."
    query {
        /// The account.
        owner: AccountId,
    }
    row WaitingRow {
        /// The commit's hash.
        hash: Hash,
        /// The highest price it pays.
        price_max: Amount,
        /// The anchor it was made in.
        height: u64,
        /// The epoch clock when it was made.
        clock: Millis,
        /// The epoch clock at which it is refunded.
        expires: Millis,
    }
}

impl View for Commits {
    fn run(&self, _: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<WaitingRow>, Refusal> {
        let after = match page.after.as_deref().map(<[u8; 32]>::try_from) {
            Some(Ok(hash)) => Hash(hash),
            Some(Err(_)) => return Err(CURSOR),
            None => Hash::ZERO,
        };
        let found = COMMITS.scan(rows, Some(&(self.owner, after)), page.limit);
        let own = found.into_iter().take_while(|((owner, _), _)| *owner == self.owner);
        let found: Vec<WaitingRow> = own
            .map(|((_, hash), row)| WaitingRow {
                hash,
                price_max: row.price_max,
                height: row.order.height,
                clock: row.clock,
                expires: row.expires,
            })
            .collect();
        let last = found.last().filter(|_| found.len() >= page.limit);
        let next = last.map(|row| row.hash.0.to_vec());
        Ok(Found { rows: found, next })
    }
}
