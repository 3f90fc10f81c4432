//! Giving a name away, in two steps: it is offered here and moves when it is accepted, so
//! that a typing error loses nothing.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{AccountId, Amount, Refusal, event};

use super::name::{DomainName, RULE};
use super::offer::{self, OWN_NAME};
use super::ownership::{NOT_ACTIVE, NOT_OWNER, NOT_REGISTERED, PENDING};

event! {
    /// Offers the author's name to another account for nothing.
    Transfer = "domains.transfer", Owner,
    "Give {name}.ddt to {to}, who must accept it"
    {
        /// The name.
        name: DomainName,
        /// Who may accept it.
        to: AccountId,
    }
}

impl Event for Transfer {
    const REFUSALS: &'static [Refusal] =
        &[RULE, NOT_REGISTERED, PENDING, NOT_ACTIVE, NOT_OWNER, OWN_NAME];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        offer::make(&self.name, Amount::ZERO, Some(self.to), cx, book)
    }
}
