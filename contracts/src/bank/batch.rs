//! Several payments at once: all of them or none.

use ddt_ledger::book::{Book, INSUFFICIENT};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::List;
use ddt_ledger::{AccountId, Amount, Refusal, event, refusals, shape};

use super::transfer::NOTHING;

/// Most payments of one batch.
pub const PAYMENTS_MAX: usize = 64;

shape! {
    /// One payment of a batch.
    Payment {
        /// Who receives.
        to: AccountId,
        /// How much.
        amount: Amount,
    }
}

event! {
    /// Pays from the author to several accounts, all or none.
    Batch = "bank.batch", Owner, "Make these payments, all or none: {payments}"
    {
        /// The payments, 1 to 64.
        payments: List<Payment, 64>,
    }
}

refusals! {
    EMPTY = "bank.empty", "A batch without payments does nothing; name at least one.";
}

impl Event for Batch {
    const REFUSALS: &'static [Refusal] = &[EMPTY, NOTHING, INSUFFICIENT];
    /// Of the longest one: an anchor's bound must hold whatever a batch holds.
    const WORK: u32 = PAYMENTS_MAX as u32;

    fn check(&self) -> Result<(), Refusal> {
        let payments = self.payments.items();
        if payments.is_empty() {
            return Err(EMPTY);
        }
        match payments.iter().any(|payment| payment.amount.is_zero()) {
            true => Err(NOTHING),
            false => Ok(()),
        }
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        let pay = |payment: &Payment| book.pay(payment.to, payment.amount, "payment");
        self.payments.items().iter().try_for_each(pay)
    }
}
