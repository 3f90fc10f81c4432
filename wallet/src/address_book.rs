//! An address book: names for the accounts of others, in one file that only its owner reads.
//!
//! Nothing in it is secret, but whoever may write it may send somebody's money astray.

use std::collections::BTreeMap;

use ddt_ledger::AccountId;
use serde::{Deserialize, Serialize};

use crate::keystore::{NameError, check_name};

/// The version of the file that is read and written.
pub const VERSION: u64 = 1;

/// Most entries of one book.
pub const ENTRIES_MAX: usize = 500;

const FORMAT: &str = "ddt-address-book";

/// Names and accounts, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBook {
    entries: BTreeMap<String, AccountId>,
}

/// Why a book cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Not a name.
    #[error("a name in the address book has 1 to 32 of the characters a-z, 0-9, _ and -")]
    Name,
    /// The name is another account's.
    #[error("{name} is {account} in the address book already; remove it first")]
    Taken {
        /// The name.
        name: String,
        /// Whose it is.
        account: AccountId,
    },
    /// There is no such entry.
    #[error("there is no {0} in the address book")]
    Missing(String),
    /// No more fit.
    #[error("the address book has {ENTRIES_MAX} entries, as many as it may; remove some")]
    Full,
    /// The file was written by a later version.
    #[error("it has version {0} and this programme reads version {VERSION}; update it")]
    Newer(u64),
    /// The file is no address book.
    #[error("it is damaged: {0}. Put back a copy, or delete it and add the accounts again")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    entries: BTreeMap<String, AccountId>,
}

#[derive(Deserialize)]
struct Probe {
    format: String,
    version: u64,
}

impl AddressBook {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`BookError::Newer`], [`BookError::Damaged`].
    pub fn parse(text: &str) -> Result<AddressBook, BookError> {
        let damaged = |reason: String| BookError::Damaged(reason);
        let probe: Probe =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if probe.format != FORMAT {
            return Err(damaged("it is no address book".to_owned()));
        }
        if probe.version > VERSION {
            return Err(BookError::Newer(probe.version));
        }
        let file: File = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if file.version != VERSION {
            return Err(damaged(format!("version {} was never written", file.version)));
        }
        if file.entries.len() > ENTRIES_MAX {
            return Err(damaged(format!("it has more than {ENTRIES_MAX} entries")));
        }
        if let Some(name) = file.entries.keys().find(|name| check_name(name).is_err()) {
            return Err(damaged(format!("{name:?} is no name for an account")));
        }
        Ok(AddressBook { entries: file.entries })
    }

    /// The file's text.
    pub fn to_json(&self) -> Result<String, BookError> {
        let (format, version) = (FORMAT.to_owned(), VERSION);
        let file = File { format, version, entries: self.entries.clone() };
        let text = serde_json::to_string_pretty(&file);
        text.map(|text| text + "\n").map_err(|error| BookError::Damaged(error.to_string()))
    }

    /// Names an account. The same again changes nothing.
    ///
    /// # Errors
    /// A bad name; [`BookError::Taken`]; [`BookError::Full`].
    pub fn add(&mut self, name: &str, account: AccountId) -> Result<(), BookError> {
        check_name(name).map_err(|NameError| BookError::Name)?;
        match self.entries.get(name) {
            Some(known) if *known == account => Ok(()),
            Some(known) => Err(BookError::Taken { name: name.to_owned(), account: *known }),
            None if self.entries.len() >= ENTRIES_MAX => Err(BookError::Full),
            None => {
                self.entries.insert(name.to_owned(), account);
                Ok(())
            }
        }
    }

    /// Forgets a name; answers whose it was.
    ///
    /// # Errors
    /// [`BookError::Missing`].
    pub fn remove(&mut self, name: &str) -> Result<AccountId, BookError> {
        self.entries.remove(name).ok_or_else(|| BookError::Missing(name.to_owned()))
    }

    /// Whose a name is.
    pub fn get(&self, name: &str) -> Option<AccountId> {
        self.entries.get(name).copied()
    }

    /// The first name of an account.
    pub fn name_of(&self, account: &AccountId) -> Option<&str> {
        let found = self.entries.iter().find(|(_, known)| *known == account);
        found.map(|(name, _)| name.as_str())
    }

    /// Every entry, by name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, AccountId)> {
        self.entries.iter().map(|(name, account)| (name.as_str(), *account))
    }
}
