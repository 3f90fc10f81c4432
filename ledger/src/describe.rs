//! What a row of the state says, read from its own bytes: for whoever checks a proof.

use crate::accounts::Account;
use crate::codec::decode;
use crate::ids::AccountId;
use crate::registry::Registry;
use crate::schema::{Field, Fields, Value};
use crate::table::{Key, ROW_BYTES_MAX};

/// A row, or its absence, in words and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDescription {
    /// Which row, and whether it is there.
    pub words: String,
    /// Its key's and its value's parts.
    pub values: Fields,
}

impl Registry {
    /// Describes a row by its full key; `None` for a table that nobody knows, or bytes that
    /// are none of its rows.
    pub fn describe_row(&self, full_key: &[u8], value: Option<&[u8]>) -> Option<RowDescription> {
        let (number, key) = full_key.split_first_chunk::<2>()?;
        let number = u16::from_be_bytes(*number);
        let (name, values) = match Account::full_key(&AccountId([0; 32])).get(..2)? {
            accounts if accounts == full_key.get(..2)? => ("accounts", account(key, value)?),
            _ => {
                let info = self.tables().find(|info| info.id == number)?;
                (info.name, (info.show)(key, value)?)
            }
        };
        let words = match value {
            Some(_) => format!("this row of {name}"),
            None => format!("there is no such row of {name}"),
        };
        Some(RowDescription { words, values })
    }
}

fn account(mut key: &[u8], value: Option<&[u8]>) -> Option<Fields> {
    let id = <AccountId as Key>::read(&mut key).filter(|_| key.is_empty())?;
    let mut values = vec![("account", Value::Account(id))];
    if let Some(value) = value {
        let row: Account = decode(value, ROW_BYTES_MAX).ok()?;
        values.push(("balance", row.balance.show()));
        values.push(("key", row.key.show()));
        values.push(("rotations", row.rotations.show()));
        values.push(("opened", row.opened.show()));
    }
    Some(values)
}
