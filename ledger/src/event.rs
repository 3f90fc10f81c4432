//! Events: Draft → Signed → Checked.
//!
//! A [`Draft`] is what an author intends, a [`Signed`] is what travels, and a [`Checked`]
//! is the proof, by its private field, that everything decidable without state was checked.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::codec::{CodecError, decode, encode};
use crate::guard::guarded;
use crate::hash::{Domain, Hash};
use crate::ids::{AccountId, ChainId, Millis};
use crate::key::{PublicKey, Signature};
use crate::refusal::Refusal;
use crate::registry::{Registry, Row};
use crate::schema::Bytes;

/// The version of the event format that this code writes and reads.
pub const EVENT_VERSION: u8 = 1;
/// Longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// Longest signed event, in bytes.
pub const EVENT_BYTES_MAX: usize = BODY_BYTES_MAX + 256;
/// How far ahead of anchor time `valid_until` may lie: 7 days, in milliseconds.
pub const VALIDITY_MS_MAX: u64 = 7 * 24 * 3_600_000;
/// How far ahead of anchor time a nonce may lie: 10 minutes, in microseconds.
pub const NONCE_AHEAD_US_MAX: u64 = 600_000_000;

crate::refusals! {
    VERSION = "event.version", "The event's format version is not 1; use a matching release.";
    CHAIN = "event.chain", "The event was signed for another chain; sign it for this one.";
    TOO_LONG = "event.too_long", "The event is longer than 16,640 bytes; make it smaller.";
    MALFORMED = "event.malformed",
        "The bytes are no event: cut short, or with something after its end.";
    UNKNOWN_TAG = "event.unknown_tag", "This network has no event with that tag.";
    BODY = "event.body", "The body does not decode as this tag's fields.";
    ROLE = "event.role", "This event may not be signed in that role.";
    SIGNATURE = "event.signature", "The signature is not the author key's for these bytes.";
    NONCE_USED = "event.nonce_used", "This nonce was used already; sign again with a new one.";
    NONCE_OLD = "event.nonce_old",
        "The nonce lies below the 32 highest used ones; sign again with a newer one.";
    NONCE_AHEAD = "event.nonce_ahead",
        "The nonce lies over 10 minutes ahead; use the present time in microseconds.";
    EXPIRED = "event.expired", "valid_until has passed; sign again.";
    VALIDITY = "event.validity", "valid_until lies over 7 days ahead; choose an earlier time.";
    KEY = "event.key", "The key is not the author's current key for that role.";
    ACCOUNT = "event.account", "The author has no account yet: it opens with its first payment.";
    TICKET = "event.ticket",
        "That ticket is not open: it was used or never reserved; sign with another one.";
    STAMP = "event.stamp",
        "The stamp's work is not done for this author, event, nonce and period; make a new one.";
    STAMP_OLD = "event.stamp_old", "The stamp's period has passed; make a new one.";
    FEE = "event.fee", "The fee cannot be paid from the author's balance or allowance.";
}

/// In what capacity a key signs for its author.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub enum Role {
    /// The account's own key: may move its money.
    Owner,
    /// A running node's hot key: duties only, paid from a prepaid allowance.
    Node,
    /// A router's hot key: duties only, paid from a prepaid allowance.
    Router,
}

impl crate::schema::Choice for Role {
    const WORDS: &'static [&'static str] = &["owner", "node", "router"];
    const ALL: &'static [Role] = &[Role::Owner, Role::Node, Role::Router];
}

/// An unsigned intention of one account.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Draft {
    /// [`EVENT_VERSION`].
    pub version: u8,
    /// For which chain.
    pub chain: ChainId,
    /// Whose intention.
    pub author: AccountId,
    /// The key that signs.
    pub key: PublicKey,
    /// In which capacity.
    pub role: Role,
    /// Chosen by the client, Unix microseconds by default; each is used once. Below
    /// [`TICKET_NONCE_END`](crate::tickets::TICKET_NONCE_END): a ticket of the account's.
    pub nonce: u64,
    /// Anchor time from which the event is void.
    pub valid_until: Millis,
    /// Which event of the registry.
    pub tag: u16,
    /// Its fields, canonically encoded.
    pub body: Bytes<BODY_BYTES_MAX>,
}

impl Draft {
    /// What the author's key signs (spec EVT-2).
    pub fn digest(&self) -> Hash {
        Domain::EVENT_SIGNATURE.hash(&[&encode(self)])
    }

    /// The event with its signature.
    pub fn signed(self, signature: Signature) -> Signed {
        Signed { draft: self, signature }
    }
}

/// What travels: a draft and its signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signed {
    /// The intention.
    pub draft: Draft,
    /// Of the draft's key over [`Draft::digest`].
    pub signature: Signature,
}

impl Signed {
    /// Reads canonical bytes; names what is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Signed, Refusal> {
        if bytes.first().is_some_and(|version| *version != EVENT_VERSION) {
            return Err(VERSION);
        }
        decode(bytes, EVENT_BYTES_MAX).map_err(|error| match error {
            CodecError::TooLong { .. } => TOO_LONG,
            _ => MALFORMED,
        })
    }

    /// The event's id: the hash of all its bytes.
    pub fn id(&self) -> Hash {
        Domain::EVENT_ID.hash(&[&encode(self)])
    }
}

/// A signed event whose signature, format and body were checked: its existence is the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    signed: Signed,
    id: Hash,
    bytes: Vec<u8>,
}

impl Checked {
    /// Checks everything about `bytes` that needs no state (spec EVT-1 … EVT-6).
    pub fn check(bytes: &[u8], chain: ChainId, registry: &Registry) -> Result<Self, Refusal> {
        let (checked, item) = Checked::check_unsigned(bytes.to_vec(), chain, registry)?;
        let (key, digest, signature) = item;
        if key.verifies(&digest, &signature) { Ok(checked) } else { Err(SIGNATURE) }
    }

    /// All checks but the signature's, which the caller must make on the returned item.
    pub(crate) fn check_unsigned(
        bytes: Vec<u8>,
        chain: ChainId,
        registry: &Registry,
    ) -> Result<(Self, (PublicKey, Hash, Signature)), Refusal> {
        let signed = Signed::decode(&bytes)?;
        let draft = &signed.draft;
        if draft.chain != chain {
            return Err(CHAIN);
        }
        let row = registry.row(draft.tag).ok_or(UNKNOWN_TAG)?;
        if !row.signer.allows(draft.role) {
            return Err(ROLE);
        }
        guarded(|| (row.check)(draft.body.as_slice()))??;
        // The bytes are the draft's and then the signature's: there is one encoding.
        let signed_part = bytes.split_last_chunk::<64>().map_or(&bytes[..], |(draft, _)| draft);
        let digest = Domain::EVENT_SIGNATURE.hash(&[signed_part]);
        let item = (draft.key, digest, signed.signature);
        let id = Domain::EVENT_ID.hash(&[&bytes]);
        Ok((Checked { signed, id, bytes }, item))
    }

    /// The intention.
    pub fn draft(&self) -> &Draft {
        &self.signed.draft
    }

    /// The event's id.
    pub fn id(&self) -> Hash {
        self.id
    }

    /// Its canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its row in the registry.
    pub fn row(&self, registry: &Registry) -> Option<&'static Row> {
        registry.row(self.signed.draft.tag)
    }
}
