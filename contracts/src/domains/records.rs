//! What a name leads to: records as in DNS, keys of services, a site.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::book::Book;
use ddt_ledger::codec::encode;
use ddt_ledger::schema::{Choice, List, Text};
use ddt_ledger::table::Table;
use ddt_ledger::{Hash, Refusal, refusals, shape};

use super::name::DomainName;
use super::record_form::{CNAME_ALONE, TTL, check_form};

pub(crate) const RECORDS_ID: u16 = 305;
/// Most records of a name.
pub const RECORDS_MAX: usize = 64;
/// Most canonical bytes of a name's records together.
pub const RECORDS_BYTES_MAX: usize = 2_048;

pub(crate) static RECORDS: Table<DomainName, RecordsRow> = Table::new(RECORDS_ID);

refusals! {
    TWICE = "domains.record_twice", "A record stands there twice; leave one out.";
    TOO_LONG = "domains.records_too_long",
        "All records of a name together have at most 2,048 bytes; set fewer or shorter ones.";
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum RecordKind {
    /// An IPv4 address (RFC 1035).
    A,
    /// An IPv6 address (RFC 3596).
    Aaaa,
    /// Another name for this one (RFC 1035).
    Cname,
    /// Text (RFC 1035).
    Txt,
    /// Where a service is (RFC 2782).
    Srv,
    /// Which certificate a service has (RFC 6698).
    Tlsa,
    /// Which public key a service has: it speaks for the owner.
    Key,
}

impl Choice for RecordKind {
    const WORDS: &'static [&'static str] = &["a", "aaaa", "cname", "txt", "srv", "tlsa", "key"];
    const ALL: &'static [RecordKind] = &[
        RecordKind::A,
        RecordKind::Aaaa,
        RecordKind::Cname,
        RecordKind::Txt,
        RecordKind::Srv,
        RecordKind::Tlsa,
        RecordKind::Key,
    ];
}

shape! {
    /// One record of a name.
    Record {
        /// Of what: @ is the name itself, otherwise what stands before it, such as www.
        label: Text<63>,
        /// What it says.
        kind: RecordKind,
        /// How long it may be remembered, in seconds.
        ttl: u32,
        /// What it says, in the form of its kind.
        value: Text<255>,
    }
}

/// What a name leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RecordsRow {
    /// Its records, as their owner ordered them.
    pub records: List<Record, RECORDS_MAX>,
    /// Its site's manifest, if it has a site.
    pub site: Option<Hash>,
    /// Of the site; each version is higher than the one before.
    pub version: u64,
}

/// Whether these can be the records of a name (spec DOM-24 … DOM-26).
pub(crate) fn check_records(records: &List<Record, RECORDS_MAX>) -> Result<(), Refusal> {
    let all = records.items();
    for (place, record) in all.iter().enumerate() {
        check_form(record)?;
        for other in all.iter().skip(place.saturating_add(1)) {
            check_pair(record, other)?;
        }
    }
    if encode(records).len() > RECORDS_BYTES_MAX { Err(TOO_LONG) } else { Ok(()) }
}

/// What two records of one name may not be together.
fn check_pair(one: &Record, other: &Record) -> Result<(), Refusal> {
    if one.label != other.label {
        return Ok(());
    }
    if one.kind == other.kind && one.value == other.value {
        return Err(TWICE);
    }
    if one.kind == RecordKind::Cname || other.kind == RecordKind::Cname {
        return Err(CNAME_ALONE);
    }
    if one.kind == other.kind && one.ttl != other.ttl { Err(TTL) } else { Ok(()) }
}

/// What a name leads to; nothing, if nothing was ever set.
pub(crate) fn read(name: &DomainName, book: &Book) -> RecordsRow {
    RECORDS.get(book, name).unwrap_or_default()
}

/// Keeps what a name leads to. A row with nothing in it does not stay.
pub(crate) fn write(name: &DomainName, row: &RecordsRow, book: &mut Book) {
    match *row == RecordsRow::default() {
        true => RECORDS.remove(book, name),
        false => RECORDS.put(book, name, row),
    }
}

/// Takes away what speaks for the old owner. The site stays; its versions start anew, or the
/// old owner could leave one that nothing is higher than.
pub(crate) fn change_owner(name: &DomainName, book: &mut Book) {
    let row = read(name, book);
    let stay = row.records.items().iter().filter(|record| record.kind != RecordKind::Key);
    let records = List::new(stay.cloned().collect()).unwrap_or_default();
    write(name, &RecordsRow { records, site: row.site, version: 0 }, book);
}

/// The full key of a name's records, for proofs.
pub fn records_key(name: &DomainName) -> Vec<u8> {
    RECORDS.full_key(name)
}
