//! Blocks whose parent is not here yet.

use std::collections::BTreeMap;

use ddt_ledger::Hash;
use ddt_ledger::lane::{BlockHeader, CheckedBlock};

use super::WAITING_BLOCKS_MAX;
use super::lane::LaneBook;

/// A block whose parent is not here yet.
pub(super) struct Waiting {
    pub(super) block: CheckedBlock,
    pub(super) bytes: Vec<u8>,
}

/// Those of a lane: one at a height.
#[derive(Default)]
pub(super) struct Room {
    blocks: BTreeMap<u64, Waiting>,
    bytes: usize,
}

impl Room {
    pub(super) fn get(&self, height: u64) -> Option<&Waiting> {
        self.blocks.get(&height)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn count(&self) -> usize {
        self.blocks.len()
    }

    /// The highest place of one.
    pub(super) fn highest(&self) -> Option<u64> {
        self.blocks.keys().next_back().copied()
    }

    pub(super) fn remove(&mut self, height: u64) -> Option<Waiting> {
        let removed = self.blocks.remove(&height);
        let size = removed.as_ref().map_or(0, |waiting| waiting.bytes.len());
        self.bytes = self.bytes.saturating_sub(size);
        removed
    }

    fn insert(&mut self, waiting: Waiting) {
        let height = waiting.block.header().height;
        self.remove(height);
        self.bytes = self.bytes.saturating_add(waiting.bytes.len());
        self.blocks.insert(height, waiting);
    }

    /// Forgets what is not above this height.
    pub(super) fn keep_above(&mut self, height: u64) {
        self.blocks = self.blocks.split_off(&height.saturating_add(1));
        let sizes = self.blocks.values().map(|waiting| waiting.bytes.len());
        self.bytes = sizes.fold(0, usize::saturating_add);
    }
}

impl LaneBook {
    /// Whether the block's parent is kept, or is the lane's tip.
    fn has_parent(&self, header: &BlockHeader) -> bool {
        let below = header.height.saturating_sub(1);
        let is_tip = below == self.lane.height && header.parent == self.lane.tip;
        is_tip || self.kept.contains_key(&(below, header.parent))
    }

    /// Lets a block that does not continue the lane wait for its parent, if that may still
    /// come. What a body needs takes the place of what it does not.
    pub(super) fn wait(&mut self, waiting: Waiting) {
        let (header, id) = (waiting.block.header(), waiting.block.id());
        let (height, below) = (header.height, header.height.saturating_sub(1));
        if self.has_parent(header) {
            // The parent is here, and the numbers do not go on.
            return self.give_up(height, &id);
        }
        let is_needed = self.is_needed(height, &id);
        // Another block stands where its parent would: it would only hide what is missing.
        let is_contradicted = below == self.lane.height || self.first.contains_key(&below);
        let there = self.waiting.get(height).map(|there| there.block.id());
        let is_taken = there.is_some_and(|there| !is_needed || self.is_needed(height, &there));
        if (is_contradicted && !is_needed) || is_taken {
            return;
        }
        self.waiting.insert(waiting);
        if self.waiting.count() > WAITING_BLOCKS_MAX {
            self.give_way();
        }
    }

    /// Forgets one block that waits: the farthest that no body needs, or else the farthest. It
    /// is the last to be of use.
    pub(super) fn give_way(&mut self) {
        let farthest = |is_any: bool| {
            let mut blocks = self.waiting.blocks.iter().rev();
            let found = blocks
                .find(|(height, waiting)| is_any || !self.is_needed(**height, &waiting.block.id()));
            found.map(|(height, _)| *height)
        };
        if let Some(height) = farthest(false).or_else(|| farthest(true)) {
            self.waiting.remove(height);
        }
    }

    /// Bytes of those that wait and are needed.
    pub(super) fn needed_bytes(&self) -> usize {
        let waiting = self.waiting.blocks.iter();
        let needed =
            waiting.filter(|(height, waiting)| self.is_needed(**height, &waiting.block.id()));
        needed.map(|(_, waiting)| waiting.bytes.len()).fold(0, usize::saturating_add)
    }

    /// Whether this very block waits.
    pub(super) fn waits(&self, height: u64, id: &Hash) -> bool {
        self.waiting.get(height).is_some_and(|waiting| waiting.block.id() == *id)
    }
}
