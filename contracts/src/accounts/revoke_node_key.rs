//! Taking a node key back.

use ddt_ledger::book::{Book, NO_DUTY};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{PublicKey, Refusal, event};

event! {
    /// Revokes a node key, for ever, and pays its allowance back.
    RevokeNodeKey = "accounts.revoke_node_key", Owner,
    "Revoke the node key {key} and take its allowance back"
    {
        /// The node's key.
        key: PublicKey,
    }
}

impl Event for RevokeNodeKey {
    const REFUSALS: &'static [Refusal] = &[NO_DUTY];

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.revoke_duty(self.key)
    }
}
