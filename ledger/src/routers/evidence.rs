//! Evidence: two signatures of one router for one place (spec RTR-17).

use borsh::{BorshDeserialize, BorshSerialize};

use super::record::{ClosedTerm, Router, RouterKey};
use crate::certificate::{ValidatorAddress, VoteStatement};
use crate::codec::decode;
use crate::context::Context;
use crate::hash::Hash;
use crate::ids::{ChainId, Millis, Zone};
use crate::key::{PublicKey, Signature};
use crate::lane::{BlockHeader, SoftReceipt};
use crate::schema::Choice;
use crate::system::{EPOCHS, HEAD, Lane};
use crate::table::Rows;

/// Longest statement, in bytes.
const STATEMENT_BYTES_MAX: usize = 256;

/// What a router may not sign twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Fault {
    /// Two headers of lane blocks for one (zone, term, height).
    Blocks,
    /// Two votes of consensus for one (height, round, kind).
    Votes,
    /// Two soft receipts of different events for one (zone, term, number).
    Receipts,
}

impl Choice for Fault {
    const WORDS: &'static [&'static str] = &["blocks", "votes", "receipts"];
    const ALL: &'static [Fault] = &[Fault::Blocks, Fault::Votes, Fault::Receipts];
}

/// What was signed, and its signature.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'s> {
    /// Canonical bytes of a [`BlockHeader`], a [`VoteStatement`] or a [`SoftReceipt`].
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
    decode(bytes, STATEMENT_BYTES_MAX).ok()
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

/// Whether a router still answers for what its key signed about a place: a lane's term that
/// the key signed and that did not close too long ago; a vote that is not too old, none after
/// the key was replaced, and none up to the anchor in which it bonded: what a key signed before
/// was the matter of an earlier bond.
pub fn is_answered_for<R: Rows + ?Sized>(
    rows: &R,
    cx: &Context,
    (key, known, router): (&PublicKey, &RouterKey, &Router),
    place: Place,
) -> bool {
    match place {
        Place::Lane(zone, term) => match Lane::read(rows, zone) {
            Some(lane) if lane.term == term => lane.is_governed && lane.key == *key,
            _ => ClosedTerm::read(rows, zone, term)
                .is_some_and(|closed| closed.key == *key && cx.clock < closed.until),
        },
        Place::Height(height) => {
            let is_its_time = known.past.is_none_or(|past| height <= past.height);
            is_its_time
                && height > router.since
                && oldest(rows, cx).is_none_or(|oldest| height > oldest)
        }
    }
}

/// The last height of the epoch before the one in which the window begins; `None` while the
/// window reaches back to the first epoch. Every epoch that is over has a record (spec GEN-6).
fn oldest<R: Rows + ?Sized>(rows: &R, cx: &Context) -> Option<u64> {
    let start = HEAD.get(rows, &())?.clock_start;
    let passed = cx.clock.since(start.plus(cx.params.router_unbond_ms));
    if passed == Millis(0) {
        return None;
    }
    let epoch = passed.0.checked_div(cx.params.epoch_ms.0)?.checked_sub(1)?;
    EPOCHS.get(rows, &epoch).map(|record| record.height)
}
