//! No more renewals: the money put aside comes back.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Refusal, event};

use super::name::{DomainName, RULE};
use super::ownership::{NOT_OWNER, NOT_REGISTERED, PENDING, by_author, owned};
use super::renew_prepaid::NO_PREPAID;
use super::renewal::{RENEWALS, give_back};

event! {
    /// Ends the renewals of the author's name and pays back what was put aside for them.
    StopRenewal = "domains.stop_renewal", Owner,
    "Stop renewing {name}.ddt by itself; the money put aside comes back"
    {
        /// The name.
        name: DomainName,
    }
}

impl Event for StopRenewal {
    const REFUSALS: &'static [Refusal] = &[RULE, NOT_REGISTERED, PENDING, NOT_OWNER, NO_PREPAID];
    const WORK: u32 = 2;

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        by_author(owned(&self.name, cx, book)?, cx)?;
        RENEWALS.get(book, &self.name).ok_or(NO_PREPAID)?;
        give_back(&self.name, book)
    }
}
