//! Adding to a node key's allowance.

use ddt_ledger::book::{Book, INSUFFICIENT, NO_DUTY, OVERFLOW};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Amount, PublicKey, Refusal, event};

event! {
    /// Adds prepaid fees to a node key.
    TopUpNodeKey = "accounts.top_up_node_key", Owner,
    "Add {amount} APT to the allowance of the node key {key}"
    {
        /// The node's key.
        key: PublicKey,
        /// How much more it may spend on fees.
        amount: Amount,
    }
}

impl Event for TopUpNodeKey {
    const REFUSALS: &'static [Refusal] = &[NO_DUTY, INSUFFICIENT, OVERFLOW];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.top_up_duty(self.key, self.amount)
    }
}
