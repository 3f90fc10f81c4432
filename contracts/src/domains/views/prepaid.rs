//! How one name is renewed by itself.

use ddt_ledger::accounts::held;
use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Amount, Millis, Refusal, view};

use crate::domains::PROGRAMME;
use crate::domains::name::DomainName;
use crate::domains::price::price;
use crate::domains::renewal::{RENEWALS, renewal_hold};

view! {
    Prepaid = "domains.prepaid", "What is put aside to renew a name by itself, and how."
    query {
        /// The name.
        name: DomainName,
    }
    row PrepaidRow {
        /// The name.
        name: DomainName,
        /// Who put the money aside: the name's owner.
        payer: AccountId,
        /// For how many years it is renewed each time.
        years: u8,
        /// The highest price to pay each time.
        price_max: Amount,
        /// What it would cost now.
        price: Amount,
        /// What is put aside.
        balance: Amount,
        /// From when on it may be renewed, on the epoch clock.
        due: Millis,
        /// When what is left is paid back unless the name is renewed, on the epoch clock.
        ends: Millis,
    }
}

impl PrepaidRow {
    pub(crate) fn new(name: DomainName, cx: &Context, rows: &dyn Rows) -> Option<PrepaidRow> {
        let row = RENEWALS.get(rows, &name)?;
        Some(PrepaidRow {
            payer: row.payer,
            years: row.years,
            price_max: row.price_max,
            price: price(&cx.fees, &name, row.years),
            balance: held(rows, PROGRAMME.id, renewal_hold(&name)),
            due: row.due,
            ends: row.ends,
            name,
        })
    }
}

impl View for Prepaid {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<PrepaidRow>, Refusal> {
        PrepaidRow::new(self.name.clone(), cx, rows).map(Found::one).ok_or(NOT_FOUND)
    }
}
