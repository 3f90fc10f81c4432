//! What the ledger removes by itself: commits without a claim, and rows without a renewal.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::{AccountId, Hash, Refusal};

use super::EXPIRE_ROW;
use super::record::{self, COMMITS, Status};

/// The deadline's key of a commit: author and hash.
pub(crate) fn key(author: &AccountId, hash: &Hash) -> Vec<u8> {
    [author.0, hash.0].concat()
}

/// Removes a commit that was not claimed in time (spec USR-5).
pub(crate) fn commit(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Some((author, hash)) = key.split_first_chunk::<32>() else { return Ok(()) };
    let Ok(hash) = hash.try_into() else { return Ok(()) };
    let key = (AccountId(*author), Hash(hash));
    // The same commit may have been made again before its first end was worked off.
    if COMMITS.get(book, &key).is_some_and(|commit| commit.expires <= cx.clock) {
        COMMITS.remove(book, &key);
    }
    Ok(())
}

/// Removes a row whose grace is over (spec USR-10).
pub(crate) fn row(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Ok(row) = key.try_into().map(Hash) else { return Ok(()) };
    let Some(username) = record::read(book, &row) else { return Ok(()) };
    match username.status(cx) {
        Status::Expired => record::remove(book, &row),
        _ => book.schedule(username.ends(cx), EXPIRE_ROW, key),
    }
    Ok(())
}
