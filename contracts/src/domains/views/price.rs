//! What a name would cost.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, Page, View};
use ddt_ledger::{Amount, Refusal, view};

use crate::domains::name::DomainName;
use crate::domains::price::{check_term, premium_of, price};
use crate::domains::record::{DOMAINS, Status};

view! {
    Price = "domains.price", "What a name costs for a term, and whether it is free."
    query {
        /// The name.
        name: DomainName,
        /// The term, in years.
        years: u8,
    }
    row PriceRow {
        /// The name.
        name: DomainName,
        /// The term, in years.
        years: u8,
        /// The price of the term, without premium and fees.
        price: Amount,
        /// What it costs beyond that, once, because it became free a short while ago.
        premium: Amount,
        /// Price and premium: what a commit's cap must reach.
        total: Amount,
        /// Whether it can be bought now.
        is_free: bool,
    }
}

impl View for Price {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<PriceRow>, Refusal> {
        check_term(self.years)?;
        let row = DOMAINS.get(rows, &self.name);
        let price = price(&cx.fees, &self.name, self.years);
        let premium = premium_of(&self.name, row.as_ref(), cx);
        Ok(Found::one(PriceRow {
            name: self.name.clone(),
            years: self.years,
            price,
            premium,
            total: price.plus(premium).unwrap_or(Amount::MAX),
            is_free: row.is_none_or(|row| row.status(cx) == Status::Expired),
        }))
    }
}
