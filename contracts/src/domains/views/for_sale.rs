//! Names that anybody may buy from their owners.

use ddt_ledger::context::Context;
use ddt_ledger::table::{Rows, index_prefix};
use ddt_ledger::view::{Found, Page, View};
use ddt_ledger::{Refusal, view};

use super::{OfferView, names_of_index};
use crate::domains::offer::OPEN_INDEX;

view! {
    ForSale = "domains.for_sale", "Names that anybody may buy from their owners, in order."
    query {}
    row SaleRow {
        /// The offer.
        offer: OfferView,
    }
}

impl View for ForSale {
    fn run(&self, cx: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<SaleRow>, Refusal> {
        let (names, next) = names_of_index(rows, &index_prefix(OPEN_INDEX), 0, page)?;
        let offers = names.into_iter().filter_map(|name| OfferView::valid(name, cx, rows));
        Ok(Found { rows: offers.map(|offer| SaleRow { offer }).collect(), next })
    }
}
