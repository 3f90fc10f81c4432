//! Putting money aside, from which a name is renewed by itself.

use ddt_ledger::book::{Book, INSUFFICIENT};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Amount, Millis, Refusal, event};

use super::name::{DomainName, RULE};
use super::offer::NOTHING;
use super::ownership::{NOT_OWNER, NOT_REGISTERED, PENDING, by_author, owned};
use super::price::{TERM, check_term};
use super::renewal::{self, RENEWALS, RenewalRow, renewal_hold};

event! {
    /// Adds to the money from which the author's name is renewed, and says how.
    PrepayRenewal = "domains.prepay_renewal", Owner,
    "Put {amount} APT aside to renew {name}.ddt: {years} years each time, {price_max} APT at most"
    {
        /// The name.
        name: DomainName,
        /// For how many years each time.
        years: u8,
        /// The highest price to pay each time.
        price_max: Amount,
        /// How much to put aside; zero only changes how the name is renewed.
        amount: Amount,
    }
}

impl Event for PrepayRenewal {
    const REFUSALS: &'static [Refusal] =
        &[RULE, TERM, NOT_REGISTERED, PENDING, NOT_OWNER, NOTHING, INSUFFICIENT];
    const WORK: u32 = 2;

    fn check(&self) -> Result<(), Refusal> {
        check_term(self.years)
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let row = by_author(owned(&self.name, cx, book)?, cx)?;
        let present = RENEWALS.get(book, &self.name);
        if present.is_none() && self.amount.is_zero() {
            return Err(NOTHING);
        }
        book.hold(renewal_hold(&self.name), self.amount, "renewal prepaid")?;
        let renewal = RenewalRow {
            payer: row.owner,
            years: self.years,
            price_max: self.price_max,
            due: Millis(0),
            ends: present.map_or(Millis(0), |present| present.ends),
        };
        renewal::set(&self.name, renewal, &row, cx, book);
        Ok(())
    }
}
