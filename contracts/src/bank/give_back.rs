//! The receiver declines, and the payer has the coins back at once.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Hash, Millis, Refusal, event, refusals};

use super::claim::{LOCK_ENDED, NO_LOCK};
use super::end::{end, open_lock};
use super::record::LockState;

event! {
    /// Declines a lock, which refunds its payer at once.
    GiveBack = "bank.give_back", Owner, "Decline the lock {lock}: its coins go back to who paid"
    {
        /// The lock: the id of the event that made it.
        lock: Hash,
    }
}

refusals! {
    NOT_RECEIVER = "bank.not_receiver",
        "Only who receives may give a lock back; its payer is refunded by the ledger in time.";
}

impl Event for GiveBack {
    const REFUSALS: &'static [Refusal] = &[NO_LOCK, LOCK_ENDED, NOT_RECEIVER];
    const WORK: u32 = 2;

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let row = open_lock(book, &self.lock)?;
        if cx.origin()?.author != row.to {
            return Err(NOT_RECEIVER);
        }
        let given_back = |removed_at: Millis| LockState::GivenBack { removed_at };
        book.release(self.lock, row.from, book.held(self.lock), "lock given back")?;
        end(&self.lock, row, given_back, cx, book);
        Ok(())
    }
}
