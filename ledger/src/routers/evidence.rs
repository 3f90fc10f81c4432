//! Evidence: two signatures of one router for one place (spec RTR-17).

use borsh::{BorshDeserialize, BorshSerialize};

use super::record::{ClosedTerm, Router, RouterKey};
use crate::certificate::{ValidatorAddress, VoteStatement};
use crate::codec::decode;
use crate::hash::Hash;
use crate::ids::{ChainId, Millis, Zone};
use crate::key::{PublicKey, Signature};
use crate::lane::{BlockHeader, SoftReceipt};
use crate::merkle::{ListProof, ListTree};
use crate::params::Params;
use crate::schema::Choice;
use crate::system::{EPOCHS, HEAD, Lane};
use crate::table::Rows;

/// Longest first statement, in bytes.
pub const FIRST_BYTES_MAX: usize = 256;
/// Longest second one: it may say what stands in a block.
pub const SECOND_BYTES_MAX: usize = 1_024;

/// What a router may not sign twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Fault {
    /// Two headers of lane blocks for one (zone, term, height).
    Blocks,
    /// Two votes of consensus for one (height, round, kind).
    Votes,
    /// Two soft receipts of different events for one (zone, term, number).
    Receipts,
    /// A soft receipt, and the header of a block that breaks it.
    Promise,
}

impl Choice for Fault {
    const WORDS: &'static [&'static str] = &["blocks", "votes", "receipts", "promise"];
    const ALL: &'static [Fault] = &[Fault::Blocks, Fault::Votes, Fault::Receipts, Fault::Promise];
}

/// A lane block's header, and one of the events under it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Sealed {
    /// What the router signed.
    pub header: BlockHeader,
    /// The event at the promised number, if the header alone does not break the promise.
    pub event: Option<(Hash, ListProof)>,
}

impl Sealed {
    /// What of a block, whose events have these ids, breaks a promise; `None` if it keeps it,
    /// or is about something else.
    pub fn breaking(promise: &SoftReceipt, header: &BlockHeader, ids: &[Hash]) -> Option<Sealed> {
        let place = place_in(header, promise.number);
        let place = place.filter(|_| header.height == promise.height);
        let event = place.and_then(|place| {
            // Most promises are kept: no tree is made for those.
            let id = *ids.get(usize::try_from(place).ok()?).filter(|id| **id != promise.event)?;
            Some((id, ListTree::new(ids.iter().map(|id| id.0)).prove(place)?))
        });
        let sealed = Sealed { header: header.clone(), event };
        sealed.breaks(promise).then_some(sealed)
    }

    /// Whether the two cannot both be honest: the block of the promised height does not have the
    /// number, or has another event there, or the number stands in a block of another height.
    fn breaks(&self, promise: &SoftReceipt) -> bool {
        let (Sealed { header, event }, place) = (self, place_in(&self.header, promise.number));
        let lane = (header.chain, header.zone, header.term);
        let is_its_height = header.height == promise.height;
        lane == (promise.chain, promise.zone, promise.term)
            && match event {
                None => is_its_height == place.is_none(),
                Some((id, proof)) => {
                    is_its_height
                        && *id != promise.event
                        && place == Some(proof.index)
                        && proof.verify(&header.events_root, id.as_bytes())
                }
            }
    }
}

/// Where in a block a number stands, from 0.
fn place_in(header: &BlockHeader, number: u64) -> Option<u64> {
    number.checked_sub(header.first_number).filter(|place| *place < u64::from(header.count))
}

/// What was signed, and its signature.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'s> {
    /// Canonical bytes of a [`BlockHeader`], a [`VoteStatement`] or a [`SoftReceipt`]; as the
    /// second one of a broken promise, a [`Sealed`].
    pub bytes: &'s [u8],
    /// Over its id or digest.
    pub signature: Signature,
}

/// What two statements are both about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Something in a lane's term.
    Lane(Zone, u64),
    /// A vote for the anchor of this height.
    Height(u64),
}

/// Why two statements prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictError {
    /// They do not decode, are the same, or are about different places.
    Form,
    /// The key did not sign both.
    Signature,
}

/// Reads two statements that the key signed: for which chain and about which place.
pub fn conflict(
    fault: Fault,
    key: &PublicKey,
    first: Statement,
    second: Statement,
) -> Result<(ChainId, Place), ConflictError> {
    let (chain, place, digests) = match fault {
        Fault::Blocks => blocks(first.bytes, second.bytes),
        Fault::Votes => votes(key, first.bytes, second.bytes),
        Fault::Receipts => receipts(first.bytes, second.bytes),
        Fault::Promise => promise(first.bytes, second.bytes),
    }
    .ok_or(ConflictError::Form)?;
    let (one, two) = digests;
    match key.verifies(&one, &first.signature) && key.verifies(&two, &second.signature) {
        true => Ok((chain, place)),
        false => Err(ConflictError::Signature),
    }
}

type Conflict = Option<(ChainId, Place, (Hash, Hash))>;

fn read<T: BorshDeserialize>(bytes: &[u8]) -> Option<T> {
    decode(bytes, FIRST_BYTES_MAX).ok()
}

fn blocks(first: &[u8], second: &[u8]) -> Conflict {
    let (one, two): (BlockHeader, BlockHeader) = (read(first)?, read(second)?);
    let place = |header: &BlockHeader| (header.chain, header.zone, header.term, header.height);
    let is_conflict = place(&one) == place(&two) && one != two;
    is_conflict.then(|| (one.chain, Place::Lane(one.zone, one.term), (one.id(), two.id())))
}

fn votes(key: &PublicKey, first: &[u8], second: &[u8]) -> Conflict {
    let (one, two): (VoteStatement, VoteStatement) = (read(first)?, read(second)?);
    let place = |vote: &VoteStatement| (vote.chain, vote.height, vote.round, vote.kind, vote.voter);
    let is_own = one.voter == ValidatorAddress::of(key);
    let is_conflict = is_own && place(&one) == place(&two) && one.anchor != two.anchor;
    is_conflict.then(|| (one.chain, Place::Height(one.height), (one.digest(), two.digest())))
}

fn receipts(first: &[u8], second: &[u8]) -> Conflict {
    let (one, two): (SoftReceipt, SoftReceipt) = (read(first)?, read(second)?);
    let place = |soft: &SoftReceipt| (soft.chain, soft.zone, soft.term, soft.number);
    let is_conflict = place(&one) == place(&two) && one.event != two.event;
    is_conflict.then(|| (one.chain, Place::Lane(one.zone, one.term), (one.digest(), two.digest())))
}

fn promise(first: &[u8], second: &[u8]) -> Conflict {
    let soft: SoftReceipt = read(first)?;
    let sealed: Sealed = decode(second, SECOND_BYTES_MAX).ok()?;
    let place = Place::Lane(soft.zone, soft.term);
    sealed.breaks(&soft).then(|| (soft.chain, place, (soft.digest(), sealed.header.id())))
}

/// Whether a router still answers for what its key signed about a place: a lane's term that
/// the key signed and that did not close too long ago; a vote that is not too old, none after
/// the key was replaced, and none up to the anchor in which it bonded: what a key signed before
/// was the matter of an earlier bond. `clock` is the epoch clock.
pub fn is_answered_for<R: Rows + ?Sized>(
    rows: &R,
    (clock, params): (Millis, &Params),
    (key, known, router): (&PublicKey, &RouterKey, &Router),
    place: Place,
) -> bool {
    match place {
        Place::Lane(zone, term) => match Lane::read(rows, zone) {
            Some(lane) if lane.term == term => lane.is_governed && lane.key == *key,
            _ => ClosedTerm::read(rows, zone, term)
                .is_some_and(|closed| closed.key == *key && clock < closed.until),
        },
        Place::Height(height) => {
            let is_its_time = known.past.is_none_or(|past| height <= past.height);
            is_its_time
                && height > router.since
                && oldest(rows, (clock, params)).is_none_or(|oldest| height > oldest)
        }
    }
}

/// The last height of the epoch before the one in which the window begins; `None` while the
/// window reaches back to the first epoch. Every epoch that is over has a record (spec GEN-6).
fn oldest<R: Rows + ?Sized>(rows: &R, (clock, params): (Millis, &Params)) -> Option<u64> {
    let start = HEAD.get(rows, &())?.clock_start;
    let passed = clock.since(start.plus(params.router_unbond_ms));
    if passed == Millis(0) {
        return None;
    }
    let epoch = passed.0.checked_div(params.epoch_ms.0)?.checked_sub(1)?;
    EPOCHS.get(rows, &epoch).map(|record| record.height)
}
