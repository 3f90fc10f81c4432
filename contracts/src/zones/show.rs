//! The rows of zones in parts, for whoever checks a proof.

use ddt_ledger::codec::decode;
use ddt_ledger::schema::{Field, Fields};
use ddt_ledger::table::{Key, ROW_BYTES_MAX};
use ddt_ledger::{AccountId, Address, Zone};

use super::record::{MemberRow, SeatsRow};

pub(crate) fn member(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let account = <AccountId as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("account", account.show())];
    if let Some(value) = value {
        let row: MemberRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("zone", row.zone.show()));
        values.push(("joined", row.joined.show()));
        values.push(("seen", row.seen.show()));
        values.push(("node_key", row.node_key.show()));
        values.push(("address", row.address.show()));
        values.push(("standing", row.standing.show()));
    }
    Some(values)
}

pub(crate) fn address(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let address = <Address as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("address", address.show())];
    if let Some(value) = value {
        let account: AccountId = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("account", account.show()));
    }
    Some(values)
}

pub(crate) fn seats(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let zone = <Zone as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("zone", zone.show())];
    if let Some(value) = value {
        let row: SeatsRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("members", row.members.show()));
        values.push(("newcomers", row.newcomers.show()));
    }
    Some(values)
}
