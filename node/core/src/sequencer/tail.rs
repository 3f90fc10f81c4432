//! A lane's tail: the blocks sealed and not yet anchored, and where the next one goes.

use std::collections::BTreeMap;

use ddt_ledger::event::Checked;
use ddt_ledger::lane::{BLOCK_VERSION, BlockHeader, CheckedBlock, SoftReceipt};
use ddt_ledger::merkle::list_root;
use ddt_ledger::system::Lane;
use ddt_ledger::{ChainId, Hash, Millis, Zone};

use crate::signers::Signers;

/// The blocks after the lane's anchored tip. All but a last one being written are on disk.
#[derive(Debug)]
pub(super) struct Tail {
    chain: ChainId,
    zone: Zone,
    lane: Lane,
    blocks: Vec<CheckedBlock>,
    /// How many of `blocks` are on disk.
    stored: usize,
    bytes: usize,
    next: Next,
    /// Height and sequence number of each event.
    places: BTreeMap<Hash, (u64, u64)>,
    signers: Signers,
}

/// What the next block continues.
#[derive(Clone, Copy, Debug)]
struct Next {
    height: u64,
    parent: Hash,
    number: u64,
    /// The parent's time, as far as it is known.
    time: Millis,
}

impl Next {
    fn after(block: &CheckedBlock) -> Next {
        let header = block.header();
        Next {
            height: header.height.saturating_add(1),
            parent: block.id(),
            number: header.first_number.saturating_add(u64::from(header.count)),
            time: header.time,
        }
    }
}

impl Tail {
    /// An empty tail after the lane's anchored tip, whose block was not sealed after `time`.
    pub(super) fn new(chain: ChainId, zone: Zone, lane: Lane, time: Millis) -> Tail {
        let next = Next {
            height: lane.height.saturating_add(1),
            parent: lane.tip,
            number: lane.next_number,
            time,
        };
        Tail {
            chain,
            zone,
            lane,
            blocks: Vec::new(),
            stored: 0,
            bytes: 0,
            next,
            places: BTreeMap::new(),
            signers: Signers::default(),
        }
    }

    /// Whether `block` is the one that continues this tail.
    pub(super) fn is_next(&self, block: &CheckedBlock) -> bool {
        let header = block.header();
        header.chain == self.chain
            && header.zone == self.zone
            && header.term == self.lane.term
            && *block.key() == self.lane.key
            && header.height == self.next.height
            && header.parent == self.next.parent
            && header.first_number == self.next.number
    }

    /// The header that continues this tail with these events.
    pub(super) fn header(&self, events: &[Checked], after_anchor: u64, now: Millis) -> BlockHeader {
        BlockHeader {
            version: BLOCK_VERSION,
            chain: self.chain,
            zone: self.zone,
            term: self.lane.term,
            height: self.next.height,
            parent: self.next.parent,
            after_anchor,
            first_number: self.next.number,
            count: u32::try_from(events.len()).unwrap_or(u32::MAX),
            events_root: list_root(events.iter().map(|event| event.id().0)),
            time: now.max(self.next.time),
        }
    }

    /// Appends a block that is not on disk yet.
    pub(super) fn push(&mut self, block: CheckedBlock) {
        let header = block.header();
        for (event, number) in block.events().iter().zip(header.first_number..) {
            self.places.insert(event.id(), (header.height, number));
            self.signers.insert(event);
        }
        self.bytes = self.bytes.saturating_add(block.size());
        self.next = Next::after(&block);
        self.blocks.push(block);
    }

    /// The last block is on disk. Its promises, which may leave now.
    pub(super) fn set_stored(&mut self) -> Vec<SoftReceipt> {
        self.stored = self.blocks.len();
        let Some(block) = self.blocks.last() else { return Vec::new() };
        let header = block.header();
        let numbered = block.events().iter().zip(header.first_number..);
        numbered.map(|(event, number)| self.receipt(event.id(), header.height, number)).collect()
    }

    /// Forgets the blocks up to the lane's new tip. False if what is anchored is not what is
    /// on disk: then nothing changes.
    pub(super) fn anchor(&mut self, lane: &Lane) -> bool {
        let Some(count) = self.count_to(lane) else { return false };
        for block in self.blocks.drain(..count) {
            self.bytes = self.bytes.saturating_sub(block.size());
            for event in block.events() {
                self.places.remove(&event.id());
                self.signers.remove(event);
            }
        }
        self.stored = self.stored.saturating_sub(count);
        self.lane = lane.clone();
        true
    }

    /// How many blocks on disk lead to the lane's new tip.
    fn count_to(&self, lane: &Lane) -> Option<usize> {
        let count = usize::try_from(lane.height.checked_sub(self.lane.height)?).ok()?;
        let anchored = self.stored().get(..count)?;
        let (tip, number) = match anchored.last().map(Next::after) {
            Some(next) => (next.parent, next.number),
            None => (self.lane.tip, self.lane.next_number),
        };
        (lane.tip == tip && lane.next_number == number).then_some(count)
    }

    /// Whether the last block has this height and is not on disk yet.
    pub(super) fn is_writing(&self, height: u64) -> bool {
        let last = self.blocks.get(self.stored..).and_then(<[_]>::last);
        last.is_some_and(|block| block.header().height == height)
    }

    fn receipt(&self, event: Hash, height: u64, number: u64) -> SoftReceipt {
        let (chain, zone, term) = (self.chain, self.zone, self.lane.term);
        SoftReceipt { chain, event, zone, term, height, number }
    }

    /// An event's promise, and whether its block is on disk.
    pub(super) fn place(&self, id: &Hash) -> Option<(SoftReceipt, bool)> {
        let (height, number) = self.places.get(id).copied()?;
        let is_stored = self.stored().last().is_some_and(|last| height <= last.header().height);
        Some((self.receipt(*id, height, number), is_stored))
    }

    /// The blocks on disk.
    pub(super) fn stored(&self) -> &[CheckedBlock] {
        self.blocks.get(..self.stored).unwrap_or_default()
    }

    /// All blocks, for taking their events back.
    pub(super) fn into_blocks(self) -> Vec<CheckedBlock> {
        self.blocks
    }

    pub(super) fn lane(&self) -> &Lane {
        &self.lane
    }

    pub(super) fn signers(&self) -> &Signers {
        &self.signers
    }

    pub(super) fn time(&self) -> Millis {
        self.next.time
    }

    /// When the first block that waits was sealed.
    pub(super) fn oldest(&self) -> Option<Millis> {
        self.blocks.first().map(|block| block.header().time)
    }

    /// Blocks and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.blocks.len(), self.bytes)
    }
}
