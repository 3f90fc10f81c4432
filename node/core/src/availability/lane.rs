//! What is known of one lane above its anchored tip.

use std::collections::{BTreeMap, BTreeSet};

use ddt_ledger::anchor::Tip;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, BlockHeader, CheckedBlock, SignedHeader};
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Millis, PublicKey};

use super::doubts::Doubts;
use super::needs::Need;
use super::waiting::Room;
use super::wants::Asked;
use super::{AHEAD_MAX, ASK_MS};

/// A block that is on disk, or on its way there.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// What its router signed: evidence, if another block stands at its place.
    pub(super) signed: SignedHeader,
    pub(super) size: usize,
    is_stored: bool,
}

impl Kept {
    pub(super) fn parent(&self) -> Hash {
        self.signed.header.parent
    }

    fn next_number(&self) -> u64 {
        let header = &self.signed.header;
        header.first_number.saturating_add(u64::from(header.count))
    }
}

/// A lane above its anchored tip.
pub(super) struct LaneBook {
    /// Most bytes of the blocks of one anchor.
    pub(super) anchor_bytes_max: u64,
    /// The last anchor that is executed here.
    anchored: u64,
    pub(super) lane: Lane,
    pub(super) kept: BTreeMap<(u64, Hash), Kept>,
    /// What stands at each place: stored first, and the only one that this node votes for.
    pub(super) first: BTreeMap<u64, Hash>,
    pub(super) waiting: Room,
    /// Up to here the first blocks continue the lane and are stored.
    pub(super) linked: u64,
    /// Each validator's highest vote.
    pub(super) votes: BTreeMap<PublicKey, (u64, Hash)>,
    /// Bytes of everything in `kept`.
    pub(super) kept_bytes: usize,
    /// Whether a block was left out because there was no room: until more is anchored.
    pub(super) is_full: bool,
    /// Whether two blocks for one place were told of.
    pub(super) is_accused: bool,
    pub(super) needs: Vec<Need>,
    pub(super) doubts: Doubts,
    pub(super) asked: BTreeMap<(u64, Option<Hash>), Asked>,
    /// Who was asked for which height, lately.
    pub(super) questions: BTreeSet<(u64, PublicKey)>,
    /// Bytes that a block of this lane may well have: the most of those that came lately.
    pub(super) block_bytes: usize,
    /// How long an answer is waited for, and what may be on its way by itself.
    pub(super) patience: Millis,
    pub(super) told_at: Option<Millis>,
    /// Who delivered where the lane's router did not.
    pub(super) helper: Option<PublicKey>,
}

impl LaneBook {
    pub(super) fn new(anchor_bytes_max: u64, anchored: u64, lane: Lane) -> LaneBook {
        LaneBook {
            anchor_bytes_max,
            anchored,
            linked: lane.height,
            lane,
            kept: BTreeMap::new(),
            first: BTreeMap::new(),
            waiting: Room::default(),
            votes: BTreeMap::new(),
            kept_bytes: 0,
            is_full: false,
            is_accused: false,
            needs: Vec::new(),
            doubts: Doubts::new(),
            asked: BTreeMap::new(),
            questions: BTreeSet::new(),
            block_bytes: BLOCK_BYTES_MAX,
            patience: ASK_MS,
            told_at: None,
            helper: None,
        }
    }

    /// Whether a block of this header is of this lane's term and not too far ahead.
    pub(super) fn is_in_reach(&self, header: &BlockHeader) -> bool {
        self.lane.is_governed && header.term == self.lane.term && self.is_open(header.height)
    }

    /// Whether a block of this header comes after the lane has gone past it.
    pub(super) fn is_over(&self, header: &BlockHeader) -> bool {
        header.term == self.lane.term && header.height <= self.lane.height
    }

    /// Whether a block would be dropped, however good it is: then it need not be verified, which
    /// costs far more than sending it again and again.
    pub(super) fn would_be_dropped(
        &self,
        from: &PublicKey,
        header: &BlockHeader,
        id: &Hash,
    ) -> bool {
        let below = header.height.saturating_sub(1);
        let is_other = self.is_contradicted_by(header.height, id);
        let is_known_way = self.continues(header);
        let is_contradicted =
            !is_known_way && (below == self.lane.height || self.first.contains_key(&below));
        let is_left_out = is_known_way && self.is_full;
        let is_taken = !is_known_way && self.waiting.get(header.height).is_some();
        // Two blocks for one place tell of their router, whatever they continue.
        let is_evidence = is_other && !self.is_accused;
        let is_telling = is_evidence || self.is_telling(from, header);
        let is_vain = is_other || is_contradicted || is_left_out || is_taken;
        is_vain && !is_telling && !self.is_needed(header.height, id)
    }

    pub(super) fn is_open(&self, height: u64) -> bool {
        height > self.lane.height && height <= self.lane.height.saturating_add(AHEAD_MAX)
    }

    /// Whether the block's parent is here and the numbers go on.
    pub(super) fn continues(&self, header: &BlockHeader) -> bool {
        let below = header.height.saturating_sub(1);
        if below == self.lane.height {
            return header.parent == self.lane.tip && header.first_number == self.lane.next_number;
        }
        let parent = self.kept.get(&(below, header.parent));
        parent.is_some_and(|parent| parent.next_number() == header.first_number)
    }

    /// Remembers a block that is written from now on.
    pub(super) fn keep(&mut self, block: &CheckedBlock, is_other: bool) {
        let height = block.header().height;
        let (size, signed) = (block.size(), block.signed_header());
        let kept = Kept { signed, size, is_stored: false };
        if self.kept.insert((height, block.id()), kept).is_none() {
            self.kept_bytes = self.kept_bytes.saturating_add(size);
        }
        if !is_other {
            self.first.insert(height, block.id());
            self.doubt_votes(Some(height));
        }
        self.no_more_missing(height, &block.id());
    }

    pub(super) fn set_stored(&mut self, height: u64, block: Hash) {
        if let Some(kept) = self.kept.get_mut(&(height, block)) {
            kept.is_stored = true;
        }
    }

    /// Follows the first blocks as far as they are linked and stored, and votes for the last.
    /// Whether that is further than before. A block that claims a later anchor than this node
    /// has waits for it: what a quorum voted for never stands in the way of the next anchor.
    pub(super) fn extend(&mut self, voter: Option<PublicKey>) -> bool {
        let before = self.linked;
        let mut at = match self.first.get(&self.linked) {
            Some(id) => self.kept.get(&(self.linked, *id)).map(|kept| (*id, kept.next_number())),
            None => Some((self.lane.tip, self.lane.next_number)),
        };
        while let Some((parent, number)) = at {
            let height = self.linked.saturating_add(1);
            at = self.first.get(&height).and_then(|id| {
                let kept = self.kept.get(&(height, *id))?;
                let header = &kept.signed.header;
                let goes_on = header.parent == parent && header.first_number == number;
                let is_now = header.after_anchor <= self.anchored;
                (goes_on && is_now && kept.is_stored).then_some((*id, kept.next_number()))
            });
            if let Some((id, _)) = at {
                self.linked = height;
                if let Some(voter) = voter {
                    self.votes.insert(voter, (height, id));
                }
            }
        }
        self.linked > before
    }

    /// The highest place up to which a quorum has stored what this node has. A vote of `but`
    /// does not count.
    pub(super) fn available(&self, quorum: usize, but: Option<&PublicKey>) -> Option<u64> {
        let is_known = |(voter, (height, id)): &(&PublicKey, &(u64, Hash))| {
            *height <= self.linked && self.first.get(height) == Some(id) && Some(*voter) != but
        };
        let mut heights: Vec<u64> =
            self.votes.iter().filter(is_known).map(|(_, (height, _))| *height).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.get(quorum.saturating_sub(1)).copied().filter(|height| *height > self.lane.height)
    }

    pub(super) fn span(&self, tip: &Tip) -> Option<Vec<(u64, Hash)>> {
        let (mut height, mut id) = (tip.height, tip.block);
        let mut span = Vec::new();
        while height > self.lane.height {
            let kept = self.kept.get(&(height, id)).filter(|kept| kept.is_stored)?;
            span.push((height, id));
            (height, id) = (height.saturating_sub(1), kept.parent());
        }
        let is_linked = height == self.lane.height && id == self.lane.tip && !span.is_empty();
        span.reverse();
        is_linked.then_some(span)
    }

    /// Takes the state's word for where the lane stands now.
    pub(super) fn anchor(&mut self, anchored: u64, lane: Lane, voter: Option<PublicKey>) {
        if lane.term != self.lane.term || lane.key != self.lane.key {
            *self = LaneBook::new(self.anchor_bytes_max, anchored, lane);
            return;
        }
        self.anchored = anchored;
        let height = lane.height;
        let has_moved = height != self.lane.height;
        self.kept.retain(|(at, _), _| *at > height);
        self.kept_bytes = self.kept.values().map(|kept| kept.size).fold(0, usize::saturating_add);
        self.first.retain(|at, _| *at > height);
        self.votes.retain(|_, (at, _)| *at > height);
        self.asked.retain(|(at, _), _| *at > height);
        self.waiting.keep_above(height);
        self.lane = lane;
        if has_moved {
            self.is_full = false;
            self.needs_above(height);
            self.doubts.clear();
            self.doubt_votes(None);
        }
        let voted = voter.and_then(|voter| self.votes.remove(&voter)).map(|(height, _)| height);
        // Another block than the first may have been anchored: then nothing follows it yet.
        self.linked = height;
        self.extend(voter);
        let votes = voter.and_then(|voter| self.votes.get(&voter)).map(|(height, _)| *height);
        if votes > voted {
            self.told_at = None;
        }
    }

    /// The node votes with another key from now on: for the same blocks.
    pub(super) fn rekey(&mut self, old: &PublicKey, new: PublicKey) {
        if let Some(vote) = self.votes.remove(old) {
            self.votes.insert(new, vote);
        }
        self.told_at = None;
    }

    pub(super) fn size(&self) -> usize {
        let walked = self.needs.iter().map(|need| need.missing.len());
        [self.kept.len(), self.waiting.count(), self.votes.len(), self.needs.len()]
            .into_iter()
            .chain([self.asked.len(), self.questions.len(), self.doubts.len()])
            .chain(walked)
            .fold(0, usize::saturating_add)
    }
}
