//! Setting a name's records.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::schema::List;
use ddt_ledger::{Refusal, event};

use super::name::{DomainName, RULE};
use super::ownership::{NOT_OWNER, NOT_REGISTERED, PENDING, by_author, owned};
use super::record_form::{
    CNAME_ALONE, LABEL, RECORD_A, RECORD_AAAA, RECORD_CNAME, RECORD_KEY, RECORD_SRV, RECORD_TLSA,
    RECORD_TXT, TTL,
};
use super::records::{self, RECORDS_MAX, Record, TOO_LONG, TWICE, check_records};

event! {
    /// Replaces all records of the author's name.
    SetRecords = "domains.set_records", Owner, "Set the records of {name}.ddt to: {records}"
    {
        /// The name.
        name: DomainName,
        /// All records it has then, in this order; none removes all.
        records: List<Record, RECORDS_MAX>,
    }
}

impl Event for SetRecords {
    const REFUSALS: &'static [Refusal] = &[
        RULE,
        LABEL,
        TTL,
        RECORD_A,
        RECORD_AAAA,
        RECORD_CNAME,
        RECORD_TXT,
        RECORD_SRV,
        RECORD_TLSA,
        RECORD_KEY,
        CNAME_ALONE,
        TWICE,
        TOO_LONG,
        NOT_REGISTERED,
        PENDING,
        NOT_OWNER,
    ];
    const WORK: u32 = 2;

    fn check(&self) -> Result<(), Refusal> {
        check_records(&self.records)
    }

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        by_author(owned(&self.name, cx, book)?, cx)?;
        let mut row = records::read(&self.name, book);
        row.records = self.records.clone();
        records::write(&self.name, &row, book);
        Ok(())
    }
}
