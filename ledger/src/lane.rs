//! Lane blocks: a zone's hash-linked chain of sequenced events, signed by its router.

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use rayon::prelude::*;
use serde::Serialize;

use crate::codec::{decode, encode};
use crate::event::{Checked, EVENT_BYTES_MAX};
use crate::hash::{Domain, Hash};
use crate::ids::{ChainId, Millis, Zone};
use crate::key::{PublicKey, Signature, all_verify};
use crate::merkle::list_root;
use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::schema::{Bytes, List};

/// The version of lane blocks that this code writes and reads.
pub const BLOCK_VERSION: u8 = 1;
/// Longest block, in bytes.
pub const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most events of a block.
pub const BLOCK_EVENTS_MAX: usize = 16_384;
/// The more signatures are verified at once, the less each costs; beyond this it hardly shows.
const BATCH_MAX: usize = 4_096;
const BATCH_MIN: usize = 64;

/// What a router promises about a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct BlockHeader {
    /// [`BLOCK_VERSION`].
    pub version: u8,
    /// The chain.
    pub chain: ChainId,
    /// The zone.
    pub zone: Zone,
    /// The lane's term.
    pub term: u64,
    /// Height in the term, from 1.
    pub height: u64,
    /// The block before it in the term; zero for the first.
    pub parent: Hash,
    /// The last anchor the router had executed when it sealed the block.
    pub after_anchor: u64,
    /// Sequence number of its first event.
    pub first_number: u64,
    /// How many events.
    pub count: u32,
    /// Over the event ids.
    pub events_root: Hash,
    /// The router's clock when it sealed the block.
    pub time: Millis,
}

impl BlockHeader {
    /// The block's id, and what the router signs.
    pub fn id(&self) -> Hash {
        Domain::LANE_BLOCK.hash(&[&encode(self)])
    }
}

/// A header with its router's signature: enough to prove what was signed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedHeader {
    /// The header.
    pub header: BlockHeader,
    /// Of the lane's key over [`BlockHeader::id`].
    pub signature: Signature,
}

/// A header, its signature and the events.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LaneBlock {
    /// What the router promises.
    pub header: BlockHeader,
    /// Of the lane's key over [`BlockHeader::id`].
    pub signature: Signature,
    /// Each event's canonical bytes.
    pub events: List<Bytes<EVENT_BYTES_MAX>, BLOCK_EVENTS_MAX>,
}

/// Why a block is no block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Its bytes do not decode.
    #[error("the block does not decode: {0}")]
    Malformed(String),
    /// A field of the header is wrong.
    #[error("the block's {0} is wrong")]
    Header(&'static str),
    /// The lane's key did not sign it.
    #[error("the block is not signed by its lane's key")]
    Signature,
    /// One of its events is invalid without any state.
    #[error("event {place} of the block is invalid: {refusal}")]
    Event {
        /// Which, from 0.
        place: usize,
        /// Why.
        refusal: Refusal,
    },
    /// An event stands twice.
    #[error("event {place} of the block stands there twice")]
    Duplicate {
        /// Which, from 0.
        place: usize,
    },
}

/// A block about which everything decidable without state was checked, but the key: whether
/// it is the lane's is a question for the state.
#[derive(Clone, Debug)]
pub struct CheckedBlock {
    header: BlockHeader,
    id: Hash,
    key: PublicKey,
    signature: Signature,
    /// Shared: a block goes from hand to hand while it waits for its anchor.
    events: Arc<Vec<Checked>>,
    bytes: usize,
}

impl CheckedBlock {
    /// Checks a block against the key of its lane (spec LAN-1 … LAN-5). Signatures are
    /// verified in batches on all cores.
    pub fn check(
        bytes: &[u8],
        chain: ChainId,
        key: &PublicKey,
        registry: &Registry,
    ) -> Result<CheckedBlock, BlockError> {
        let block: LaneBlock = decode(bytes, BLOCK_BYTES_MAX)
            .map_err(|error| BlockError::Malformed(error.to_string()))?;
        let header = block.header;
        let id = header.id();
        if header.version != BLOCK_VERSION {
            return Err(BlockError::Header("version"));
        }
        if header.chain != chain {
            return Err(BlockError::Header("chain"));
        }
        if header.count == 0 || header.count as usize != block.events.items().len() {
            return Err(BlockError::Header("count"));
        }
        if header.first_number.checked_add(u64::from(header.count)).is_none() {
            return Err(BlockError::Header("first number"));
        }
        if !key.verifies(&id, &block.signature) {
            return Err(BlockError::Signature);
        }
        let events = check_events(block.events.into_items(), chain, registry)?;
        if list_root(events.iter().map(|event| event.id().0)) != header.events_root {
            return Err(BlockError::Header("events root"));
        }
        let (key, signature, events) = (*key, block.signature, Arc::new(events));
        Ok(CheckedBlock { header, id, key, signature, events, bytes: bytes.len() })
    }

    /// The router's own block, from events it checked when they arrived.
    pub fn seal(
        header: BlockHeader,
        key: PublicKey,
        events: Vec<Checked>,
        sign: impl FnOnce(&Hash) -> Signature,
    ) -> Option<(CheckedBlock, Vec<u8>)> {
        let id = header.id();
        let bodies = events.iter().map(|event| Bytes::new(event.bytes()));
        let list = List::new(bodies.collect::<Option<Vec<_>>>()?)?;
        let signature = sign(&id);
        let bytes = encode(&LaneBlock { header: header.clone(), signature, events: list });
        if bytes.len() > BLOCK_BYTES_MAX {
            return None;
        }
        let events = Arc::new(events);
        Some((CheckedBlock { header, id, key, signature, events, bytes: bytes.len() }, bytes))
    }

    /// The header.
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// The header with its signature, for evidence.
    pub fn signed_header(&self) -> SignedHeader {
        SignedHeader { header: self.header.clone(), signature: self.signature }
    }

    /// The block's id.
    pub fn id(&self) -> Hash {
        self.id
    }

    /// The key that signed it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Its events.
    pub fn events(&self) -> &[Checked] {
        &self.events
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// Work units of its events.
    pub fn work(&self, registry: &Registry) -> u64 {
        let work = |event: &Checked| event.row(registry).map_or(1, |row| u64::from(row.work));
        self.events.iter().map(work).fold(0, u64::saturating_add)
    }
}

fn check_events(
    mut events: Vec<Bytes<EVENT_BYTES_MAX>>,
    chain: ChainId,
    registry: &Registry,
) -> Result<Vec<Checked>, BlockError> {
    // Several for each core, so that none is left with the last one alone.
    let batches = rayon::current_num_threads().saturating_mul(4);
    let size = events.len().div_ceil(batches.max(1)).clamp(BATCH_MIN, BATCH_MAX);
    let batches: Vec<Result<Vec<Checked>, BlockError>> = events
        .par_chunks_mut(size)
        .enumerate()
        .map(|(batch, events)| check_batch(batch.saturating_mul(size), events, chain, registry))
        .collect();
    let mut checked = Vec::with_capacity(events.len());
    for batch in batches {
        checked.extend(batch?);
    }
    match first_repeated(&checked) {
        Some(place) => Err(BlockError::Duplicate { place }),
        None => Ok(checked),
    }
}

fn first_repeated(events: &[Checked]) -> Option<usize> {
    let mut ids: Vec<(Hash, usize)> =
        events.iter().enumerate().map(|(place, event)| (event.id(), place)).collect();
    ids.sort_unstable();
    let pairs = ids.iter().zip(ids.iter().skip(1));
    pairs.filter(|(one, next)| one.0 == next.0).map(|(_, next)| next.1).min()
}

fn check_batch(
    first: usize,
    events: &mut [Bytes<EVENT_BYTES_MAX>],
    chain: ChainId,
    registry: &Registry,
) -> Result<Vec<Checked>, BlockError> {
    let mut checked = Vec::with_capacity(events.len());
    let mut items = Vec::with_capacity(events.len());
    for (place, event) in (first..).zip(events) {
        let bytes = std::mem::take(event).into_vec();
        let (event, item) = Checked::check_unsigned(bytes, chain, registry)
            .map_err(|refusal| BlockError::Event { place, refusal })?;
        checked.push(event);
        items.push(item);
    }
    if all_verify(&items) {
        return Ok(checked);
    }
    let wrong = items.iter().position(|(key, digest, sig)| !key.verifies(digest, sig));
    match wrong {
        Some(at) => Err(BlockError::Event {
            place: first.saturating_add(at),
            refusal: crate::event::SIGNATURE,
        }),
        None => Ok(checked),
    }
}

/// A router's signed promise of a sequence number (given only after the block is on disk).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct SoftReceipt {
    /// The chain.
    pub chain: ChainId,
    /// The event.
    pub event: Hash,
    /// Its zone.
    pub zone: Zone,
    /// The lane's term.
    pub term: u64,
    /// The block's height.
    pub height: u64,
    /// The event's sequence number.
    pub number: u64,
}

impl SoftReceipt {
    /// What the router signs.
    pub fn digest(&self) -> Hash {
        Domain::SOFT_RECEIPT.hash(&[&encode(self)])
    }
}
