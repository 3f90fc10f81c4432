//! Anchors: what the validators agree on by BFT consensus.

use std::collections::BTreeSet;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::certificate::{VALIDATORS_MAX, ValidatorAddress, ValidatorSet};
use crate::codec::{CodecError, decode, encode};
use crate::hash::{Domain, Hash};
use crate::ids::{ChainId, Millis, Zone};
use crate::key::{PublicKey, Signature};
use crate::lane::CheckedBlock;
use crate::registry::Registry;
use crate::schema::List;
use crate::system::{Head, Lane, Validators, params};
use crate::table::Rows;
use crate::vrf::VrfOutput;

/// The version of anchors that this code writes and reads.
pub const ANCHOR_VERSION: u8 = 1;
/// Longest anchor body, in bytes.
pub const ANCHOR_BYTES_MAX: usize = 256 * 1024;
/// Most blocks that one anchor may take from one lane (spec LAN-6).
pub const SPAN_BLOCKS_MAX: u64 = 4_096;
/// Most lanes that one anchor moves.
pub const TIPS_MAX: usize = 1_024;

/// A validator's signed word on what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct TimeStatement {
    /// Whose.
    pub key: PublicKey,
    /// Its clock.
    pub time: Millis,
    /// Over [`TimeStatement::digest`].
    pub signature: Signature,
}

impl TimeStatement {
    /// What a validator signs to state its time for the anchor after `previous`.
    pub fn digest(chain: ChainId, height: u64, previous: &Hash, time: Millis) -> Hash {
        Domain::TIME_STATEMENT.hash(&[&encode(&(chain, height, previous, time))])
    }
}

/// How far a lane counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Tip {
    /// The zone.
    pub zone: Zone,
    /// The lane's term.
    pub term: u64,
    /// The last block's height.
    pub height: u64,
    /// The last block's id.
    pub block: Hash,
}

/// What an anchor says. Its id is what consensus votes on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AnchorBody {
    /// [`ANCHOR_VERSION`].
    pub version: u8,
    /// The chain.
    pub chain: ChainId,
    /// Its height, from 1.
    pub height: u64,
    /// The anchor before it; the chain id at height 1.
    pub previous: Hash,
    /// 2f+1 statements, ascending by key.
    pub statements: List<TimeStatement, VALIDATORS_MAX>,
    /// The lanes that move, ascending by zone.
    pub tips: List<Tip, TIPS_MAX>,
    /// State root of the anchor before.
    pub state_root: Hash,
    /// Receipts root of the anchor before.
    pub receipts_root: Hash,
    /// Hash of the validator set that signs the next anchor.
    pub next_validators: Hash,
    /// The validator that made this body.
    pub maker: ValidatorAddress,
    /// Its VRF output.
    pub vrf: VrfOutput,
}

impl AnchorBody {
    /// The anchor's id.
    pub fn id(&self) -> Hash {
        AnchorBody::id_of(&encode(self))
    }

    /// The id of an anchor with these canonical bytes.
    pub fn id_of(bytes: &[u8]) -> Hash {
        Domain::ANCHOR.hash(&[bytes])
    }

    /// Reads canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<AnchorBody, CodecError> {
        decode(bytes, ANCHOR_BYTES_MAX)
    }

    /// The median of the statements, but later than the anchor before.
    pub fn time(&self, previous: Millis) -> Millis {
        let mut times: Vec<Millis> = self.statements.items().iter().map(|s| s.time).collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        median.max(previous.plus(Millis(1)))
    }

    /// The anchor's random value: nobody knew it before the maker's VRF output.
    pub fn beacon(&self, previous: &Hash) -> Hash {
        Domain::BEACON.hash(&[&previous.0, &self.vrf.output])
    }
}

/// What is known after executing an anchor, beside the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Roots {
    /// State root.
    pub state: Hash,
    /// Receipts root.
    pub receipts: Hash,
}

/// Why a body is no valid next anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the anchor's {0}")]
pub struct AnchorError(pub &'static str);

/// A lane's blocks that an anchor covers, in order.
#[derive(Clone, Debug)]
pub struct Span {
    /// The zone.
    pub zone: Zone,
    /// From the block after the lane's tip to the tip that the anchor names.
    pub blocks: Vec<CheckedBlock>,
}

fn need(holds: bool, what: &'static str) -> Result<(), AnchorError> {
    if holds { Ok(()) } else { Err(AnchorError(what)) }
}

/// Checks a body against the state before it, the roots of that state and the blocks it
/// names: a function of these alone (spec ANC-1 … ANC-8).
pub fn check_anchor<R: Rows + ?Sized>(
    rows: &R,
    chain: ChainId,
    roots: &Roots,
    body: &AnchorBody,
    spans: &[Span],
    registry: &Registry,
) -> Result<(), AnchorError> {
    check_body(rows, chain, roots, body)?;
    check_blocks(rows, body, spans, registry)
}

/// What of that needs none of the blocks: whoever fails it need not be given any.
///
/// # Errors
/// What is wrong with the body.
pub fn check_body<R: Rows + ?Sized>(
    rows: &R,
    chain: ChainId,
    roots: &Roots,
    body: &AnchorBody,
) -> Result<(), AnchorError> {
    let head = Head::read(rows).ok_or(AnchorError("state has no head"))?;
    let validators = Validators::read(rows).ok_or(AnchorError("state has no validators"))?;
    need(body.version == ANCHOR_VERSION, "version is unknown")?;
    need(body.chain == chain, "chain is another")?;
    need(Some(body.height) == head.height.checked_add(1), "height is not the next")?;
    need(body.previous == head.anchor, "previous anchor is another")?;
    need(body.state_root == roots.state, "state root is wrong")?;
    need(body.receipts_root == roots.receipts, "receipts root is wrong")?;
    let after = validators.after_next.hash();
    need(body.next_validators == after, "next validators are wrong")?;
    check_statements(body, &validators.next)?;
    let maker = validators.next.find(&body.maker);
    let maker = maker.ok_or(AnchorError("maker is no validator"))?;
    let is_proven = body.vrf.verifies(&maker.vrf_key, &body.previous, body.height);
    need(is_proven, "random value is not proven")?;
    need(body.tips.items().is_sorted_by(|a, b| a.zone < b.zone), "tips are out of order")
}

/// What is left of [`check_anchor`] after [`check_body`].
///
/// # Errors
/// What is wrong with the blocks.
pub fn check_blocks<R: Rows + ?Sized>(
    rows: &R,
    body: &AnchorBody,
    spans: &[Span],
    registry: &Registry,
) -> Result<(), AnchorError> {
    check_tips(rows, body, spans)?;
    let params = params(rows);
    let blocks = || spans.iter().flat_map(|span| &span.blocks);
    let bytes = blocks().map(|b| b.size() as u64).fold(0, u64::saturating_add);
    let work = blocks().map(|b| b.work(registry)).fold(0, u64::saturating_add);
    // One block alone always fits, or a lane could stand still for ever.
    let is_single = blocks().count() <= 1;
    need(is_single || bytes <= params.anchor_bytes_max, "blocks are too large together")?;
    need(is_single || work <= params.anchor_work_max, "blocks are too much work together")
}

fn check_statements(body: &AnchorBody, set: &ValidatorSet) -> Result<(), AnchorError> {
    let statements = body.statements.items();
    need(statements.len() >= set.quorum(), "time has too few statements")?;
    need(statements.is_sorted_by(|a, b| a.key < b.key), "time statements are out of order")?;
    for statement in statements {
        let known = set.0.iter().any(|validator| validator.key == statement.key);
        need(known, "time is stated by no validator")?;
        let digest = TimeStatement::digest(body.chain, body.height, &body.previous, statement.time);
        let is_signed = statement.key.verifies(&digest, &statement.signature);
        need(is_signed, "time statement is not signed")?;
    }
    Ok(())
}

fn check_tips<R: Rows + ?Sized>(
    rows: &R,
    body: &AnchorBody,
    spans: &[Span],
) -> Result<(), AnchorError> {
    let tips = body.tips.items();
    need(tips.len() == spans.len(), "tips are not those of the blocks")?;
    for (tip, span) in tips.iter().zip(spans) {
        need(tip.zone == span.zone, "tips are not those of the blocks")?;
        let lane = Lane::read(rows, tip.zone).ok_or(AnchorError("tip is of no zone"))?;
        check_span(body, tip, &lane, &span.blocks)?;
    }
    Ok(())
}

fn check_span(
    body: &AnchorBody,
    tip: &Tip,
    lane: &Lane,
    blocks: &[CheckedBlock],
) -> Result<(), AnchorError> {
    need(tip.term == lane.term, "tip is of another term")?;
    need(tip.height <= lane.height.saturating_add(SPAN_BLOCKS_MAX), "tip is too far ahead")?;
    let mut end = SpanEnd::of(tip.zone, lane, body.height)?;
    blocks.iter().try_for_each(|block| end.take(block))?;
    let is_end = tip.height == end.height && tip.block == end.parent;
    need(is_end && !blocks.is_empty(), "tip is wrong")
}

/// How many of these blocks, from the first on, the anchor of this height may take of a lane
/// (spec LAN-6, LAN-7). What a lane's router signed may be nothing that an anchor can take: who
/// proposes must not believe it.
pub fn fitting(zone: Zone, lane: &Lane, height: u64, blocks: &[CheckedBlock]) -> usize {
    let Ok(mut end) = SpanEnd::of(zone, lane, height) else { return 0 };
    blocks.iter().take_while(|block| end.take(block).is_ok()).count()
}

/// A span continues its lane block by block and repeats no event (spec LAN-6, LAN-7).
struct SpanEnd<'a> {
    zone: Zone,
    lane: &'a Lane,
    anchor: u64,
    height: u64,
    parent: Hash,
    number: u64,
    seen: BTreeSet<Hash>,
}

impl SpanEnd<'_> {
    /// Before the first block.
    fn of(zone: Zone, lane: &Lane, anchor: u64) -> Result<SpanEnd<'_>, AnchorError> {
        need(lane.is_governed, "tip is of a lane without a router")?;
        let (height, parent, number) = (lane.height, lane.tip, lane.next_number);
        Ok(SpanEnd { zone, lane, anchor, height, parent, number, seen: BTreeSet::new() })
    }

    /// One block further.
    fn take(&mut self, block: &CheckedBlock) -> Result<(), AnchorError> {
        let (header, lane) = (block.header(), self.lane);
        self.height = self.height.saturating_add(1);
        let is_its = header.zone == self.zone && header.term == lane.term;
        need(is_its, "block is of another lane")?;
        need(*block.key() == lane.key, "block is not signed by its lane's key")?;
        let goes_on = header.height == self.height && header.parent == self.parent;
        need(goes_on, "blocks have a gap")?;
        need(header.first_number == self.number, "sequence numbers have a gap")?;
        need(header.after_anchor < self.anchor, "block is from the future")?;
        let is_new = block.events().iter().all(|event| self.seen.insert(event.id()));
        need(is_new, "blocks repeat an event")?;
        self.parent = block.id();
        self.number = self.number.saturating_add(u64::from(header.count));
        Ok(())
    }
}
