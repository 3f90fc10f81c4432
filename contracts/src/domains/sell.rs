//! Offering a name for sale.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{AccountId, Amount, Refusal, event};

use super::name::{DomainName, RULE};
use super::offer::{self, NOTHING, OWN_NAME};
use super::ownership::{NOT_ACTIVE, NOT_OWNER, NOT_REGISTERED, PENDING};

event! {
    /// Offers the author's name for a price, to anybody or to one account.
    Sell = "domains.sell", Owner, "Offer {name}.ddt for sale at {price} APT"
    {
        /// The name.
        name: DomainName,
        /// What it costs.
        price: Amount,
        /// The only account that may buy it; nothing for anybody.
        to: Option<AccountId>,
    }
}

impl Event for Sell {
    const REFUSALS: &'static [Refusal] =
        &[RULE, NOTHING, NOT_REGISTERED, PENDING, NOT_ACTIVE, NOT_OWNER, OWN_NAME];

    fn check(&self) -> Result<(), Refusal> {
        if self.price.is_zero() { Err(NOTHING) } else { Ok(()) }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        offer::make(&self.name, self.price, self.to, cx, book)
    }
}
