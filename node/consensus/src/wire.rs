//! The stable shape of everything that goes over the mesh or into the WAL.
//!
//! These are ours, not the engine's: an engine update cannot change what is on a disk.
//! Every list, height and round has its limit, checked while it is read.

use std::io::{Error, ErrorKind, Read, Result};

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::certificate::VALIDATORS_MAX;
use ddt_ledger::{Hash, Signature};

use crate::application::BODY_BYTES_MAX;
use crate::context::Address;

/// More heights than there will be: keeps every sum far from overflow.
const HEIGHT_MAX: u64 = 1 << 60;
/// More rounds than a height can have before somebody repairs the network.
const ROUND_MAX: u32 = 1 << 24;
/// Votes in a certificate for entering a round: both kinds of every validator.
pub(crate) const ROUND_VOTES_MAX: usize = 2 * VALIDATORS_MAX;
/// Values in one answer of a sync.
pub(crate) const SYNC_VALUES_MAX: usize = 64;
/// Bytes of a peer id or stream id.
const ID_BYTES_MAX: usize = 64;

fn refused(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// A height from outside.
#[derive(Clone, Copy, Debug, BorshSerialize)]
pub(crate) struct At(pub u64);

impl BorshDeserialize for At {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<At> {
        let height = u64::deserialize_reader(reader)?;
        if height <= HEIGHT_MAX { Ok(At(height)) } else { Err(refused("height out of range")) }
    }
}

/// A round from outside.
#[derive(Clone, Copy, Debug, BorshSerialize)]
pub(crate) struct Turn(pub u32);

impl BorshDeserialize for Turn {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Turn> {
        let round = u32::deserialize_reader(reader)?;
        if round <= ROUND_MAX { Ok(Turn(round)) } else { Err(refused("round out of range")) }
    }
}

/// At most `MAX` of something.
#[derive(Clone, Debug, BorshSerialize)]
pub(crate) struct List<T, const MAX: usize>(pub Vec<T>);

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for List<T, MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<List<T, MAX>> {
        let count = u32::deserialize_reader(reader)?;
        if !usize::try_from(count).is_ok_and(|count| count <= MAX) {
            return Err(refused("list too long"));
        }
        (0..count).map(|_| T::deserialize_reader(reader)).collect::<Result<Vec<T>>>().map(List)
    }
}

/// Bytes, at most `MAX`. Read in one piece, but never more than the input holds.
#[derive(Clone, Debug, BorshSerialize)]
pub(crate) struct Bytes<const MAX: usize>(pub Vec<u8>);

impl<const MAX: usize> BorshDeserialize for Bytes<MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Bytes<MAX>> {
        let bytes = Vec::<u8>::deserialize_reader(reader)?;
        if bytes.len() <= MAX { Ok(Bytes(bytes)) } else { Err(refused("too many bytes")) }
    }
}

pub(crate) type Id = Bytes<ID_BYTES_MAX>;
pub(crate) type Body = Bytes<BODY_BYTES_MAX>;
pub(crate) type Signers = List<(Address, Signature), VALIDATORS_MAX>;

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Kind {
    Prevote,
    Precommit,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Vote {
    pub kind: Kind,
    pub height: At,
    pub round: Turn,
    pub anchor: Option<Hash>,
    pub voter: Address,
    pub signature: Signature,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Proposal {
    pub height: At,
    pub round: Turn,
    pub anchor: Hash,
    pub pol_round: Option<Turn>,
    pub proposer: Address,
    pub signature: Signature,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Signed {
    Vote(Vote),
    Proposal(Proposal),
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Part {
    pub height: At,
    pub round: Turn,
    pub proposer: Address,
    pub body: Body,
    pub signature: Signature,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Stream {
    pub id: Id,
    pub sequence: u64,
    pub part: Option<Part>,
}

/// 2f+1 votes for one anchor: prevotes make a polka, precommits a commit.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Certificate {
    pub height: At,
    pub round: Turn,
    pub anchor: Hash,
    pub signatures: Signers,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct RoundVote {
    pub kind: Kind,
    pub anchor: Option<Hash>,
    pub voter: Address,
    pub signature: Signature,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum RoundReason {
    Skip,
    Precommit,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct RoundCertificate {
    pub height: At,
    pub round: Turn,
    pub reason: RoundReason,
    pub votes: List<RoundVote, ROUND_VOTES_MAX>,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) enum Liveness {
    Vote(Vote),
    Polka(Certificate),
    Round(RoundCertificate),
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Proposed {
    pub height: At,
    pub round: Turn,
    pub valid_round: Option<Turn>,
    pub proposer: Address,
    pub anchor: Hash,
    pub valid: bool,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Status {
    pub peer: Id,
    pub tip: At,
    pub history_min: At,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Request {
    pub first: At,
    pub last: At,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Decided {
    pub body: Body,
    pub certificate: Certificate,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Response {
    pub first: At,
    pub values: List<Decided, SYNC_VALUES_MAX>,
}

#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Proof {
    pub key: Id,
    pub peer: Id,
    pub signature: Signature,
}
