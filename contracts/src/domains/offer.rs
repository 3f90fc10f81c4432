//! Offers of names: one at a time, to one account or to anybody, for a price or for nothing.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::book::Book;
use ddt_ledger::codec::decode;
use ddt_ledger::context::Context;
use ddt_ledger::table::{ROW_BYTES_MAX, Table};
use ddt_ledger::{AccountId, Amount, Millis, Refusal, refusals};

use super::name::DomainName;
use super::ownership::{active, by_author};

pub(crate) const OFFERS_ID: u16 = 303;
/// From nothing to the names that anybody may buy.
pub(crate) const OPEN_INDEX: u16 = 302;
/// From accounts to the names that are offered to them alone.
pub(crate) const OFFERED_INDEX: u16 = 303;

pub(crate) static OFFERS: Table<DomainName, OfferRow> = Table::new(OFFERS_ID);

refusals! {
    NOTHING = "domains.nothing", "An amount above zero is wanted.";
    OWN_NAME = "domains.own_name", "The name is this account's already; name another account.";
    NO_OFFER = "domains.no_offer", "There is no such offer of this name now.";
    NOT_FOR_YOU = "domains.not_for_you", "The name is offered to another account alone.";
    OFFER_CHANGED = "domains.offer_changed",
        "The name is offered at another price; look at domains.offer and decide again.";
}

/// A name on offer by its owner: a sale, or, at no price, a transfer that waits for its taker.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OfferRow {
    /// Who offers it: the name's owner.
    pub seller: AccountId,
    /// What it costs; zero for a transfer.
    pub price: Amount,
    /// The only account that may have it; `None` when anybody may.
    pub to: Option<AccountId>,
    /// The epoch clock when it was offered.
    pub clock: Millis,
}

impl OfferRow {
    /// Whether the name is given, not sold.
    pub fn is_transfer(&self) -> bool {
        self.price.is_zero()
    }

    /// Whether `account` may have the name.
    pub fn is_for(&self, account: &AccountId) -> bool {
        self.to.is_none_or(|to| to == *account)
    }
}

/// Offers the author's active name; an offer before this one is replaced.
pub(crate) fn make(
    name: &DomainName,
    price: Amount,
    to: Option<AccountId>,
    cx: &Context,
    book: &mut Book,
) -> Result<(), Refusal> {
    let row = by_author(active(name, cx, book)?, cx)?;
    if to == Some(row.owner) {
        return Err(OWN_NAME);
    }
    OFFERS.put(book, name, &OfferRow { seller: row.owner, price, to, clock: cx.clock });
    Ok(())
}

/// Entries of the index of open sales.
pub(crate) fn open_entries(name: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let row = decode::<OfferRow>(value, ROW_BYTES_MAX).ok();
    row.filter(|row| row.to.is_none()).map(|_| name.to_vec()).into_iter().collect()
}

/// Entries of the index from accounts to what is offered to them alone.
pub(crate) fn offered_entries(name: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let to = decode::<OfferRow>(value, ROW_BYTES_MAX).ok().and_then(|row| row.to);
    to.map(|to| [to.0.as_slice(), name].concat()).into_iter().collect()
}

/// The full key of a name's offer, for proofs.
pub fn offer_key(name: &DomainName) -> Vec<u8> {
    OFFERS.full_key(name)
}
