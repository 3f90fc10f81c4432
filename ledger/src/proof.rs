//! Proofs that anyone can check offline with nothing but the genesis file.
//!
//! State root h stands in anchor h+1, which 2f+1 validators signed. Their set is genesis's,
//! followed through every handover since (spec PRF-1 … PRF-6). A verifier trusts that fewer
//! than a third of each set was ever malicious, and nothing else.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::anchor::{ANCHOR_BYTES_MAX, AnchorBody};
use crate::certificate::{Certificate, CertificateError, ValidatorSet};
use crate::genesis::{Genesis, GenesisError};
use crate::hash::Hash;
use crate::ids::ChainId;
use crate::merkle::ListProof;
use crate::receipt::{RECEIPT_BYTES_MAX, Receipt};
use crate::state::TreeProof;

/// The version of proofs that this code writes and reads.
pub const PROOF_VERSION: u32 = 1;

/// Bytes shown as hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Hex(pub Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        hex::decode(text).map(Hex).map_err(serde::de::Error::custom)
    }
}

/// An anchor as it was decided.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertifiedAnchor {
    /// The body's canonical bytes.
    pub body: Hex,
    /// 2f+1 precommits for it.
    pub certificate: Certificate,
}

/// An anchor that named another validator set for the one after it, and that set.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// Signed by the set before.
    pub anchor: CertifiedAnchor,
    /// The set after.
    pub validators: ValidatorSet,
}

/// What is proven.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Claim {
    /// A row of the state, or its absence.
    Row {
        /// The row's full key.
        key: Hex,
        /// Its value; absent where there is no such row.
        value: Option<Hex>,
        /// Through the state tree.
        path: TreeProof,
    },
    /// A receipt.
    Receipt {
        /// Its canonical bytes.
        receipt: Hex,
        /// Through the anchor's receipts.
        path: ListProof,
    },
}

/// A claim about the state right after anchor `height`, with everything that proves it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// [`PROOF_VERSION`].
    pub version: u32,
    /// The chain.
    pub chain: ChainId,
    /// The anchor after which the claim holds.
    pub height: u64,
    /// Every change of validators since genesis, in order.
    pub handovers: Vec<Handover>,
    /// The anchor after that one: it names the roots.
    pub anchor: CertifiedAnchor,
    /// What is claimed.
    pub claim: Claim,
}

/// What a proof proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The chain.
    pub chain: ChainId,
    /// The anchor after which the claim holds.
    pub height: u64,
    /// The certified state root.
    pub state_root: Hash,
    /// How many validators signed, of how many.
    pub signers: (usize, usize),
    /// The receipt, where one was claimed.
    pub receipt: Option<Receipt>,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Written by another release.
    #[error("the proof's version is {0}, this program knows 1; use a matching release")]
    Version(u32),
    /// The genesis file is none.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// For another network.
    #[error("the proof is for another network than this genesis file's")]
    Chain,
    /// An anchor does not decode or is not the one it should be.
    #[error("the proof's anchor is wrong: {0}")]
    Anchor(&'static str),
    /// A certificate does not hold.
    #[error("the certificate of anchor {height} does not hold: {error}")]
    Certificate {
        /// Of which anchor.
        height: u64,
        /// Why.
        error: CertificateError,
    },
    /// The claim does not follow from the certified roots.
    #[error("the claim does not follow from the certified roots")]
    Claim,
}

impl CertifiedAnchor {
    pub(crate) fn verify(
        &self,
        chain: ChainId,
        set: &ValidatorSet,
    ) -> Result<AnchorBody, ProofError> {
        if self.body.0.len() > ANCHOR_BYTES_MAX {
            return Err(ProofError::Anchor("too long"));
        }
        let body =
            AnchorBody::decode(&self.body.0).map_err(|_| ProofError::Anchor("does not decode"))?;
        if body.chain != chain {
            return Err(ProofError::Chain);
        }
        let id = AnchorBody::id_of(&self.body.0);
        if self.certificate.anchor != id || self.certificate.height != body.height {
            return Err(ProofError::Anchor("certificate is for another"));
        }
        let verified = self.certificate.verify(chain, set);
        verified.map_err(|error| ProofError::Certificate { height: body.height, error })?;
        Ok(body)
    }
}

impl Proof {
    /// Checks the whole proof against a genesis, offline.
    pub fn verify(&self, genesis: &Genesis) -> Result<Verified, ProofError> {
        if self.version != PROOF_VERSION {
            return Err(ProofError::Version(self.version));
        }
        let state = genesis.state()?;
        if self.chain != state.chain {
            return Err(ProofError::Chain);
        }
        let mut set = state.validators;
        let mut last = 0;
        for handover in &self.handovers {
            let body = handover.anchor.verify(self.chain, &set)?;
            let is_next = body.height > last && body.height <= self.height;
            if !is_next || body.next_validators != handover.validators.hash() {
                return Err(ProofError::Anchor("handover is out of place"));
            }
            last = body.height;
            set = handover.validators.clone();
        }
        let body = self.anchor.verify(self.chain, &set)?;
        if Some(body.height) != self.height.checked_add(1) {
            return Err(ProofError::Anchor("it is not the one after the claim's height"));
        }
        let receipt = self.verify_claim(&body)?;
        Ok(Verified {
            chain: self.chain,
            height: self.height,
            state_root: body.state_root,
            signers: (self.anchor.certificate.signatures.len(), set.0.len()),
            receipt,
        })
    }

    fn verify_claim(&self, body: &AnchorBody) -> Result<Option<Receipt>, ProofError> {
        match &self.claim {
            Claim::Row { key, value, path } => {
                let value = value.as_ref().map(|value| value.0.as_slice());
                match path.verify(&body.state_root, &key.0, value) {
                    true => Ok(None),
                    false => Err(ProofError::Claim),
                }
            }
            Claim::Receipt { receipt, path } => {
                if !path.verify(&body.receipts_root, &receipt.0) {
                    return Err(ProofError::Claim);
                }
                let receipt = crate::codec::decode(&receipt.0, RECEIPT_BYTES_MAX);
                receipt.map(Some).map_err(|_| ProofError::Claim)
            }
        }
    }
}
