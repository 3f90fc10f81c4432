//! What the engine is generic over: our heights, addresses, values, votes and proposals.
//!
//! The value voted on is the id of an anchor; the body travels beside it in one proposal part.

use std::fmt;
use std::sync::Arc;

use arc_malachitebft_core_types as engine;
use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::certificate::{VALIDATORS_MAX, ValidatorAddress, ValidatorSet};
use ddt_ledger::{Domain, Hash, PublicKey, Signature};
use engine::{LinearTimeouts, NilOrVal, Round, SignedExtension, VoteType};

use crate::error::Fault;

/// The engine, instantiated for DDT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ddt;

/// Height of an anchor. The first is 1; genesis is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize,
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
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
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

/// A validator with its one vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub address: Address,
    pub key: PublicKey,
}

impl engine::Validator<Ddt> for Member {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        1
    }
}

/// The validators of a height: never none, at most [`VALIDATORS_MAX`], all different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Members {
    first: Member,
    rest: Arc<[Member]>,
}

impl Members {
    pub(crate) fn new(set: &ValidatorSet) -> Result<Members, Fault> {
        if set.0.len() > VALIDATORS_MAX {
            return Err(Fault::new(format!("{} validators, at most {VALIDATORS_MAX}", set.0.len())));
        }
        let mut seen = std::collections::BTreeSet::new();
        if !set.0.iter().all(|validator| seen.insert(validator.key)) {
            return Err(Fault::new("a validator appears twice in the set"));
        }
        let mut members = set.0.iter().map(|validator| Member {
            address: Address(validator.address()),
            key: validator.key,
        });
        let first = members.next().ok_or_else(|| Fault::new("the validator set is empty"))?;
        Ok(Members { first, rest: members.collect() })
    }

    /// Who proposes: round robin over heights and rounds.
    pub(crate) fn proposer(&self, height: u64, round: u32) -> &Member {
        let count = self.rest.len().saturating_add(1);
        // At most 100 members, so the remainder fits.
        let turn = height.wrapping_add(u64::from(round)) % count as u64;
        engine::ValidatorSet::get_by_index(self, turn as usize).unwrap_or(&self.first)
    }

    /// Votes that include at least one honest validator's: f + 1.
    pub(crate) fn one_honest(&self) -> usize {
        self.rest.len() / 3 + 1
    }
}

impl engine::ValidatorSet<Ddt> for Members {
    fn count(&self) -> usize {
        self.rest.len().saturating_add(1)
    }

    fn total_voting_power(&self) -> u64 {
        self.count() as u64
    }

    fn get_by_address(&self, address: &Address) -> Option<&Member> {
        std::iter::once(&self.first)
            .chain(self.rest.iter())
            .find(|member| member.address == *address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Member> {
        match index.checked_sub(1) {
            None => Some(&self.first),
            Some(index) => self.rest.get(index),
        }
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
