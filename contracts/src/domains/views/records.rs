//! What one name leads to.

use ddt_ledger::context::Context;
use ddt_ledger::schema::List;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{Hash, Refusal, view};

use crate::domains::name::DomainName;
use crate::domains::records::{RECORDS, RECORDS_MAX, Record, records_key};

view! {
    Records = "domains.records",
        "A name's records and site; whether it still has an owner says domains.record."
    query {
        /// The name.
        name: DomainName,
    }
    row RecordsView {
        /// The name.
        name: DomainName,
        /// Its records, as their owner ordered them.
        records: List<Record, RECORDS_MAX>,
        /// Its site's manifest, if it has a site.
        manifest: Option<Hash>,
        /// The version of the site.
        version: u64,
    }
}

impl View for Records {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<RecordsView>, Refusal> {
        let row = RECORDS.get(rows, &self.name).ok_or(NOT_FOUND)?;
        Ok(Found::one(RecordsView {
            name: self.name.clone(),
            records: row.records,
            manifest: row.site,
            version: row.version,
        }))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(records_key(&self.name))
    }
}
