//! What must hold of all usernames together.

use std::collections::BTreeMap;

use ddt_ledger::table::Rows;

use super::record::{self, CIPHERTEXT_BYTES};

/// Every row has its length and its key's note, and every note its row (spec USR-11).
pub(crate) fn audit(rows: &dyn Rows) -> Vec<String> {
    let (mut broken, mut by_key, mut noted) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    record::each(
        rows,
        |row, username| {
            if username.from >= username.until {
                broken.push(format!("the username row {row} has an empty term"));
            }
            if username.ciphertext.as_slice().len() != CIPHERTEXT_BYTES {
                broken.push(format!("the username row {row} has another length than all others"));
            }
            if by_key.insert(username.holder, row).is_some() {
                broken.push(format!("the key of the username row {row} holds another one too"));
            }
        },
        |key, row| {
            noted.insert(key, row);
        },
    );
    if by_key != noted {
        broken.push("the one-time keys noted are not those that hold usernames".to_string());
    }
    broken
}
