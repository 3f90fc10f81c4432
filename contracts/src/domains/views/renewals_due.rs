//! Prepaid renewals by when they are due: what a node's agent works off.

use ddt_ledger::context::Context;
use ddt_ledger::table::{Rows, index_prefix};
use ddt_ledger::view::{Found, Page, View};
use ddt_ledger::{Refusal, view};

use super::{PrepaidRow, names_of_index};
use crate::domains::renewal::DUE_INDEX;

view! {
    RenewalsDue = "domains.renewals_due",
        "Prepaid renewals, those first that are due first; the epoch clock decides which are."
    query {}
    row DueRow {
        /// The renewal.
        renewal: PrepaidRow,
    }
}

impl View for RenewalsDue {
    fn run(&self, cx: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<DueRow>, Refusal> {
        let (names, next) = names_of_index(rows, &index_prefix(DUE_INDEX), size_of::<u64>(), page)?;
        let found = names.into_iter().filter_map(|name| PrepaidRow::new(name, cx, rows));
        Ok(Found { rows: found.map(|renewal| DueRow { renewal }).collect(), next })
    }
}
