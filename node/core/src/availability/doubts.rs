//! Votes for other blocks than those that are here: whoever signed two blocks is found out.
//!
//! A router may show one block to some and another to the rest, and go on from both. Then each
//! half votes for its own, and nobody is sent both. So a validator's block at a place where another
//! one stands here is asked for by id: the two are the evidence, whatever they continue.

use std::collections::{BTreeMap, BTreeSet};

use ddt_ledger::lane::BlockHeader;
use ddt_ledger::{Hash, PublicKey};

use super::DOUBTS_MAX;
use super::lane::LaneBook;

/// What each validator has, or has voted for, where another block stands here: one place each, so
/// that nobody takes others' room.
pub(super) type Doubts = BTreeMap<PublicKey, (u64, Hash)>;

impl LaneBook {
    /// Whether another block than this stands at its place.
    pub(super) fn is_contradicted_by(&self, height: u64, id: &Hash) -> bool {
        self.first.get(&height).is_some_and(|first| first != id)
    }

    /// A validator voted for this block, or has one that follows it.
    pub(super) fn doubt(&mut self, voter: PublicKey, (height, id): (u64, Hash)) {
        if self.is_contradicted_by(height, &id) && !self.is_accused {
            self.doubts.entry(voter).or_insert((height, id));
        }
    }

    /// Doubts what was voted for: at this place, or all.
    pub(super) fn doubt_votes(&mut self, height: Option<u64>) {
        let doubted = |(_, (voted, _)): &(&PublicKey, &(u64, Hash))| {
            height.is_none_or(|height| *voted == height)
        };
        let votes = self.votes.iter().filter(doubted);
        let votes: Vec<_> = votes.map(|(voter, place)| (*voter, *place)).collect();
        for (voter, place) in votes {
            self.doubt(voter, place);
        }
    }

    /// Whether a validator's block follows one that contradicts what is here. One for each of
    /// them: a block that is looked at is verified first, which costs.
    pub(super) fn is_telling(&self, from: &PublicKey, header: &BlockHeader) -> bool {
        let below = header.height.saturating_sub(1);
        let is_new = self.votes.contains_key(from) && !self.doubts.contains_key(from);
        is_new && !self.is_accused && self.is_contradicted_by(below, &header.parent)
    }

    /// What would tell: a few places, first those that were asked for least often.
    pub(super) fn doubted(&self) -> Vec<(u64, Option<Hash>)> {
        let open = self.doubts.values().filter(|_| !self.is_accused);
        let places: BTreeSet<_> = open.map(|(height, id)| (*height, Some(*id))).collect();
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_by_key(|place| self.attempts(place));
        places.truncate(DOUBTS_MAX);
        places
    }
}
