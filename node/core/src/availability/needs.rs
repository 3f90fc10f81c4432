//! What bodies need of a lane: the way down from their tips.

use std::collections::BTreeMap;

use ddt_ledger::Hash;
use ddt_ledger::anchor::Tip;
use ddt_ledger::lane::BlockHeader;

use super::NEEDS_MAX;
use super::lane::LaneBook;

/// A tip of a body, and what is known of the way down from it. The way is remembered by ids:
/// a block that came and found no room is not forgotten as one of it.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) tip: Tip,
    /// The lowest place that the way has reached.
    pub(super) at: (u64, Hash),
    /// Blocks of the way that were seen, and their bytes.
    seen: (u64, u64),
    /// What of the way is not kept, by height: at most as many places as the lane is open for.
    pub(super) missing: BTreeMap<u64, Hash>,
}

impl Need {
    fn new(tip: Tip) -> Need {
        let at = (tip.height, tip.block);
        Need { tip, at, seen: (0, 0), missing: BTreeMap::from([at]) }
    }

    /// Past a block of so many bytes, one further down.
    fn descend(&mut self, parent: Hash, size: usize) {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        self.seen = (self.seen.0.saturating_add(1), self.seen.1.saturating_add(size));
        self.at = (self.at.0.saturating_sub(1), parent);
        self.missing.insert(self.at.0, parent);
    }

    /// Whether no anchor can take all that was seen (spec ANC-8).
    fn is_too_much(&self, bytes_max: u64) -> bool {
        self.seen.0 > 1 && self.seen.1 > bytes_max
    }
}

impl LaneBook {
    /// Notes what a body needs. The oldest need gives way.
    pub(super) fn need(&mut self, tip: Tip) {
        if self.is_open(tip.height) && self.needs.iter().all(|need| need.tip != tip) {
            if self.needs.len() >= NEEDS_MAX {
                self.needs.remove(0);
            }
            self.needs.push(Need::new(tip));
            self.follow_needs();
        }
    }

    /// Whether a body needs this very block: it is the tip, or on the way down from it.
    pub(super) fn is_needed(&self, height: u64, id: &Hash) -> bool {
        self.needs.iter().any(|need| need.missing.get(&height) == Some(id))
    }

    /// A block came, whether it may stay or not: needs that had come as far as to it go on.
    pub(super) fn pass(&mut self, header: &BlockHeader, id: Hash, size: usize) {
        let place = (header.height, id);
        let mut is_further = false;
        for need in self.needs.iter_mut().filter(|need| need.at == place) {
            need.descend(header.parent, size);
            is_further = true;
        }
        if is_further {
            self.follow_needs();
        }
    }

    /// Follows each need down to what nobody brought yet. One that leads past the lane's tip, or
    /// over more than an anchor can take, is of no valid body, and is forgotten.
    fn follow_needs(&mut self) {
        let (floor, tip, bytes_max) = (self.lane.height, self.lane.tip, self.anchor_bytes_max);
        let mut needs = std::mem::take(&mut self.needs);
        for need in &mut needs {
            while need.at.0 > floor
                && !need.is_too_much(bytes_max)
                && let Some((parent, size)) = self.parent(&need.at)
            {
                if self.kept.contains_key(&need.at) {
                    need.missing.remove(&need.at.0);
                }
                need.descend(parent, size);
            }
            if need.at.0 <= floor {
                need.missing.remove(&need.at.0);
            }
        }
        needs.retain(|need| need.at.0 > floor || need.at.1 == tip);
        needs.retain(|need| !need.is_too_much(bytes_max));
        self.needs = needs;
    }

    /// The parent of a block that is kept or waits, and its own bytes.
    fn parent(&self, at: &(u64, Hash)) -> Option<(Hash, usize)> {
        let kept = self.kept.get(at).map(|kept| (kept.parent(), kept.size));
        let waiting = self.waiting.get(at.0).map(|waiting| &waiting.block);
        let waiting = waiting.filter(|block| block.id() == at.1);
        kept.or(waiting.map(|block| (block.header().parent, block.size())))
    }

    /// A block is kept from now on.
    pub(super) fn no_more_missing(&mut self, height: u64, id: &Hash) {
        for need in &mut self.needs {
            if need.missing.get(&height) == Some(id) {
                need.missing.remove(&height);
            }
        }
        if self.needs.iter().any(|need| need.at == (height, *id)) {
            self.follow_needs();
        }
    }

    /// A block that can never be kept: nor can what leads over it.
    pub(super) fn give_up(&mut self, height: u64, id: &Hash) {
        self.needs.retain(|need| need.missing.get(&height) != Some(id));
    }

    /// The lane stands elsewhere: the ways down end there now.
    pub(super) fn needs_above(&mut self, height: u64) {
        self.needs.retain(|need| need.tip.height > height);
        for need in &mut self.needs {
            *need = Need::new(need.tip);
        }
        self.follow_needs();
    }
}
