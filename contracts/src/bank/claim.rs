//! The claim: whoever shows the secret pays the lock's receiver.

use ddt_ledger::book::{Book, Payer};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Hash, Millis, Refusal, event, refusals};

use super::end::{end, open_lock};
use super::record::{LOCKS, LockState, lock_hash};

/// Bytes of every signed claim: all its fields have one length.
pub const CLAIM_BYTES: usize = 248;

event! {
    /// Shows a lock's secret, which pays its receiver.
    Claim = "bank.claim", Anyone, "Pay out the lock {lock} by showing its secret to everybody"
    {
        /// The lock: the id of the event that made it.
        lock: Hash,
        /// Its secret.
        secret: Hash,
    }
}

refusals! {
    NO_LOCK = "bank.no_lock",
        "There is no such lock: check its id; a lock is forgotten some time after its end.";
    LOCK_ENDED = "bank.lock_ended",
        "The lock has ended already: it was claimed, refunded or given back.";
    SECRET = "bank.secret", "That is not the secret: its SHA-256 is not the lock's hash.";
}

impl Event for Claim {
    const REFUSALS: &'static [Refusal] = &[NO_LOCK, LOCK_ENDED, SECRET];
    const WORK: u32 = 2;

    /// The lock itself pays for the claim that ends it, so that a receiver needs no coins to
    /// get coins. Any other claim is its author's to pay: what cannot succeed must not drain
    /// the lock (spec BNK-8).
    fn payer(&self, cx: &Context, book: &Book) -> Payer {
        let row = LOCKS.get(book, &self.lock);
        let is_right = row
            .is_some_and(|row| row.state == LockState::Open && row.hash == lock_hash(&self.secret));
        match is_right && book.held(self.lock) > cx.fees.event(CLAIM_BYTES) {
            true => Payer::Hold(self.lock),
            false => Payer::Author,
        }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let row = open_lock(book, &self.lock)?;
        if row.hash != lock_hash(&self.secret) {
            return Err(SECRET);
        }
        let secret = self.secret;
        let claimed = |removed_at: Millis| LockState::Claimed { secret, removed_at };
        book.release(self.lock, row.to, book.held(self.lock), "lock claimed")?;
        end(&self.lock, row, claimed, cx, book);
        Ok(())
    }
}
