//! Renewing: a longer term for the same owner, paid at once or from money put aside.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::book::Book;
use ddt_ledger::codec::decode;
use ddt_ledger::context::Context;
use ddt_ledger::table::{Key, ROW_BYTES_MAX, Table};
use ddt_ledger::{AccountId, Amount, Domain, Hash, Millis, Refusal};

use super::LAPSE;
use super::name::DomainName;
use super::offer::OFFERS;
use super::price::{YEARS_MAX, years_ms};
use super::record::{DOMAINS, DomainRow, Status};

pub(crate) const RENEWALS_ID: u16 = 304;
/// From the moments at which prepaid renewals are due to their names.
pub(crate) const DUE_INDEX: u16 = 304;

pub(crate) static RENEWALS: Table<DomainName, RenewalRow> = Table::new(RENEWALS_ID);

/// How a name is renewed from money put aside.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RenewalRow {
    /// Who put the money aside, and has it back in the end: the name's owner.
    pub payer: AccountId,
    /// For how many years each time.
    pub years: u8,
    /// The highest price to pay each time.
    pub price_max: Amount,
    /// From when on it may be renewed, on the epoch clock.
    pub due: Millis,
    /// The end of the grace, when what is left is paid back, on the epoch clock.
    pub ends: Millis,
}

/// Where the money for a name's renewals is held.
pub(crate) fn renewal_hold(name: &DomainName) -> Hash {
    Domain("ddt v1 domain renewal hold").hash(&[name.as_str().as_bytes()])
}

/// When a renewal by so many years is due: so long before the term's end as the parameters
/// say, but not before the last year, and not before the new term would be allowed
/// (spec DOM-18).
fn due(until: Millis, years: u8, cx: &Context) -> Millis {
    let room = years_ms(cx, YEARS_MAX.saturating_sub(years));
    let ahead = cx.params.domain_renewal_ms.min(cx.params.domain_year_ms).min(room);
    until.since(ahead)
}

/// Writes the renewal of `name` to agree with its row; what was due before is not any more.
pub(crate) fn set(
    name: &DomainName,
    renewal: RenewalRow,
    row: &DomainRow,
    cx: &Context,
    book: &mut Book,
) {
    book.unschedule(renewal.ends, LAPSE, name.as_str().as_bytes());
    let (due, ends) = (due(row.until, renewal.years, cx), row.grace_until(cx));
    book.schedule(ends, LAPSE, name.as_str().as_bytes());
    RENEWALS.put(book, name, &RenewalRow { due, ends, ..renewal });
}

/// Pays back what was put aside for the name's renewals, if anything was.
pub(crate) fn give_back(name: &DomainName, book: &mut Book) -> Result<(), Refusal> {
    let Some(renewal) = RENEWALS.get(book, name) else { return Ok(()) };
    RENEWALS.remove(book, name);
    book.unschedule(renewal.ends, LAPSE, name.as_str().as_bytes());
    let hold = renewal_hold(name);
    book.release(hold, renewal.payer, book.held(hold), "renewal refund")
}

/// Makes the term of a name longer. An offer from before the grace does not come back.
pub(crate) fn prolong(
    name: &DomainName,
    mut row: DomainRow,
    years: u8,
    cx: &Context,
    book: &mut Book,
) {
    if row.status(cx) == Status::Grace {
        OFFERS.remove(book, name);
    }
    row.until = row.until.plus(years_ms(cx, years));
    DOMAINS.put(book, name, &row);
    if let Some(renewal) = RENEWALS.get(book, name) {
        set(name, renewal, &row, cx, book);
    }
}

/// The end of a name's grace: what was put aside goes back (spec DOM-19).
pub(crate) fn lapse(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let mut bytes = key;
    let Some(name) = DomainName::read(&mut bytes) else { return Ok(()) };
    let Some(renewal) = RENEWALS.get(book, &name) else { return Ok(()) };
    match DOMAINS.get(book, &name).filter(|row| row.status(cx) != Status::Expired) {
        // The grace became longer by the parameters.
        Some(row) => {
            set(&name, renewal, &row, cx, book);
            Ok(())
        }
        None => give_back(&name, book),
    }
}

/// Entries of the index from due times to names.
pub(crate) fn due_entries(name: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let row = decode::<RenewalRow>(value, ROW_BYTES_MAX).ok();
    row.map(|row| [row.due.0.to_be_bytes().as_slice(), name].concat()).into_iter().collect()
}
