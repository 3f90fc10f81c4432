//! Validators, their votes, and the certificates that prove what they decided.
//!
//! The signed bytes of a vote live here, beside the rule that checks them, because a proof
//! must be verifiable offline without the consensus engine (spec CON-1 … CON-4).

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::hash::{Domain, Hash};
use crate::ids::{ChainId, Zone};
use crate::key::{PublicKey, Signature, all_verify};

/// At most this many validators decide anchors; one vote each.
pub const VALIDATORS_MAX: usize = 100;

/// A router that votes on anchors.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Validator {
    /// The zone it governs.
    pub zone: Zone,
    /// Signs lane blocks, soft receipts, time statements and votes, each in its own domain.
    pub key: PublicKey,
    /// schnorrkel public key of its VRF, derived separately from `key`.
    pub vrf_key: PublicKey,
}

impl Validator {
    /// Its 20-byte address inside consensus.
    pub fn address(&self) -> ValidatorAddress {
        ValidatorAddress::of(&self.key)
    }
}

/// The first 20 bytes of a hash of a validator's key.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct ValidatorAddress(pub [u8; 20]);

impl ValidatorAddress {
    /// The address of `key`.
    pub fn of(key: &PublicKey) -> ValidatorAddress {
        let hash = Domain::VALIDATOR_ADDRESS.hash(&[&key.0]);
        let mut address = [0; 20];
        for (to, from) in address.iter_mut().zip(hash.0) {
            *to = from;
        }
        ValidatorAddress(address)
    }
}

/// The validators of one height, ordered as the state keeps them (by zone).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct ValidatorSet(pub Vec<Validator>);

impl ValidatorSet {
    /// What anchors commit to.
    pub fn hash(&self) -> Hash {
        Domain::VALIDATOR_SET.hash(&[&crate::codec::encode(self)])
    }

    /// The validator with this address.
    pub fn find(&self, address: &ValidatorAddress) -> Option<&Validator> {
        self.0.iter().find(|validator| validator.address() == *address)
    }

    /// Votes needed to decide: more than two thirds.
    pub fn quorum(&self) -> usize {
        (self.0.len().saturating_mul(2) / 3).saturating_add(1)
    }
}

/// Prevote or precommit, as in Tendermint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum VoteKind {
    /// First round of voting.
    Prevote,
    /// Second round; 2f+1 of them for one value decide it.
    Precommit,
}

/// What a validator says when it votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct VoteStatement {
    /// The chain.
    pub chain: ChainId,
    /// In which part of the round.
    pub kind: VoteKind,
    /// For the anchor of this height.
    pub height: u64,
    /// In this round.
    pub round: u32,
    /// For which; `None` for none.
    pub anchor: Option<Hash>,
    /// Whose vote.
    pub voter: ValidatorAddress,
}

impl VoteStatement {
    /// What is signed.
    pub fn digest(&self) -> Hash {
        Domain::VOTE.hash(&[&crate::codec::encode(self)])
    }
}

/// What a validator signs when it votes. `anchor` is `None` for nil.
pub fn vote_digest(
    chain: ChainId,
    kind: VoteKind,
    height: u64,
    round: u32,
    anchor: Option<Hash>,
    voter: ValidatorAddress,
) -> Hash {
    VoteStatement { chain, kind, height, round, anchor, voter }.digest()
}

/// 2f+1 precommits for one anchor.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Certificate {
    /// Height decided.
    pub height: u64,
    /// Round in which it was decided.
    pub round: u32,
    /// Id of the anchor decided.
    pub anchor: Hash,
    /// Who signed, and their precommit signatures.
    pub signatures: Vec<CertificateSignature>,
}

/// One precommit of a certificate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub struct CertificateSignature {
    /// The validator's key (it must be of the set).
    pub key: PublicKey,
    /// Over [`vote_digest`] of a precommit.
    pub signature: Signature,
}

/// Why a certificate proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A signer is not of the set, or signed twice.
    #[error("a signer is not in the validator set, or appears twice")]
    Signer,
    /// Fewer than 2f+1 signatures.
    #[error("fewer than two thirds of the validators signed")]
    Quorum,
    /// A signature does not verify.
    #[error("a validator's signature does not verify")]
    Signature,
}

impl Certificate {
    /// Checks that more than two thirds of `set` signed this anchor (spec CON-3).
    pub fn verify(&self, chain: ChainId, set: &ValidatorSet) -> Result<(), CertificateError> {
        let mut seen = std::collections::BTreeSet::new();
        let mut items = Vec::with_capacity(self.signatures.len().min(VALIDATORS_MAX));
        for entry in &self.signatures {
            let known = set.0.iter().any(|validator| validator.key == entry.key);
            if !known || !seen.insert(entry.key) {
                return Err(CertificateError::Signer);
            }
            let voter = ValidatorAddress::of(&entry.key);
            let digest = vote_digest(
                chain,
                VoteKind::Precommit,
                self.height,
                self.round,
                Some(self.anchor),
                voter,
            );
            items.push((entry.key, digest, entry.signature));
        }
        if items.len() < set.quorum() {
            return Err(CertificateError::Quorum);
        }
        if all_verify(&items) { Ok(()) } else { Err(CertificateError::Signature) }
    }
}
