//! What can go wrong with a wallet's file, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::name::NameError;
use crate::random::RandomError;

/// Why a keystore could not do what was asked. Names the file and the way out; holds nothing
/// secret.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Not a name for a wallet.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is one of that name already; it was left as it is.
    #[error("{path} exists already and was not touched; choose another name for the new wallet")]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// There is none of that name.
    #[error("there is no wallet {path}; list the wallets to see the names there are")]
    Missing {
        /// The file that is not there.
        path: PathBuf,
    },
    /// The sealed part does not open.
    #[error(
        "{path} does not open: the password is wrong, or the file was damaged or changed \
         (the two cannot be told apart). Try the password again; if it is surely right, put \
         back a copy of the file or import the wallet from its words"
    )]
    DoesNotOpen {
        /// The wallet's file.
        path: PathBuf,
    },
    /// Not a wallet's file, or one that was damaged.
    #[error(
        "{path} is damaged: {reason}. Put back a copy of the file or import the wallet from \
         its words"
    )]
    Damaged {
        /// The wallet's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a version of the wallet that came later.
    #[error(
        "{path} has version {version} and this programme reads version {known}; update it to \
         open this wallet"
    )]
    Newer {
        /// The wallet's file.
        path: PathBuf,
        /// The file's version.
        version: u64,
        /// The newest version read here.
        known: u64,
    },
    /// Others on this machine could read or replace it.
    #[error("{path} is open to other users (mode {mode:04o}); close it: chmod {wanted:o} '{path}'")]
    TooOpen {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The permission bits it should have.
        wanted: u32,
    },
    /// A folder, a link, a device: never opened.
    #[error("{path} is {found}, and a {wanted} is wanted; move it away")]
    WrongKind {
        /// What was looked at.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The cost asked for is out of bounds.
    #[error("the password's cost is out of bounds: {0}")]
    Cost(&'static str),
    /// A password is needed to seal a wallet.
    #[error("the password is empty; choose one, whoever has the file could open it otherwise")]
    EmptyPassword,
    /// The wallet only watches: it has no secret.
    #[error(
        "the wallet {name} only watches its account and cannot sign: it holds no key. Use the \
         wallet with the account's words, or import them"
    )]
    WatchOnly {
        /// The wallet.
        name: String,
    },
    /// The wallet has as many accounts as a file may list.
    #[error("the wallet {name} has {limit} accounts, as many as a wallet may have")]
    AccountsFull {
        /// The wallet.
        name: String,
        /// How many those are.
        limit: usize,
    },
    /// None, or more accounts than a file may list, are asked for.
    #[error("a wallet has 1 to {limit} accounts; ask for as many as that")]
    AccountCount {
        /// How many it may have.
        limit: usize,
    },
    /// Too little memory for the password's cost.
    #[error("not enough memory: opening this wallet needs {memory_kib} KiB; close something")]
    Memory {
        /// What the password's cost needs.
        memory_kib: u32,
    },
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The disk or the operating system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl KeystoreError {
    /// Whether the file with this path is what the error is about.
    pub fn is_about(&self, file: &Path) -> bool {
        match self {
            KeystoreError::Exists { path }
            | KeystoreError::Missing { path }
            | KeystoreError::DoesNotOpen { path }
            | KeystoreError::Damaged { path, .. }
            | KeystoreError::Newer { path, .. }
            | KeystoreError::TooOpen { path, .. }
            | KeystoreError::WrongKind { path, .. }
            | KeystoreError::Io { path, .. } => path == file,
            _ => false,
        }
    }

    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        KeystoreError::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        KeystoreError::Io { doing, path: path.to_owned(), source }
    }
}
