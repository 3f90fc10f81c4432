//! Receipts: what an event, or the ledger's own work, did.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::amount::Amount;
use crate::book::Posting;
use crate::hash::Hash;
use crate::ids::{AccountId, Zone};

/// The version of receipts that this code writes.
pub const RECEIPT_VERSION: u8 = 1;
/// Longest receipt, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 1024 * 1024;

/// What one event, or one piece of the ledger's own work, did in its anchor.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    pub version: u8,
    /// The anchor.
    pub height: u64,
    /// Its place among the anchor's receipts, from 0.
    pub index: u32,
    /// Of what.
    pub subject: Subject,
    /// How it ended.
    pub outcome: Outcome,
    /// Fee paid.
    pub fee: Amount,
    /// Every movement of money, the fee's included.
    pub postings: Vec<Posting>,
}

/// What a receipt is about.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Subject {
    /// An event.
    Event(EventPlace),
    /// A deadline that the ledger ran.
    Deadline {
        /// Which, by tag.
        tag: u16,
        /// For which row, in hex where shown.
        #[serde(serialize_with = "hex::serde::serialize")]
        key: Vec<u8>,
    },
    /// The sharing-out of a zone's fees.
    Fees {
        /// The zone.
        zone: Zone,
    },
}

/// Which event, and where its bytes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct EventPlace {
    /// Its id.
    pub id: Hash,
    /// Its author.
    pub author: AccountId,
    /// Its tag.
    pub tag: u16,
    /// Its zone.
    pub zone: Zone,
    /// Its sequence number.
    pub number: u64,
    /// The lane's term.
    pub term: u64,
    /// The lane block's height in the term.
    pub block: u64,
    /// Its place in the block.
    pub place: u32,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "code")]
pub enum Outcome {
    /// As intended.
    Done,
    /// A rule said no: nothing changed but fee and nonce.
    Refused(String),
    /// It should not have been sequenced: nothing changed at all.
    Void(String),
    /// A programme's own mistake, undone like a refusal, and an alarm for its engineers.
    Bug(String),
}

impl Receipt {
    /// The accounts whose history this receipt belongs to, without repetition.
    pub fn accounts(&self) -> std::collections::BTreeSet<AccountId> {
        use crate::book::Party;
        let mut accounts = std::collections::BTreeSet::new();
        if let Subject::Event(place) = &self.subject {
            accounts.insert(place.author);
        }
        for party in self.postings.iter().flat_map(|posting| [&posting.from, &posting.to]) {
            match party {
                Party::Account(id) => accounts.insert(*id),
                Party::Allowance { account, .. } => accounts.insert(*account),
                _ => false,
            };
        }
        accounts
    }
}
