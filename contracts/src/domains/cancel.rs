//! Taking back an offer.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Refusal, event};

use super::name::{DomainName, RULE};
use super::offer::{NO_OFFER, OFFERS};
use super::ownership::{NOT_OWNER, NOT_REGISTERED, PENDING, by_author, owned};

event! {
    /// Takes back the transfer or the sale of the author's name.
    Cancel = "domains.cancel", Owner, "Take back the offer of {name}.ddt"
    {
        /// The name.
        name: DomainName,
    }
}

impl Event for Cancel {
    const REFUSALS: &'static [Refusal] = &[RULE, NOT_REGISTERED, PENDING, NOT_OWNER, NO_OFFER];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        by_author(owned(&self.name, cx, book)?, cx)?;
        OFFERS.get(book, &self.name).ok_or(NO_OFFER)?;
        OFFERS.remove(book, &self.name);
        Ok(())
    }
}
