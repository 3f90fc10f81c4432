//! The rows of domains in parts, for whoever checks a proof.

use borsh::BorshDeserialize;
use ddt_ledger::codec::decode;
use ddt_ledger::schema::{Field, Fields};
use ddt_ledger::table::{Key, ROW_BYTES_MAX};
use ddt_ledger::{AccountId, Hash};

use super::name::DomainName;
use super::offer::OfferRow;
use super::record::{CommitRow, DomainRow};
use super::records::RecordsRow;
use super::renewal::RenewalRow;

pub(crate) fn commit(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let (owner, hash) = <(AccountId, Hash)>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("owner", owner.show()), ("hash", hash.show())];
    if let Some(value) = value {
        let row: CommitRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("price_max", row.price_max.show()));
        values.push(("expires", row.expires.show()));
    }
    Some(values)
}

pub(crate) fn domain(key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    named(key, value, |row: DomainRow| {
        vec![
            ("owner", row.owner.show()),
            ("from", row.from.show()),
            ("until", row.until.show()),
            ("price", row.price.show()),
            ("contested", row.contest.is_some().show()),
        ]
    })
}

/// The parts of a row whose key is a name.
fn named<V: BorshDeserialize>(
    mut key: &[u8],
    value: Option<&[u8]>,
    parts: fn(V) -> Fields,
) -> Option<Fields> {
    let name = <DomainName as Key>::read(&mut key)?;
    let mut values = vec![("name", name.show())];
    if let Some(value) = value {
        values.extend(parts(decode(value, ROW_BYTES_MAX).ok()?));
    }
    Some(values)
}

pub(crate) fn offer(key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    named(key, value, |row: OfferRow| {
        vec![
            ("seller", row.seller.show()),
            ("price", row.price.show()),
            ("to", row.to.show()),
            ("clock", row.clock.show()),
        ]
    })
}

pub(crate) fn renewal(key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    named(key, value, |row: RenewalRow| {
        vec![
            ("payer", row.payer.show()),
            ("years", row.years.show()),
            ("price_max", row.price_max.show()),
            ("due", row.due.show()),
            ("ends", row.ends.show()),
        ]
    })
}

pub(crate) fn records(key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    named(key, value, |row: RecordsRow| {
        vec![
            ("records", row.records.show()),
            ("manifest", row.site.show()),
            ("version", row.version.show()),
        ]
    })
}
