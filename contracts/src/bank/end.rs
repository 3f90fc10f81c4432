//! How locks end: one way of three, once, and the row is forgotten later.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::{Hash, Millis, Refusal};

use super::claim::{LOCK_ENDED, NO_LOCK};
use super::record::{LOCKS, LockRow, LockState};
use super::{FORGET, REFUND};

/// The row of a lock that still holds its coins.
pub(crate) fn open_lock(book: &Book, lock: &Hash) -> Result<LockRow, Refusal> {
    let row = LOCKS.get(book, lock).ok_or(NO_LOCK)?;
    if row.state == LockState::Open { Ok(row) } else { Err(LOCK_ENDED) }
}

/// Notes how an open lock ended; the secret stays readable for `lock_kept_ms`.
pub(crate) fn end(
    lock: &Hash,
    mut row: LockRow,
    state: impl FnOnce(Millis) -> LockState,
    cx: &Context,
    book: &mut Book,
) {
    let removed_at = cx.clock.plus(cx.params.lock_kept_ms);
    row.state = state(removed_at);
    LOCKS.put(book, lock, &row);
    book.unschedule(row.refund_at, REFUND, &lock.0);
    book.schedule(removed_at, FORGET, &lock.0);
}

/// Refunds a lock that nobody claimed in time (spec BNK-7). Events of the same anchor came
/// before: a claim in the last moment counts.
pub(crate) fn refund(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Ok(lock) = key.try_into().map(Hash) else { return Ok(()) };
    let Ok(row) = open_lock(book, &lock) else { return Ok(()) };
    book.release(lock, row.from, book.held(lock), "lock refunded")?;
    end(&lock, row, |removed_at| LockState::Refunded { removed_at }, cx, book);
    Ok(())
}

/// Removes the row of a lock that ended long ago (spec BNK-10).
pub(crate) fn forget(key: &[u8], _: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Ok(lock) = key.try_into().map(Hash) else { return Ok(()) };
    LOCKS.remove(book, &lock);
    Ok(())
}
