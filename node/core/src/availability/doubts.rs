//! Votes for other blocks than those that are here: whoever signed two blocks is found out.
//!
//! A router may show one block to some and another to the rest, and go on from both. Then each
//! half votes for its own, and no vote names the place where the two ways part. So the way down
//! from a vote that contradicts what is here is followed by id, block by block, until a block
//! comes whose parent is here: its twin at that place is the evidence.

use std::collections::{BTreeMap, BTreeSet};

use ddt_ledger::lane::BlockHeader;
use ddt_ledger::{Hash, PublicKey};

use super::DOUBTS_MAX;
use super::lane::LaneBook;

/// The lowest place that the way down from each voter's vote has reached: one way a voter, so
/// that nobody takes others' room.
pub(super) type Doubts = BTreeMap<PublicKey, (u64, Hash)>;

impl LaneBook {
    /// A validator voted for this place, or has a block that leads to it.
    pub(super) fn doubt(&mut self, voter: PublicKey, (height, id): (u64, Hash)) {
        let is_other = self.first.get(&height).is_some_and(|first| *first != id);
        if is_other && !self.is_accused {
            self.doubts.entry(voter).or_insert((height, id));
        }
    }

    /// Another block than some voted for stands at this place from now on.
    pub(super) fn doubt_votes(&mut self, height: u64) {
        let here = self.votes.iter().filter(|(_, (voted, _))| *voted == height);
        let here: Vec<_> = here.map(|(voter, place)| (*voter, *place)).collect();
        for (voter, place) in here {
            self.doubt(voter, place);
        }
    }

    /// Whether a block would tell where two ways part.
    pub(super) fn is_telling(&self, from: &PublicKey, height: u64, id: &Hash) -> bool {
        let is_voter = self.votes.contains_key(from) && !self.doubts.contains_key(from);
        !self.is_accused && (is_voter || self.doubts.values().any(|place| *place == (height, *id)))
    }

    /// A block came that does not continue the lane: the ways that had come as far as to it go
    /// on with its parent.
    pub(super) fn follow_doubts(&mut self, from: PublicKey, header: &BlockHeader, id: Hash) {
        let parent = (header.height.saturating_sub(1), header.parent);
        for place in self.doubts.values_mut().filter(|place| **place == (header.height, id)) {
            *place = parent;
        }
        if self.votes.contains_key(&from) {
            self.doubt(from, parent);
        }
    }

    /// What would tell, each place once. A way that led below the lane's tip told nothing.
    pub(super) fn doubted(&self) -> BTreeSet<(u64, Option<Hash>)> {
        let open = self.doubts.values().filter(|(height, _)| *height > self.lane.height);
        let places = open.filter(|_| !self.is_accused);
        places.map(|(height, id)| (*height, Some(*id))).take(DOUBTS_MAX).collect()
    }
}
