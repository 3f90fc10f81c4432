//! A lock: coins for whoever is named, released by a secret, refunded without it.

use ddt_ledger::book::{Book, INSUFFICIENT};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{AccountId, Amount, Hash, Millis, Refusal, event, refusals};

use super::REFUND;
use super::record::{LOCKS, LockRow, LockState};
use super::transfer::NOTHING;

/// Longest time from a lock to its deadline: 90 days, in milliseconds.
pub const LOCK_MS_MAX: Millis = Millis(90 * 24 * 3_600_000);

event! {
    /// Locks the author's coins for another account under a hash and a time.
    Lock = "bank.lock", Owner,
    "Lock {amount} APT for {to}: the secret of {hash} pays them out; else they come back after \
     {deadline}"
    {
        /// Whom the secret pays.
        to: AccountId,
        /// How much.
        amount: Amount,
        /// SHA-256 of a secret of 32 bytes.
        hash: Hash,
        /// Until when the secret is awaited, by people's clock.
        deadline: Millis,
    }
}

refusals! {
    OWN_LOCK = "bank.own_lock", "A lock for oneself does nothing; lock for somebody else.";
    DEADLINE_PAST = "bank.deadline_past", "The deadline has passed; choose one ahead.";
    DEADLINE_FAR = "bank.deadline_far", "A lock lasts at most 90 days; choose an earlier deadline.";
}

impl Event for Lock {
    const REFUSALS: &'static [Refusal] =
        &[NOTHING, OWN_LOCK, DEADLINE_PAST, DEADLINE_FAR, INSUFFICIENT];
    /// Of its refund and of the row's removal too, which the ledger does by itself.
    const WORK: u32 = 3;

    fn check(&self) -> Result<(), Refusal> {
        if self.amount.is_zero() { Err(NOTHING) } else { Ok(()) }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let (from, lock) = (origin.author, origin.event);
        if from == self.to {
            return Err(OWN_LOCK);
        }
        let ahead = self.deadline.since(cx.time);
        if ahead == Millis(0) {
            return Err(DEADLINE_PAST);
        }
        if ahead > LOCK_MS_MAX {
            return Err(DEADLINE_FAR);
        }
        book.hold(lock, self.amount, "lock")?;
        let refund_at = cx.clock.plus(ahead).plus(cx.params.lock_grace_ms);
        let row = LockRow {
            from,
            to: self.to,
            amount: self.amount,
            hash: self.hash,
            deadline: self.deadline,
            refund_at,
            height: cx.height,
            state: LockState::Open,
        };
        LOCKS.put(book, &lock, &row);
        book.schedule(refund_at, REFUND, &lock.0);
        Ok(())
    }
}
