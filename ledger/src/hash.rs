//! Domain-separated BLAKE3.
//!
//! Every hash in DDT is BLAKE3 in `derive_key` mode with a context string of its own
//! ([`Domain`]), so that bytes hashed for one purpose never mean anything for another.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a hash is for. The string is the BLAKE3 `derive_key` context and is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain(pub &'static str);

impl Domain {
    /// Account ids: hash of the account's first public key.
    pub const ACCOUNT: Domain = Domain("ddt v1 account id");
    /// Chain ids: hash of the canonical genesis.
    pub const CHAIN: Domain = Domain("ddt v1 chain id");
    /// What an author signs: hash of the canonical draft.
    pub const EVENT_SIGNATURE: Domain = Domain("ddt v1 event signature");
    /// Event ids: hash of the signed bytes.
    pub const EVENT_ID: Domain = Domain("ddt v1 event id");
    /// What a router signs for a lane block; also the block's id.
    pub const LANE_BLOCK: Domain = Domain("ddt v1 lane block");
    /// What a router signs for a soft receipt.
    pub const SOFT_RECEIPT: Domain = Domain("ddt v1 soft receipt");
    /// Anchor ids, the value consensus votes on.
    pub const ANCHOR: Domain = Domain("ddt v1 anchor");
    /// What a validator signs to state its time.
    pub const TIME_STATEMENT: Domain = Domain("ddt v1 time statement");
    /// What a validator signs to vote.
    pub const VOTE: Domain = Domain("ddt v1 vote");
    /// What a validator signs to propose.
    pub const PROPOSAL: Domain = Domain("ddt v1 proposal");
    /// What a validator signs to send an anchor body.
    pub const PROPOSAL_PART: Domain = Domain("ddt v1 proposal part");
    /// What a validator signs to bind its consensus key to its transport key.
    pub const VALIDATOR_PROOF: Domain = Domain("ddt v1 validator proof");
    /// Validator addresses inside consensus.
    pub const VALIDATOR_ADDRESS: Domain = Domain("ddt v1 validator address");
    /// The hash of a whole validator set.
    pub const VALIDATOR_SET: Domain = Domain("ddt v1 validator set");
    /// The beacon of an anchor.
    pub const BEACON: Domain = Domain("ddt v1 beacon");
    /// Place of a row in the state tree.
    pub const STATE_KEY: Domain = Domain("ddt v1 state key");
    /// Value of a row in the state tree.
    pub const STATE_VALUE: Domain = Domain("ddt v1 state value");
    /// Leaf of the state tree.
    pub const STATE_LEAF: Domain = Domain("ddt v1 state leaf");
    /// Inner node of the state tree.
    pub const STATE_NODE: Domain = Domain("ddt v1 state node");
    /// The id of a snapshot's manifest.
    pub const SNAPSHOT: Domain = Domain("ddt v1 snapshot");
    /// Leaf of a list's Merkle tree.
    pub const LIST_LEAF: Domain = Domain("ddt v1 list leaf");
    /// Inner node of a list's Merkle tree.
    pub const LIST_NODE: Domain = Domain("ddt v1 list node");
    /// Root of a list's Merkle tree, with its length.
    pub const LIST_ROOT: Domain = Domain("ddt v1 list root");

    /// Hashes the concatenation of `parts`. Callers pass parts of fixed length,
    /// or one canonical encoding, so that no two inputs concatenate alike.
    pub fn hash(self, parts: &[&[u8]]) -> Hash {
        // At once: a hasher is two kilobytes that would be made and moved for every short input.
        match parts {
            [whole] => Hash(blake3::derive_key(self.0, whole)),
            parts => Hash(blake3::derive_key(self.0, &parts.concat())),
        }
    }

    /// The 32-byte key of this domain, for keyed hashing of short inputs where deriving
    /// the context every time would double the work.
    pub fn key(self) -> [u8; 32] {
        *blake3::Hasher::new_derive_key(self.0).finalize().as_bytes()
    }
}

/// 32 bytes of BLAKE3, shown as lower-case hex.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Thirty-two zero bytes: "nothing before this".
    pub const ZERO: Hash = Hash([0; 32]);

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Hash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Hash(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        Hash::from_hex(&text).ok_or_else(|| serde::de::Error::custom("want 64 hex digits"))
    }
}
