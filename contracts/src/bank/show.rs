//! A lock's row in parts, for whoever checks a proof.

use ddt_ledger::Hash;
use ddt_ledger::codec::decode;
use ddt_ledger::schema::{Field, Fields};
use ddt_ledger::table::{Key, ROW_BYTES_MAX};

use super::record::LockRow;

pub(crate) fn lock(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let lock = <Hash as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("lock", lock.show())];
    if let Some(value) = value {
        let row: LockRow = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("status", row.state.status().show()));
        values.push(("from", row.from.show()));
        values.push(("to", row.to.show()));
        values.push(("amount", row.amount.show()));
        values.push(("hash", row.hash.show()));
        values.push(("deadline", row.deadline.show()));
        values.push(("refund_at", row.refund_at.show()));
        values.push(("secret", row.state.secret().show()));
    }
    Some(values)
}
