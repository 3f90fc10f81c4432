//! Opened wallets: the one place where a file's secret becomes keys.

use std::fmt;
use std::path::Path;

use ddt_ledger::AccountId;

use super::envelope::{AccountRecord, Sealed};
use super::error::KeystoreError;
use super::seal::{Lock, SealError, Secret};
use crate::keys::{OwnerKey, Seed};

/// An opened wallet. Its secrets are overwritten when it is dropped.
pub struct Unlocked {
    name: String,
    secret: Secret,
    seed: Seed,
    keys: Vec<OwnerKey>,
    unsafe_test: bool,
}

impl Unlocked {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its owner keys, in order of their index.
    pub fn keys(&self) -> &[OwnerKey] {
        &self.keys
    }

    /// The key that is the first one of `account`, if it is one of this wallet's.
    pub fn key_of(&self, account: &AccountId) -> Option<&OwnerKey> {
        self.keys.iter().find(|key| key.account() == *account)
    }

    /// What all its secrets are derived from.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// What is sealed in the file, to show it to its owner.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn account_count(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap_or(u32::MAX)
    }

    /// Whether it is for tests only ([`super::Entry::unsafe_test`]).
    pub fn unsafe_test(&self) -> bool {
        self.unsafe_test
    }
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlocked").field("name", &self.name).field("keys", &self.keys).finish()
    }
}

/// Opens a sealed file and checks that its accounts are those of its secret.
pub(super) fn open(path: &Path, sealed: Sealed, password: &str) -> Result<Unlocked, KeystoreError> {
    let header = sealed.header;
    let authenticated =
        header.authenticated().map_err(|error| KeystoreError::damaged(path, error))?;
    let lock = Lock { password, cost: header.cost, salt: &header.salt.0, nonce: &header.nonce.0 };
    let (secret, account_count) = lock
        .open(&sealed.ciphertext.0, &authenticated)
        .map_err(|error| seal_fault(path, &lock, error))?;
    let seed = seed_of(&secret);
    // Bounded by the list in the file before anything is derived.
    if usize::try_from(account_count).ok() != Some(header.accounts.len()) {
        return Err(KeystoreError::damaged(path, "it lists another number of accounts"));
    }
    let keys = derive(path, &seed, account_count)?;
    if records(&keys) != header.accounts {
        return Err(KeystoreError::damaged(path, "its accounts are not those of its secret"));
    }
    let name = header.name.as_str().to_owned();
    Ok(Unlocked { name, secret, seed, keys, unsafe_test: header.unsafe_test })
}

pub(super) fn seed_of(secret: &Secret) -> Seed {
    match secret {
        Secret::Words(words) => Seed::from_words(words),
        Secret::Seed(seed) => Seed::from_bytes(seed),
    }
}

/// The first `count` owner keys of `seed`.
pub(super) fn derive(path: &Path, seed: &Seed, count: u32) -> Result<Vec<OwnerKey>, KeystoreError> {
    (0..count)
        .map(|index| seed.owner_key(index).map_err(|error| KeystoreError::damaged(path, error)))
        .collect()
}

/// What the file says of these keys.
pub(super) fn records(keys: &[OwnerKey]) -> Vec<AccountRecord> {
    keys.iter().map(|key| AccountRecord { account: key.account(), key: key.public() }).collect()
}

pub(super) fn seal_fault(path: &Path, lock: &Lock<'_>, error: SealError) -> KeystoreError {
    match error {
        SealError::DoesNotOpen => KeystoreError::DoesNotOpen { path: path.to_owned() },
        SealError::Contents => KeystoreError::damaged(path, "what is sealed in it is no secret"),
        SealError::Cost => KeystoreError::Cost("Argon2 refused it"),
        SealError::Memory => KeystoreError::Memory { memory_kib: lock.cost.memory_kib },
    }
}
