//! What the engine is generic over: our heights, addresses, values, votes and proposals.
//!
//! The value voted on is the id of an anchor; the body travels beside it in one proposal part.

use std::fmt;
use std::sync::Arc;

use arc_malachitebft_core_types as engine;
use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::certificate::ValidatorAddress;
use ddt_ledger::{Domain, Hash, PublicKey, Signature};
use engine::{LinearTimeouts, NilOrVal, Round, SignedExtension, VoteType};

use crate::members::{Member, Members};

/// The engine, instantiated for DDT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ddt;

/// Height of an anchor. The first is 1; genesis is 0.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    BorshSerialize,
    BorshDeserialize,
)]
pub(crate) struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Height for Height {
    const ZERO: Height = Height(0);
    const INITIAL: Height = Height(1);

    fn increment_by(&self, by: u64) -> Height {
        Height(self.0.saturating_add(by))
    }

    fn decrement_by(&self, by: u64) -> Option<Height> {
        self.0.checked_sub(by).map(Height)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// Address of a validator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) struct Address(pub ValidatorAddress);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl engine::Address for Address {}

/// The value: an anchor's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Anchor(pub Hash);

impl Anchor {
    pub(crate) fn of(body: &[u8]) -> Anchor {
        Anchor(Domain::ANCHOR.hash(&[body]))
    }
}

impl engine::Value for Anchor {
    type Id = Hash;

    fn id(&self) -> Hash {
        self.0
    }
}

/// A whole anchor body, signed by the proposer of its height and round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub height: Height,
    pub round: u32,
    pub proposer: Address,
    pub body: Arc<Vec<u8>>,
    pub signature: Signature,
}

impl engine::ProposalPart<Ddt> for Part {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// A proposal of one round, as it is signed and gossiped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub height: Height,
    pub round: Round,
    pub anchor: Anchor,
    pub pol_round: Round,
    pub proposer: Address,
}

impl engine::Proposal<Ddt> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Anchor {
        &self.anchor
    }

    fn take_value(self) -> Anchor {
        self.anchor
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

/// A prevote or precommit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    pub kind: VoteType,
    pub height: Height,
    pub round: Round,
    pub anchor: NilOrVal<Hash>,
    pub voter: Address,
}

impl engine::Vote<Ddt> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Hash> {
        &self.anchor
    }

    fn take_value(self) -> NilOrVal<Hash> {
        self.anchor
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.voter
    }

    // Vote extensions are disabled by policy.
    fn extension(&self) -> Option<&SignedExtension<Ddt>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Ddt>> {
        None
    }

    fn extend(self, _: SignedExtension<Ddt>) -> Vote {
        self
    }
}

/// Ed25519 under ZIP-215. Private keys stay in [`crate::signing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ed25519;

impl engine::SigningScheme for Ed25519 {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = PublicKey;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, &'static str> {
        bytes.try_into().map(Signature).map_err(|_| "a signature has 64 bytes")
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, &'static str> {
        bytes.try_into().map(PublicKey).map_err(|_| "a public key has 32 bytes")
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.0.to_vec()
    }
}

impl engine::Context for Ddt {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = Member;
    type ValidatorSet = Members;
    type Timeouts = LinearTimeouts;
    type Value = Anchor;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Ed25519;

    fn select_proposer<'a>(&self, set: &'a Members, height: Height, round: Round) -> &'a Member {
        set.proposer(height.0, round.as_u32().unwrap_or(0))
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        anchor: Anchor,
        pol_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal { height, round, anchor, pol_round, proposer }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        anchor: NilOrVal<Hash>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, anchor, voter }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        anchor: NilOrVal<Hash>,
        voter: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, anchor, voter }
    }
}
