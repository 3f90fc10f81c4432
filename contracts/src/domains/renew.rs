//! Renewing a name: whoever wants to pays, the owner stays.

use ddt_ledger::book::{Book, INSUFFICIENT};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Amount, Refusal, event, refusals};

use super::name::{DomainName, RULE};
use super::ownership::{NOT_REGISTERED, PENDING, owned};
use super::price::{ABOVE_CAP, TERM, YEARS_MAX, check_term, price, years_ms};
use super::renewal::prolong;

event! {
    /// Makes the term of a name longer, for its owner, at today's price.
    Renew = "domains.renew", Owner,
    "Renew {name}.ddt for {years} years, for at most {price_max} APT"
    {
        /// The name.
        name: DomainName,
        /// How much longer, in years.
        years: u8,
        /// The highest price to pay.
        price_max: Amount,
    }
}

refusals! {
    TERM_LIMIT = "domains.term_limit", "A term ends at most 10 years from now; renew for less.";
}

impl Event for Renew {
    const REFUSALS: &'static [Refusal] =
        &[RULE, TERM, NOT_REGISTERED, PENDING, TERM_LIMIT, ABOVE_CAP, INSUFFICIENT];
    const WORK: u32 = 2;

    fn check(&self) -> Result<(), Refusal> {
        check_term(self.years)
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        let row = owned(&self.name, cx, book)?;
        let until = row.until.plus(years_ms(cx, self.years));
        if until > cx.clock.plus(years_ms(cx, YEARS_MAX)) {
            return Err(TERM_LIMIT);
        }
        let price = price(&cx.fees, &self.name, self.years);
        if price > self.price_max {
            return Err(ABOVE_CAP);
        }
        // A hold under the event's own id: filled and emptied here.
        let hold = cx.origin()?.event;
        book.hold(hold, price, "domain renewal")?;
        book.release_to_pool(hold, price, "domain renewal")?;
        prolong(&self.name, row, self.years, cx, book);
        Ok(())
    }
}
