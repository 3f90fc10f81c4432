//! Wallets at rest: one sealed file each, in a folder that only its owner can look into.
//!
//! What a list shows without a password (names, accounts, public keys) is authenticated only
//! when the wallet is opened: [`Keystore::unlock`] derives every account anew and compares.

mod cost;
mod envelope;
mod error;
mod files;
mod name;
mod seal;
mod store;
mod unlocked;

use ddt_ledger::{AccountId, PublicKey};

pub use cost::{KdfCost, LANES_MAX, MEMORY_KIB_MAX, PASSES_MAX, WORK_KIB_MAX};
pub use envelope::{ACCOUNTS_MAX, VERSION};
pub use error::KeystoreError;
pub use name::{NAME_BYTES_MAX, NameError, check_name};
pub use seal::Secret;
pub use store::Keystore;
pub use unlocked::Unlocked;

use envelope::{Envelope, Sealed};

/// What is known of a wallet without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, and its file's.
    pub name: String,
    /// Its accounts, in order of their index.
    pub accounts: Vec<AccountId>,
    /// Their first keys, in the same order; none when it only watches.
    pub keys: Vec<PublicKey>,
    /// It has no secret: it can show an account, not sign for it.
    pub watch_only: bool,
    /// Its password is cheap to guess, or its words are public: for tests, never for money.
    pub unsafe_test: bool,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Listing {
    /// The wallets, by name.
    pub entries: Vec<Entry>,
    /// Files that should be wallets and are not; one damaged file hides no other wallet.
    pub problems: Vec<KeystoreError>,
}

impl Entry {
    fn of(envelope: &Envelope) -> Entry {
        match envelope {
            Envelope::Sealed(Sealed { header, .. }) => Entry {
                name: header.name.as_str().to_owned(),
                accounts: header.accounts.iter().map(|record| record.account).collect(),
                keys: header.accounts.iter().map(|record| record.key).collect(),
                watch_only: false,
                unsafe_test: header.unsafe_test,
            },
            Envelope::WatchOnly(watch_only) => Entry {
                name: watch_only.name.as_str().to_owned(),
                accounts: vec![watch_only.watch_only],
                keys: Vec::new(),
                watch_only: true,
                unsafe_test: false,
            },
        }
    }
}
