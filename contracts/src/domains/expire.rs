//! A commit's end without a reveal: the ledger refunds it by itself.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::{AccountId, Hash, Refusal};

use super::record::{COMMITS, commit_hold};

/// The deadline's key: owner and hash.
pub(crate) fn key(owner: &AccountId, hash: &Hash) -> Vec<u8> {
    [owner.0, hash.0].concat()
}

/// Refunds all that the commit still holds (spec DOM-11).
pub(crate) fn run(key: &[u8], _: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Some((owner, hash)) = key.split_first_chunk::<32>() else { return Ok(()) };
    let Ok(hash) = hash.try_into() else { return Ok(()) };
    let (owner, hash) = (AccountId(*owner), Hash(hash));
    let hold = commit_hold(&owner, &hash);
    COMMITS.remove(book, &(owner, hash));
    book.release(hold, owner, book.held(hold), "domain refund")
}
