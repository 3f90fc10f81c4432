//! The commits of a one-time key that wait for their claim.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{CURSOR, Found, Page, View};
use ddt_ledger::{AccountId, Hash, Millis, Refusal, view};

use crate::usernames::record::COMMITS;

view! {
    Commits = "usernames.commits", "A one-time account's commits that wait for their claim."
    query {
        /// The account of the one-time key.
        author: AccountId,
    }
    row CommitRowShown {
        /// The commit's hash.
        hash: Hash,
        /// The anchor it was made in.
        height: u64,
        /// The epoch clock when it was made.
        clock: Millis,
        /// The epoch clock at which it is removed.
        expires: Millis,
    }
}

impl View for Commits {
    fn run(
        &self,
        _: &Context,
        rows: &dyn Rows,
        page: &Page,
    ) -> Result<Found<CommitRowShown>, Refusal> {
        let after = match page.after.as_deref().map(<[u8; 32]>::try_from) {
            Some(Ok(hash)) => Hash(hash),
            Some(Err(_)) => return Err(CURSOR),
            None => Hash::ZERO,
        };
        let found = COMMITS.scan(rows, Some(&(self.author, after)), page.limit);
        let own = found.into_iter().take_while(|((author, _), _)| *author == self.author);
        let found: Vec<CommitRowShown> = own
            .map(|((_, hash), row)| CommitRowShown {
                hash,
                height: row.height,
                clock: row.clock,
                expires: row.expires,
            })
            .collect();
        let last = found.last().filter(|_| found.len() >= page.limit);
        let next = last.map(|row| row.hash.0.to_vec());
        Ok(Found { rows: found, next })
    }
}
