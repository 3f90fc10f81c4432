//! What the accounts known here are called: wallets first, then the address book.

use std::collections::BTreeMap;

use ddt_ledger::AccountId;

use super::{Global, book};
use crate::cli::wallets;
use crate::failure::Failure;

/// Accounts with names.
pub struct Names(BTreeMap<AccountId, String>);

impl Names {
    /// Reads keystore and address book.
    pub fn load(global: &Global) -> Result<Names, Failure> {
        let mut names = BTreeMap::new();
        for (name, account) in book::open(global)?.entries() {
            names.entry(account).or_insert_with(|| name.to_string());
        }
        let listing = wallets::keystore(global)?.list().map_err(wallets::failure)?;
        for entry in listing.entries {
            for (index, account) in entry.accounts.iter().enumerate() {
                names.insert(*account, wallets::label(&entry.name, index));
            }
        }
        Ok(Names(names))
    }

    /// The account's name here.
    pub fn get(&self, account: &AccountId) -> Option<&str> {
        self.0.get(account).map(String::as_str)
    }

    /// The account's id, and its name here if it has one.
    pub fn show(&self, account: &AccountId) -> String {
        match self.get(account) {
            Some(name) => format!("{name} ({account})"),
            None => account.to_string(),
        }
    }
}
