//! Renewing a name from the money put aside for it. Anybody may submit it, and it serves the
//! name's owner: so a node can renew without the wallet's key.

use ddt_ledger::book::{Book, Payer};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Amount, Refusal, event, refusals};

use super::name::{DomainName, RULE};
use super::ownership::{NOT_REGISTERED, PENDING, owned};
use super::price::{ABOVE_CAP, price};
use super::record::DomainRow;
use super::renewal::{RENEWALS, RenewalRow, prolong, renewal_hold};

/// Bytes of the largest such event: its fee is kept back beside the price.
pub(crate) const RENEWAL_BYTES_MAX: usize = 256;

event! {
    /// Renews a name that is due from the money put aside for it.
    RenewPrepaid = "domains.renew_prepaid", Anyone,
    "Renew {name}.ddt from the money put aside for it"
    {
        /// The name.
        name: DomainName,
    }
}

refusals! {
    NO_PREPAID = "domains.no_prepaid", "No money was put aside to renew this name.";
    NOT_DUE = "domains.not_due",
        "It is too early to renew this name by itself; domains.prepaid says when it is due.";
    SHORT = "domains.prepaid_insufficient",
        "Less was put aside than the renewal costs; add with domains.prepay_renewal.";
}

impl RenewPrepaid {
    /// The name's rows and today's price, if it can be renewed (spec DOM-18).
    fn due(&self, cx: &Context, book: &Book) -> Result<(DomainRow, RenewalRow, Amount), Refusal> {
        let row = owned(&self.name, cx, book)?;
        let renewal = RENEWALS.get(book, &self.name).ok_or(NO_PREPAID)?;
        if cx.clock < renewal.due {
            return Err(NOT_DUE);
        }
        let price = price(&cx.fees, &self.name, renewal.years);
        if price > renewal.price_max {
            return Err(ABOVE_CAP);
        }
        if price > book.held(renewal_hold(&self.name)) {
            return Err(SHORT);
        }
        Ok((row, renewal, price))
    }
}

impl Event for RenewPrepaid {
    const REFUSALS: &'static [Refusal] =
        &[RULE, NOT_REGISTERED, PENDING, NO_PREPAID, NOT_DUE, ABOVE_CAP, SHORT];
    const WORK: u32 = 2;

    /// The money put aside pays only for what will succeed, and only where it covers the fee
    /// too: attempts that fail must not drain it.
    fn payer(&self, cx: &Context, book: &Book) -> Payer {
        let hold = renewal_hold(&self.name);
        let due = self.due(cx, book).ok();
        let whole = due.and_then(|(_, _, price)| price.plus(cx.fees.event(RENEWAL_BYTES_MAX)));
        match whole {
            Some(whole) if book.held(hold) >= whole => Payer::Hold(hold),
            _ => Payer::Author,
        }
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let (row, renewal, price) = self.due(cx, book)?;
        book.release_to_pool(renewal_hold(&self.name), price, "domain renewal")?;
        prolong(&self.name, row, renewal.years, cx, book);
        Ok(())
    }
}
