//! Names that are offered to one account alone.

use ddt_ledger::context::Context;
use ddt_ledger::table::{Rows, index_prefix};
use ddt_ledger::view::{Found, Page, View};
use ddt_ledger::{AccountId, Refusal, view};

use super::{OfferView, names_of_index};
use crate::domains::offer::OFFERED_INDEX;

view! {
    OfferedTo = "domains.offered_to",
        "Names that are given or sold to one account alone, in order."
    query {
        /// The account.
        account: AccountId,
    }
    row OfferedRow {
        /// The offer.
        offer: OfferView,
    }
}

impl View for OfferedTo {
    fn run(
        &self,
        cx: &Context,
        rows: &dyn Rows,
        page: &Page,
    ) -> Result<Found<OfferedRow>, Refusal> {
        let prefix = [index_prefix(OFFERED_INDEX).as_slice(), &self.account.0].concat();
        let (names, next) = names_of_index(rows, &prefix, 0, page)?;
        let offers = names.into_iter().filter_map(|name| OfferView::valid(name, cx, rows));
        Ok(Found { rows: offers.map(|offer| OfferedRow { offer }).collect(), next })
    }
}
