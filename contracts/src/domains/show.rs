//! The rows of domains in parts, for whoever checks a proof.

use ddt_ledger::codec::decode;
use ddt_ledger::schema::{Field, Fields};
use ddt_ledger::table::{Key, ROW_BYTES_MAX};
use ddt_ledger::{AccountId, Hash};

use super::name::DomainName;
use super::record::{CommitRow, DomainRow};

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

pub(crate) fn domain(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let name = <DomainName as Key>::read(&mut key)?;
    let mut values = vec![("name", name.show())];
    if let Some(value) = value {
        let row: DomainRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("owner", row.owner.show()));
        values.push(("from", row.from.show()));
        values.push(("until", row.until.show()));
        values.push(("price", row.price.show()));
        values.push(("contested", row.contest.is_some().show()));
    }
    Some(values)
}
