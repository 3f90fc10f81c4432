//! Names that start alike.

use ddt_ledger::context::Context;
use ddt_ledger::schema::Text;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{CURSOR, Found, Page, View};
use ddt_ledger::{Refusal, view};

use super::RecordRow;
use crate::domains::name::DomainName;
use crate::domains::record::DOMAINS;

view! {
    Search = "domains.search", "Registered names that start with a text, in order."
    query {
        /// What the names start with; nothing lists all.
        prefix: Option<Text<63>>,
    }
    row SearchRow {
        /// The name's record.
        record: RecordRow,
    }
}

impl View for Search {
    fn run(&self, cx: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<SearchRow>, Refusal> {
        let prefix = self.prefix.as_ref().map_or("", Text::as_str);
        let full = [DOMAINS.prefix().as_slice(), prefix.as_bytes()].concat();
        let after = match &page.after {
            Some(name) if name.len() > 64 => return Err(CURSOR),
            Some(name) => [DOMAINS.prefix().as_slice(), name].concat(),
            None => Vec::new(),
        };
        let keys = rows.rows_after(&full, &after, page.limit);
        let is_full = keys.len() >= page.limit;
        let names = keys.iter().filter_map(|(key, _)| key.get(2..));
        let names = names.filter_map(|name| std::str::from_utf8(name).ok());
        let mut found = Vec::new();
        for name in names.filter_map(|name| DomainName::new(name).ok()) {
            if let Some(row) = DOMAINS.get(rows, &name) {
                found.push(SearchRow { record: RecordRow::new(name, &row, cx) });
            }
        }
        let last = found.last().filter(|_| is_full);
        let next = last.map(|row| row.record.name.as_str().as_bytes().to_vec());
        Ok(Found { rows: found, next })
    }
}
