//! The names of an account.

use ddt_ledger::context::Context;
use ddt_ledger::table::{Key, Rows, index_prefix};
use ddt_ledger::view::{CURSOR, Found, Page, View};
use ddt_ledger::{AccountId, Refusal, view};

use super::RecordRow;
use crate::domains::name::DomainName;
use crate::domains::record::{DOMAINS, OWNER_INDEX};

view! {
    OfOwner = "domains.of_owner", "The names of an account, in order."
    query {
        /// The account.
        owner: AccountId,
    }
    row OwnedRow {
        /// The name's record.
        record: RecordRow,
    }
}

impl View for OfOwner {
    fn run(&self, cx: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<OwnedRow>, Refusal> {
        let prefix = [index_prefix(OWNER_INDEX).as_slice(), &self.owner.0].concat();
        let after = match &page.after {
            Some(name) if name.len() > 64 => return Err(CURSOR),
            Some(name) => [prefix.as_slice(), name].concat(),
            None => Vec::new(),
        };
        let entries = rows.index_after(&prefix, &after, page.limit);
        let is_full = entries.len() >= page.limit;
        let mut found = Vec::new();
        for (entry, _) in entries {
            let mut name = entry.get(prefix.len()..).unwrap_or_default();
            let Some(name) = DomainName::read(&mut name) else { continue };
            if let Some(row) = DOMAINS.get(rows, &name) {
                found.push(OwnedRow { record: RecordRow::new(name, &row, cx) });
            }
        }
        let last = found.last().filter(|_| is_full);
        let next = last.map(|row| row.record.name.as_str().as_bytes().to_vec());
        Ok(Found { rows: found, next })
    }
}
