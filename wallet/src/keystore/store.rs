//! The folder of wallets: make, list, open, change.

use std::path::{Path, PathBuf};

use ddt_ledger::AccountId;

use super::cost::KdfCost;
use super::envelope::{ACCOUNTS_MAX, Envelope, EnvelopeError, Header, VERSION};
use super::error::KeystoreError;
use super::files::{Folder, Overwrite, read_private};
use super::name::WalletName;
use super::seal::{Lock, Secret};
use super::unlocked::{Unlocked, derive, open, records, seal_fault, seed_of};
use super::{Entry, Listing};
use crate::random;

/// The wallets of one folder.
#[derive(Debug)]
pub struct Keystore {
    folder: Folder,
}

impl Keystore {
    /// Opens a folder of wallets; makes it, for its owner alone, when there is none.
    ///
    /// # Errors
    /// [`KeystoreError::TooOpen`] when other users could look into it.
    pub fn open_dir(path: &Path) -> Result<Keystore, KeystoreError> {
        Ok(Keystore { folder: Folder::open(path)? })
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Seals a new wallet with one account.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`] when there is one of that name, which stays as it is; a bad
    /// name, an empty password, a cost out of bounds; faults of disk and memory.
    pub fn create(
        &self,
        name: &str,
        secret: &Secret,
        password: &str,
        cost: KdfCost,
    ) -> Result<Entry, KeystoreError> {
        self.create_with(name, secret, 1, password, cost)
    }

    /// The same with the first `account_count` accounts of the secret.
    ///
    /// # Errors
    /// Those of [`Keystore::create`]; [`KeystoreError::AccountCount`].
    pub fn create_with(
        &self,
        name: &str,
        secret: &Secret,
        account_count: u32,
        password: &str,
        cost: KdfCost,
    ) -> Result<Entry, KeystoreError> {
        let name = WalletName::parse(name)?;
        let is_few = usize::try_from(account_count).is_ok_and(|count| count <= ACCOUNTS_MAX);
        if account_count == 0 || !is_few {
            return Err(KeystoreError::AccountCount { limit: ACCOUNTS_MAX });
        }
        let _writing = self.folder.lock()?;
        let path = self.file(&name);
        // Asked first to spare the work; the write refuses again, atomically.
        if path.symlink_metadata().is_ok() {
            return Err(KeystoreError::Exists { path });
        }
        self.seal(&name, secret, account_count, password, cost, Overwrite::Never)
    }

    /// Opens a wallet's file that lies anywhere, under whatever name; it stays as it is.
    ///
    /// # Errors
    /// Those of [`Keystore::unlock`].
    pub fn open_file(path: &Path, password: &str) -> Result<Unlocked, KeystoreError> {
        match parse(path, &read_private(path)?)? {
            Envelope::Sealed(sealed) => open(path, sealed, password),
            Envelope::WatchOnly(watched) => {
                Err(KeystoreError::WatchOnly { name: watched.name.as_str().to_owned() })
            }
        }
    }

    /// Deletes a wallet's file, for ever. A file that is damaged goes too.
    ///
    /// # Errors
    /// [`KeystoreError::Missing`], a bad name, faults of the disk.
    pub fn remove(&self, name: &str) -> Result<(), KeystoreError> {
        let name = WalletName::parse(name)?;
        let _writing = self.folder.lock()?;
        self.folder.remove(&self.file(&name))
    }

    /// Every wallet, without a password. What it says is what the files say: authenticated
    /// only by [`Keystore::unlock`].
    ///
    /// # Errors
    /// Only when the folder cannot be read; what is wrong with single files is in the list.
    pub fn list(&self) -> Result<Listing, KeystoreError> {
        let mut listing = Listing { entries: Vec::new(), problems: Vec::new() };
        for path in self.folder.wallets()? {
            match self.read(&path) {
                Ok(envelope) => listing.entries.push(Entry::of(&envelope)),
                Err(problem) => listing.problems.push(problem),
            }
        }
        listing.entries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(listing)
    }

    /// Opens a wallet and derives its accounts anew.
    ///
    /// # Errors
    /// [`KeystoreError::DoesNotOpen`] for a wrong password and for a file that was changed;
    /// [`KeystoreError::WatchOnly`]; whatever reading can find wrong with the file.
    pub fn unlock(&self, name: &str, password: &str) -> Result<Unlocked, KeystoreError> {
        let path = self.file(&WalletName::parse(name)?);
        let sealed = match self.read(&path)? {
            Envelope::Sealed(sealed) => sealed,
            Envelope::WatchOnly(_) => {
                return Err(KeystoreError::WatchOnly { name: name.to_owned() });
            }
        };
        open(&path, sealed, password)
    }

    /// Seals a wallet anew under another password or cost.
    ///
    /// # Errors
    /// Those of [`Keystore::unlock`] and [`Keystore::create`]; the old file stays until the
    /// new one is on the disk.
    pub fn change_password(
        &self,
        name: &str,
        old_password: &str,
        new_password: &str,
        cost: KdfCost,
    ) -> Result<Entry, KeystoreError> {
        let wallet_name = WalletName::parse(name)?;
        let _writing = self.folder.lock()?;
        let unlocked = self.unlock(name, old_password)?;
        let count = unlocked.account_count();
        self.seal(&wallet_name, unlocked.secret(), count, new_password, cost, Overwrite::Yes)
    }

    /// Derives the wallet's next account and lists it in the file, sealed at the same cost.
    ///
    /// # Errors
    /// Those of [`Keystore::unlock`]; [`KeystoreError::AccountsFull`].
    pub fn add_account(&self, name: &str, password: &str) -> Result<Entry, KeystoreError> {
        let wallet_name = WalletName::parse(name)?;
        let _writing = self.folder.lock()?;
        let path = self.file(&wallet_name);
        let Envelope::Sealed(sealed) = self.read(&path)? else {
            return Err(KeystoreError::WatchOnly { name: name.to_owned() });
        };
        let cost = sealed.header.cost;
        let unlocked = open(&path, sealed, password)?;
        let count = unlocked.account_count().saturating_add(1);
        if unlocked.keys().len() >= ACCOUNTS_MAX {
            return Err(KeystoreError::AccountsFull { name: name.to_owned(), limit: ACCOUNTS_MAX });
        }
        self.seal(&wallet_name, unlocked.secret(), count, password, cost, Overwrite::Yes)
    }

    /// Adds a wallet that shows an account and cannot sign for it.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`], a bad name, faults of the disk.
    pub fn add_watch_only(&self, name: &str, account: AccountId) -> Result<Entry, KeystoreError> {
        let name = WalletName::parse(name)?;
        let _writing = self.folder.lock()?;
        let envelope = Envelope::watch_only(name, account);
        self.write(&envelope, Overwrite::Never)?;
        Ok(Entry::of(&envelope))
    }

    fn file(&self, name: &WalletName) -> PathBuf {
        self.folder.path().join(format!("{}.json", name.as_str()))
    }

    /// Reads a file and checks all that needs no password.
    fn read(&self, path: &Path) -> Result<Envelope, KeystoreError> {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = WalletName::parse(stem);
        let envelope = parse(path, &read_private(path)?)?;
        // A file under another's name would show that one's balance and receive its money.
        if name.as_ref() != Ok(envelope.name()) {
            let reason = format!(
                "it is the wallet {:?} under another name; rename it to {:?}",
                envelope.name().as_str(),
                format!("{}.json", envelope.name().as_str())
            );
            return Err(KeystoreError::damaged(path, reason));
        }
        Ok(envelope)
    }

    fn write(&self, envelope: &Envelope, overwrite: Overwrite) -> Result<(), KeystoreError> {
        let path = self.file(envelope.name());
        let text = envelope.to_json().map_err(|error| KeystoreError::damaged(&path, error))?;
        self.folder.write(&path, &text, overwrite)
    }

    /// Seals under a fresh salt and nonce, and writes.
    fn seal(
        &self,
        name: &WalletName,
        secret: &Secret,
        account_count: u32,
        password: &str,
        cost: KdfCost,
        overwrite: Overwrite,
    ) -> Result<Entry, KeystoreError> {
        if password.is_empty() {
            return Err(KeystoreError::EmptyPassword);
        }
        cost.check().map_err(KeystoreError::Cost)?;
        let path = self.file(name);
        let accounts = records(&derive(&path, &seed_of(secret), account_count)?);
        let public_words = matches!(secret, Secret::Words(words) if words.is_test());
        let unsafe_test = cost.is_unsafe() || public_words;
        let (salt, nonce) = (random::bytes()?, random::bytes()?);
        let header = Header::new(name.clone(), unsafe_test, cost, (*salt, *nonce), accounts);
        let authenticated =
            header.authenticated().map_err(|error| KeystoreError::damaged(&path, error))?;
        let lock = Lock { password, cost, salt: &salt, nonce: &nonce };
        let ciphertext = lock
            .seal(secret, account_count, &authenticated)
            .map_err(|error| seal_fault(&path, &lock, error))?;
        let envelope = Envelope::sealed(header, ciphertext);
        self.write(&envelope, overwrite)?;
        Ok(Entry::of(&envelope))
    }
}

/// Reads a file's text and checks all that needs no password, its name aside.
fn parse(path: &Path, text: &[u8]) -> Result<Envelope, KeystoreError> {
    Envelope::parse(text).map_err(|error| match error {
        EnvelopeError::Newer(version) => {
            KeystoreError::Newer { path: path.to_owned(), version, known: VERSION }
        }
        EnvelopeError::Damaged(reason) => KeystoreError::damaged(path, reason),
    })
}
