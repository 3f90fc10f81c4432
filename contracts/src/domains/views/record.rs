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
        /// What was paid.
        price: Amount,
        /// While pending: when the contest ends, on the epoch clock.
        contest_until: Option<Millis>,
    }
}

impl RecordRow {
    pub(crate) fn new(name: DomainName, row: &DomainRow, cx: &Context) -> RecordRow {
        RecordRow {
            name,
            status: row.status(cx),
            owner: row.owner,
            from: row.from,
            until: row.until,
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
