//! Accepting a name that is given: the second step of a transfer.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Refusal, event};

use super::name::{DomainName, RULE};
use super::offer::{NO_OFFER, NOT_FOR_YOU, OFFERS, OfferRow};
use super::ownership::{NOT_ACTIVE, NOT_REGISTERED, PENDING, active, hand_over};

event! {
    /// Takes a name that its owner transfers to the author.
    Accept = "domains.accept", Owner, "Accept {name}.ddt"
    {
        /// The name.
        name: DomainName,
    }
}

impl Event for Accept {
    const REFUSALS: &'static [Refusal] =
        &[RULE, NOT_REGISTERED, PENDING, NOT_ACTIVE, NO_OFFER, NOT_FOR_YOU];
    const WORK: u32 = 2;

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let taker = cx.origin()?.author;
        let row = active(&self.name, cx, book)?;
        let offer = OFFERS.get(book, &self.name).filter(OfferRow::is_transfer).ok_or(NO_OFFER)?;
        if !offer.is_for(&taker) {
            return Err(NOT_FOR_YOU);
        }
        hand_over(&self.name, row, taker, book)
    }
}
