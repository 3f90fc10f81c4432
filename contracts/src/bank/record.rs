//! The rows of locks, and how a secret is hashed.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::codec::decode;
use ddt_ledger::schema::Choice;
use ddt_ledger::table::{Key, ROW_BYTES_MAX, Table};
use ddt_ledger::{AccountId, Amount, Hash, Millis};
use sha2::{Digest, Sha256};

pub(crate) const LOCKS_ID: u16 = 260;
pub(crate) const ACCOUNT_INDEX: u16 = 260;
pub(crate) const HASH_INDEX: u16 = 261;

/// Locks by their id: the id of the event that made them, which is also their hold's key.
pub(crate) static LOCKS: Table<Hash, LockRow> = Table::new(LOCKS_ID);

/// Coins under a hash and a time.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LockRow {
    /// Who paid in, and is refunded.
    pub from: AccountId,
    /// Whom a claim pays.
    pub to: AccountId,
    /// How much was locked.
    pub amount: Amount,
    /// SHA-256 of the secret.
    pub hash: Hash,
    /// The deadline by people's clock, as it was agreed.
    pub deadline: Millis,
    /// The epoch clock at which the ledger refunds.
    pub refund_at: Millis,
    /// The anchor it was made in.
    pub height: u64,
    /// Whether and how it ended.
    pub state: LockState,
}

/// Whether and how a lock ended. One that ended keeps its row for a while, so that whoever
/// waits for the secret can read it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LockState {
    /// It holds its coins.
    Open,
    /// Somebody showed the secret.
    Claimed {
        /// What was shown.
        secret: Hash,
        /// The epoch clock at which the row is removed.
        removed_at: Millis,
    },
    /// Nobody did in time.
    Refunded {
        /// The epoch clock at which the row is removed.
        removed_at: Millis,
    },
    /// The receiver declined.
    GivenBack {
        /// The epoch clock at which the row is removed.
        removed_at: Millis,
    },
}

/// A lock's state in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LockStatus {
    /// It holds its coins.
    Open,
    /// Somebody showed the secret.
    Claimed,
    /// Nobody did in time.
    Refunded,
    /// The receiver declined.
    GivenBack,
}

impl Choice for LockStatus {
    const WORDS: &'static [&'static str] = &["open", "claimed", "refunded", "given_back"];
    const ALL: &'static [LockStatus] =
        &[LockStatus::Open, LockStatus::Claimed, LockStatus::Refunded, LockStatus::GivenBack];
}

impl LockState {
    /// In one word.
    pub fn status(&self) -> LockStatus {
        match self {
            LockState::Open => LockStatus::Open,
            LockState::Claimed { .. } => LockStatus::Claimed,
            LockState::Refunded { .. } => LockStatus::Refunded,
            LockState::GivenBack { .. } => LockStatus::GivenBack,
        }
    }

    /// The secret, once somebody showed it.
    pub fn secret(&self) -> Option<Hash> {
        match self {
            LockState::Claimed { secret, .. } => Some(*secret),
            _ => None,
        }
    }

    /// When the row is removed, on the epoch clock; `None` while the lock is open.
    pub fn removed_at(&self) -> Option<Millis> {
        match self {
            LockState::Open => None,
            LockState::Claimed { removed_at, .. }
            | LockState::Refunded { removed_at }
            | LockState::GivenBack { removed_at } => Some(*removed_at),
        }
    }
}

/// What a lock publishes of its secret: SHA-256 of the 32 bytes, which Bitcoin and its kin
/// can check too (spec BNK-5).
pub fn lock_hash(secret: &Hash) -> Hash {
    Hash(Sha256::digest(secret.as_bytes()).into())
}

/// The full key of a lock's row, for proofs.
pub(crate) fn lock_key(lock: &Hash) -> Vec<u8> {
    LOCKS.full_key(lock)
}

/// Entries of the index from accounts to their locks, in both directions, oldest first.
pub(crate) fn account_entries(lock: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(row) = decode::<LockRow>(value, ROW_BYTES_MAX) else { return Vec::new() };
    [row.from, row.to].iter().map(|account| entry(&account.0, row.height, lock)).collect()
}

/// Entries of the index from hashes to locks, oldest first.
pub(crate) fn hash_entries(lock: &[u8], value: &[u8]) -> Vec<Vec<u8>> {
    let Ok(row) = decode::<LockRow>(value, ROW_BYTES_MAX) else { return Vec::new() };
    vec![entry(&row.hash.0, row.height, lock)]
}

fn entry(first: &[u8; 32], height: u64, lock: &[u8]) -> Vec<u8> {
    let mut entry = first.to_vec();
    height.write(&mut entry);
    entry.extend_from_slice(lock);
    entry
}
