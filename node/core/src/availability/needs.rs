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
    /// What of the way is not kept, by height: at most as many places as the lane is open for.
    pub(super) missing: BTreeMap<u64, Hash>,
}

impl Need {
    fn new(tip: Tip) -> Need {
        let at = (tip.height, tip.block);
        Need { tip, at, missing: BTreeMap::from([at]) }
    }

    /// One block further down.
    fn descend(&mut self, parent: Hash) {
        self.at = (self.at.0.saturating_sub(1), parent);
        self.missing.insert(self.at.0, parent);
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
    pub(super) fn pass(&mut self, header: &BlockHeader, id: Hash) {
        let place = (header.height, id);
        let mut is_further = false;
        for need in self.needs.iter_mut().filter(|need| need.at == place) {
            need.descend(header.parent);
            is_further = true;
        }
        if is_further {
            self.follow_needs();
        }
    }

    /// Follows each need down to what nobody brought yet. One that leads past the lane's tip
    /// can never be met, and is forgotten.
    fn follow_needs(&mut self) {
        let (floor, tip) = (self.lane.height, self.lane.tip);
        let mut needs = std::mem::take(&mut self.needs);
        for need in &mut needs {
            while need.at.0 > floor
                && let Some(parent) = self.parent(&need.at)
            {
                if self.kept.contains_key(&need.at) {
                    need.missing.remove(&need.at.0);
                }
                need.descend(parent);
            }
            if need.at.0 <= floor {
                need.missing.remove(&need.at.0);
            }
        }
        needs.retain(|need| need.at.0 > floor || need.at.1 == tip);
        self.needs = needs;
    }

    /// The parent of a block that is kept or waits.
    fn parent(&self, at: &(u64, Hash)) -> Option<Hash> {
        let kept = self.kept.get(at).map(|kept| kept.signed.header.parent);
        let waiting = self.waiting.get(at.0).map(|waiting| &waiting.block);
        let waiting = waiting.filter(|block| block.id() == at.1);
        kept.or(waiting.map(|block| block.header().parent))
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
