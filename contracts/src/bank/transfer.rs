//! A payment.

use ddt_ledger::book::{Book, INSUFFICIENT, OVERFLOW};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::Text;
use ddt_ledger::{AccountId, Amount, Refusal, event, refusals};

event! {
    /// Pays from the author to another account.
    Transfer = "bank.transfer", Owner, "Pay {amount} APT to {to}"
    {
        /// Who receives; the account opens with its first payment.
        to: AccountId,
        /// How much.
        amount: Amount,
        /// A public remark for the receiver.
        memo: Option<Text<128>>,
    }
}

refusals! {
    NOTHING = "bank.nothing", "A payment of nothing does nothing; pay at least 0.000000001 APT.";
}

impl Event for Transfer {
    const REFUSALS: &'static [Refusal] = &[NOTHING, INSUFFICIENT, OVERFLOW];

    fn check(&self) -> Result<(), Refusal> {
        if self.amount.is_zero() { Err(NOTHING) } else { Ok(()) }
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.pay(self.to, self.amount, "payment")
    }
}
