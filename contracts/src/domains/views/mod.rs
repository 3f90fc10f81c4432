//! Reading domains.

mod commits;
mod for_sale;
mod of_owner;
mod offer;
mod offered_to;
mod prepaid;
mod price;
mod record;
mod records;
mod renewals_due;
mod search;

pub(crate) use commits::Commits;
pub(crate) use for_sale::ForSale;
pub(crate) use of_owner::OfOwner;
pub(crate) use offer::{Offer, OfferView};
pub(crate) use offered_to::OfferedTo;
pub(crate) use prepaid::{Prepaid, PrepaidRow};
pub(crate) use price::Price;
pub(crate) use record::{Record, RecordRow};
pub(crate) use records::Records;
pub(crate) use renewals_due::RenewalsDue;
pub(crate) use search::Search;

use ddt_ledger::Refusal;
use ddt_ledger::table::{Key, Rows};
use ddt_ledger::view::{CURSOR, Page};

use super::name::{DomainName, NAME_BYTES_MAX};

/// A page of names from the entries of an index that start with `prefix` and end with a
/// name; `extra` bytes stand between. Answers the names and where the next page starts.
fn names_of_index(
    rows: &dyn Rows,
    prefix: &[u8],
    extra: usize,
    page: &Page,
) -> Result<(Vec<DomainName>, Option<Vec<u8>>), Refusal> {
    let after = match &page.after {
        Some(rest) if rest.len() > NAME_BYTES_MAX.saturating_add(extra) => return Err(CURSOR),
        Some(rest) => [prefix, rest].concat(),
        None => Vec::new(),
    };
    let entries = rows.index_after(prefix, &after, page.limit);
    let last = entries.last().filter(|_| entries.len() >= page.limit);
    let next = last.and_then(|(entry, _)| entry.get(prefix.len()..)).map(<[u8]>::to_vec);
    let names = entries.iter().filter_map(|(entry, _)| {
        let mut name = entry.get(prefix.len().saturating_add(extra)..)?;
        <DomainName as Key>::read(&mut name)
    });
    Ok((names.collect(), next))
}
