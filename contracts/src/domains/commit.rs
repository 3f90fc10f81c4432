//! The commit: money first, the name later.

use ddt_ledger::book::{Book, INSUFFICIENT, OVERFLOW};
use ddt_ledger::context::Context;
use ddt_ledger::fees::Fees;
use ddt_ledger::registry::Event;
use ddt_ledger::{Amount, Hash, Refusal, event, refusals};

use super::EXPIRE;
use super::record::{COMMITS, CommitRow, Order, commit_hold};

/// Bytes of the largest reveal: its fee is escrowed with the price.
const REVEAL_BYTES_MAX: usize = 384;

/// What a commit escrows: its cap, and the fee of one reveal.
pub(crate) fn escrow(price_max: Amount, fees: &Fees) -> Option<Amount> {
    price_max.plus(fees.event(REVEAL_BYTES_MAX))
}

event! {
    /// Escrows the price of a name that nobody can read from it yet.
    Commit = "domains.commit", Owner,
    "Commit to a domain, at most {price_max} APT; unrevealed, all comes back"
    {
        /// Hash of owner, name, term and salt.
        hash: Hash,
        /// The highest price to pay. The reveal's fee is escrowed beside it.
        price_max: Amount,
    }
}

refusals! {
    COMMIT_EXISTS = "domains.commit_exists", "This very commit was made already; use a new salt.";
}

impl Event for Commit {
    const REFUSALS: &'static [Refusal] = &[COMMIT_EXISTS, INSUFFICIENT, OVERFLOW];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let key = (origin.author, self.hash);
        if COMMITS.get(book, &key).is_some() {
            return Err(COMMIT_EXISTS);
        }
        let escrow = escrow(self.price_max, &cx.fees).ok_or(OVERFLOW)?;
        book.hold(commit_hold(&key.0, &key.1), escrow, "domain escrow")?;
        let expires = cx.clock.plus(cx.params.commit_life_ms);
        let order = Order { height: cx.height, place: origin.place };
        let row = CommitRow { price_max: self.price_max, order, clock: cx.clock, expires };
        COMMITS.put(book, &key, &row);
        book.schedule(expires, EXPIRE, &super::expire::key(&key.0, &key.1));
        Ok(())
    }
}
