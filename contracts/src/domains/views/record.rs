//! One name's record.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Amount, Millis, Refusal, view};

use crate::domains::name::DomainName;
use crate::domains::record::{DOMAINS, DomainRow, Status, domain_key};

view! {
    Record = "domains.record", "A name's owner, term and status."
    query {
        /// The name.
        name: DomainName,
    }
    row RecordRow {
        /// The name.
        name: DomainName,
        /// Where it stands.
        status: Status,
        /// Whose it is.
        owner: AccountId,
        /// First moment of the term, on the epoch clock.
        from: Millis,
        /// First moment after the term, on the epoch clock.
        until: Millis,
        /// Until when it stays its owner's after the term, on the epoch clock.
        grace_until: Millis,
        /// After the grace: until when it costs a falling premium, on the epoch clock.
        premium_until: Option<Millis>,
        /// What was paid when it was bought.
        price: Amount,
        /// While pending: when the contest ends, on the epoch clock.
        contest_until: Option<Millis>,
    }
}

impl RecordRow {
    pub(crate) fn new(name: DomainName, row: &DomainRow, cx: &Context) -> RecordRow {
        let (status, grace_until) = (row.status(cx), row.grace_until(cx));
        let premium_until = grace_until.plus(cx.params.domain_premium_ms);
        let has_premium = status == Status::Expired && cx.clock < premium_until;
        RecordRow {
            name,
            status,
            owner: row.owner,
            from: row.from,
            until: row.until,
            grace_until,
            premium_until: has_premium.then_some(premium_until),
            price: row.price,
            contest_until: row.contest.map(|contest| contest.until),
        }
    }
}

impl View for Record {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<RecordRow>, Refusal> {
        let row = DOMAINS.get(rows, &self.name).ok_or(NOT_FOUND)?;
        Ok(Found::one(RecordRow::new(self.name.clone(), &row, cx)))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(domain_key(&self.name))
    }
}
