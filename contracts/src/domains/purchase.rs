//! Buying a name from its owner: money and name change hands in one event, or neither does.

use ddt_ledger::book::{Book, INSUFFICIENT};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Amount, Refusal, event};

use super::name::{DomainName, RULE};
use super::offer::{NO_OFFER, NOT_FOR_YOU, NOTHING, OFFER_CHANGED, OFFERS, OWN_NAME};
use super::ownership::{NOT_ACTIVE, NOT_REGISTERED, PENDING, active, hand_over};

event! {
    /// Pays the offered price to a name's owner and takes the name.
    Purchase = "domains.purchase", Owner, "Buy {name}.ddt from its owner for {price} APT"
    {
        /// The name.
        name: DomainName,
        /// The price as it was offered.
        price: Amount,
    }
}

impl Event for Purchase {
    const REFUSALS: &'static [Refusal] = &[
        RULE,
        NOTHING,
        NOT_REGISTERED,
        PENDING,
        NOT_ACTIVE,
        OWN_NAME,
        NO_OFFER,
        NOT_FOR_YOU,
        OFFER_CHANGED,
        INSUFFICIENT,
    ];
    const WORK: u32 = 3;

    fn check(&self) -> Result<(), Refusal> {
        if self.price.is_zero() { Err(NOTHING) } else { Ok(()) }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let buyer = cx.origin()?.author;
        let row = active(&self.name, cx, book)?;
        if row.owner == buyer {
            return Err(OWN_NAME);
        }
        let offer = OFFERS.get(book, &self.name).filter(|offer| !offer.is_transfer());
        let offer = offer.ok_or(NO_OFFER)?;
        if !offer.is_for(&buyer) {
            return Err(NOT_FOR_YOU);
        }
        if offer.price != self.price {
            return Err(OFFER_CHANGED);
        }
        book.pay(row.owner, self.price, "domain sale")?;
        hand_over(&self.name, row, buyer, book)
    }
}
