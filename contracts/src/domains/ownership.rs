//! Whose a name is now, and what becomes of what hangs on it when that changes.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::{AccountId, Refusal, refusals};

use super::name::DomainName;
use super::offer::OFFERS;
use super::record::{DOMAINS, DomainRow, Status};
use super::{records, renewal};

refusals! {
    NOT_REGISTERED = "domains.not_registered",
        "Nobody has this name now; buy it with domains.commit and domains.reveal.";
    PENDING = "domains.pending",
        "The name is pending: an older commit may still win it; wait until the contest is over.";
    NOT_ACTIVE = "domains.not_active", "The name's term is over; renew it first.";
    NOT_OWNER = "domains.not_owner", "The name belongs to another account.";
}

/// The row of a name that is somebody's for good: active or in grace.
pub(crate) fn owned(name: &DomainName, cx: &Context, book: &Book) -> Result<DomainRow, Refusal> {
    let row = DOMAINS.get(book, name).ok_or(NOT_REGISTERED)?;
    match row.status(cx) {
        Status::Pending => Err(PENDING),
        Status::Expired => Err(NOT_REGISTERED),
        Status::Active | Status::Grace => Ok(row),
    }
}

/// The same, of an active name.
pub(crate) fn active(name: &DomainName, cx: &Context, book: &Book) -> Result<DomainRow, Refusal> {
    let row = owned(name, cx, book)?;
    if row.status(cx) == Status::Active { Ok(row) } else { Err(NOT_ACTIVE) }
}

/// The row, if the event's author is its owner.
pub(crate) fn by_author(row: DomainRow, cx: &Context) -> Result<DomainRow, Refusal> {
    if row.owner == cx.origin()?.author { Ok(row) } else { Err(NOT_OWNER) }
}

/// Gives a name to `to` with its term, its records and its site. The offer ends, money that
/// the old owner put aside for renewals comes back, and keys that speak for the old owner go
/// (spec DOM-23).
pub(crate) fn hand_over(
    name: &DomainName,
    mut row: DomainRow,
    to: AccountId,
    book: &mut Book,
) -> Result<(), Refusal> {
    OFFERS.remove(book, name);
    renewal::give_back(name, book)?;
    records::change_owner(name, book);
    row.owner = to;
    DOMAINS.put(book, name, &row);
    Ok(())
}

/// Removes all that hung on a name whose owner let it expire (spec DOM-15).
pub(crate) fn clear(name: &DomainName, book: &mut Book) -> Result<(), Refusal> {
    OFFERS.remove(book, name);
    records::RECORDS.remove(book, name);
    renewal::give_back(name, book)
}
