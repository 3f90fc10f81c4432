//! The rows of usernames in parts, for whoever checks a proof.

use ddt_ledger::codec::decode;
use ddt_ledger::schema::{Field, Fields};
use ddt_ledger::table::{Key, ROW_BYTES_MAX};
use ddt_ledger::{AccountId, Hash, PublicKey};

use super::record::{CommitRow, UsernameRow};

pub(crate) fn commit(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let (author, hash) = <(AccountId, Hash)>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("author", author.show()), ("hash", hash.show())];
    if let Some(value) = value {
        let row: CommitRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("expires", row.expires.show()));
    }
    Some(values)
}

pub(crate) fn username(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let row = <Hash as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("row", row.show())];
    if let Some(value) = value {
        let row: UsernameRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("holder", row.holder.show()));
        values.push(("from", row.from.show()));
        values.push(("until", row.until.show()));
        values.push(("ciphertext", row.ciphertext.show()));
    }
    Some(values)
}

pub(crate) fn key(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let holder = <PublicKey as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("holder", holder.show())];
    if let Some(value) = value {
        values.push(("row", decode::<Hash>(value, ROW_BYTES_MAX).ok()?.show()));
    }
    Some(values)
}
