//! One name's offer.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Amount, Millis, Refusal, view};

use crate::domains::name::DomainName;
use crate::domains::offer::{OFFERS, OfferRow, offer_key};
use crate::domains::record::{DOMAINS, Status};

view! {
    Offer = "domains.offer",
        "At what price and to whom a name's owner offered it; good while the name is active."
    query {
        /// The name.
        name: DomainName,
    }
    row OfferView {
        /// The name.
        name: DomainName,
        /// Who offers it: its owner.
        seller: AccountId,
        /// What it costs; zero for a transfer.
        price: Amount,
        /// The only account that may have it; nothing for anybody.
        to: Option<AccountId>,
        /// The epoch clock when it was offered.
        clock: Millis,
    }
}

impl OfferView {
    fn new(name: DomainName, row: OfferRow) -> OfferView {
        let OfferRow { seller, price, to, clock } = row;
        OfferView { name, seller, price, to, clock }
    }

    /// The name's offer, if it can be taken now.
    pub(crate) fn valid(name: DomainName, cx: &Context, rows: &dyn Rows) -> Option<OfferView> {
        let row = DOMAINS.get(rows, &name)?;
        let offer = OFFERS.get(rows, &name).filter(|_| row.status(cx) == Status::Active)?;
        Some(OfferView::new(name, offer))
    }
}

impl View for Offer {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<OfferView>, Refusal> {
        let row = OFFERS.get(rows, &self.name).ok_or(NOT_FOUND)?;
        Ok(Found::one(OfferView::new(self.name.clone(), row)))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(offer_key(&self.name))
    }
}
