//! Forgetting what happened long ago (spec STO-12): receipts, where they are found, anchors, and
//! in `lanes.redb` the blocks they came from. The state and its proofs need none of it.
//!
//! It is done in small transactions, so that no anchor waits long for one; what is not done yet
//! when the node ends is done after the next start.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redb::{ReadableTable, WriteTransaction};

use super::book::{ANCHORS, BookStore, Published};
use super::current::Current;
use super::history::{EVENTS, HISTORY, NAMED, NUMBERS, RECEIPTS, neighbours, read_receipt};
use super::lanes::{BLOCKS, LaneStore, OTHERS, PARTS};
use super::open::{begin_write, fault};
use super::recent::JOURNALS;
use super::restoring;
use super::snapshot::read_anchor;
use crate::anchor::AnchorBody;
use crate::fault::StoreFault;
use crate::ids::Zone;
use crate::receipt::{Receipt, Subject};

/// Anchors forgotten in one transaction.
const ANCHORS_AT_ONCE: usize = 256;
/// Blocks forgotten in one transaction.
const BLOCKS_AT_ONCE: usize = 16;

/// A row of [`NAMED`].
type Naming = (u16, Vec<u8>, u64, u32);

/// How far forgetting up to an anchor has come.
pub struct Pruning {
    lowest: u64,
    /// The last naming looked at; they are not in the order of heights.
    naming: Option<Naming>,
    are_names_done: bool,
    /// The highest block of each lane that is not needed any more, by term and height.
    blocks: BTreeMap<Zone, (u64, u64)>,
}

impl Pruning {
    /// Everything before this anchor.
    pub fn before(lowest: u64) -> Pruning {
        Pruning { lowest, naming: None, are_names_done: false, blocks: BTreeMap::new() }
    }

    /// Lanes of which blocks may be forgotten: up to this term and height.
    pub fn blocks(&self) -> impl Iterator<Item = (Zone, (u64, u64))> + '_ {
        self.blocks.iter().map(|(zone, place)| (*zone, *place))
    }
}

impl BookStore {
    /// The first anchor that may be the lowest at most: what is newer is not yet in its tables.
    pub fn lowest_max(&self) -> u64 {
        self.head().0.height.saturating_sub(JOURNALS)
    }

    /// Forgets a part, at most about `most` receipts; answers whether it was the last one.
    /// Never more than [`BookStore::lowest_max`] allows.
    pub fn prune(&self, pruning: &mut Pruning, most: usize) -> Result<bool, StoreFault> {
        // No anchor is committed meanwhile, and none of what is published is lost.
        let _tree = self.tree.write().unwrap_or_else(|e| e.into_inner());
        let published = self.published();
        let lowest = pruning.lowest.min(self.lowest_max());
        if lowest <= 1 {
            return Ok(true);
        }
        let write = begin_write(&self.db)?;
        let lowest = lowest.max(self.lowest());
        restoring::put_lowest(&write, lowest)?;
        let are_receipts_done = forget_receipts(&write, lowest, most)?;
        // An anchor goes after its receipts: what is left says where to go on.
        let is_done = are_receipts_done
            && forget_anchors(&write, lowest, &mut pruning.blocks)?
            && forget_names(&write, pruning, lowest, most)?;
        write.commit().map_err(fault)?;
        self.lowest.store(lowest, Ordering::Relaxed);
        let (head, roots) = (published.head.clone(), published.roots);
        let recent = published.current.recent.clone();
        let current = Arc::new(Current::new(&self.db, recent)?);
        self.publish(Published { head, roots, current, before: published.before.clone() });
        Ok(is_done)
    }
}

fn forget_receipts(write: &WriteTransaction, lowest: u64, most: usize) -> Result<bool, StoreFault> {
    let mut table = write.open_table(RECEIPTS).map_err(fault)?;
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    for entry in table.range(..(lowest, 0)).map_err(fault)? {
        if found.len() >= most {
            break;
        }
        let (first, bytes) = entry.map_err(fault)?;
        rows.push(first.value());
        for (_, bytes) in neighbours(first.value(), bytes.value()) {
            found.push(read_receipt(bytes)?);
        }
    }
    for row in &rows {
        table.remove(*row).map_err(fault)?;
    }
    forget_places(write, &found)?;
    Ok(found.len() < most)
}

/// Forgets where receipts are found by event, number and account.
fn forget_places(write: &WriteTransaction, receipts: &[Receipt]) -> Result<(), StoreFault> {
    let mut events = write.open_table(EVENTS).map_err(fault)?;
    let mut numbers = write.open_table(NUMBERS).map_err(fault)?;
    let mut history = write.open_table(HISTORY).map_err(fault)?;
    for receipt in receipts {
        let place = (receipt.height, receipt.index);
        for account in receipt.accounts() {
            history.remove((&account.0, place.0, place.1)).map_err(fault)?;
        }
        let Subject::Event(event) = &receipt.subject else { continue };
        // Its bytes may have been sequenced again since.
        let own = events.get(&event.id.0).map_err(fault)?.map(|own| own.value());
        if own == Some(place) {
            events.remove(&event.id.0).map_err(fault)?;
        }
        // One row stands for a run; its first event is one of these.
        let number = (event.zone.0, event.number);
        let run = numbers.get(number).map_err(fault)?.map(|run| run.value());
        if run.is_some_and(|(height, index, _)| (height, index) == place) {
            numbers.remove(number).map_err(fault)?;
        }
    }
    Ok(())
}

/// The anchor before the lowest stays: what follows names it.
fn forget_anchors(
    write: &WriteTransaction,
    lowest: u64,
    blocks: &mut BTreeMap<Zone, (u64, u64)>,
) -> Result<bool, StoreFault> {
    let mut table = write.open_table(ANCHORS).map_err(fault)?;
    let mut heights = Vec::new();
    for entry in table.range(..lowest).map_err(fault)?.take(ANCHORS_AT_ONCE) {
        let (height, bytes) = entry.map_err(fault)?;
        heights.push(height.value());
        let record = read_anchor(bytes.value(), height.value())?;
        let body = AnchorBody::decode(&record.body);
        let body = body.map_err(|_| StoreFault::damaged("an anchor's body"))?;
        for tip in body.tips.items() {
            let highest = blocks.entry(tip.zone).or_default();
            *highest = (*highest).max((tip.term, tip.height));
        }
    }
    let last = lowest.saturating_sub(1);
    for height in heights.iter().filter(|height| **height < last) {
        table.remove(*height).map_err(fault)?;
    }
    Ok(heights.len() < ANCHORS_AT_ONCE)
}

fn forget_names(
    write: &WriteTransaction,
    pruning: &mut Pruning,
    lowest: u64,
    most: usize,
) -> Result<bool, StoreFault> {
    if pruning.are_names_done {
        return Ok(true);
    }
    let mut table = write.open_table(NAMED).map_err(fault)?;
    let (mut old, mut looked, mut last) = (Vec::new(), 0_usize, None);
    let after = pruning.naming.take();
    let after = after.as_ref().map(|(programme, name, height, index)| {
        Bound::Excluded((*programme, name.as_slice(), *height, *index))
    });
    let range = (after.unwrap_or(Bound::Unbounded), Bound::Unbounded);
    for entry in table.range::<(u16, &[u8], u64, u32)>(range).map_err(fault)?.take(most) {
        let (key, _) = entry.map_err(fault)?;
        let (programme, name, height, index) = key.value();
        let naming = (programme, name.to_vec(), height, index);
        if height < lowest {
            old.push(naming.clone());
        }
        last = Some(naming);
        looked = looked.saturating_add(1);
    }
    for (programme, name, height, index) in &old {
        table.remove((*programme, name.as_slice(), *height, *index)).map_err(fault)?;
    }
    pruning.are_names_done = looked < most;
    pruning.naming = last;
    Ok(pruning.are_names_done)
}

impl LaneStore {
    /// Forgets blocks of earlier terms and, in this one, those up to this height, a few at a
    /// time; answers whether those were the last. The block at a lane's anchored tip must stay:
    /// its router goes on from it.
    pub fn forget(&self, zone: Zone, (term, height): (u64, u64)) -> Result<bool, StoreFault> {
        let write = begin_write(&self.db)?;
        let is_done = {
            let mut blocks = write.open_table(BLOCKS).map_err(fault)?;
            let mut parts = write.open_table(PARTS).map_err(fault)?;
            let mut others = write.open_table(OTHERS).map_err(fault)?;
            let mut places = Vec::new();
            let old = blocks.range((zone.0, 0, 0)..=(zone.0, term, height)).map_err(fault)?;
            for entry in old.take(BLOCKS_AT_ONCE) {
                places.push(entry.map_err(fault)?.0.value());
            }
            for (zone, term, height) in &places {
                blocks.remove((*zone, *term, *height)).map_err(fault)?;
                let of_block = (*zone, *term, *height, 0)..=(*zone, *term, *height, u32::MAX);
                parts.retain_in(of_block, |_, _| false).map_err(fault)?;
                let beside =
                    (*zone, *term, *height, &[0; 32])..=(*zone, *term, *height, &[0xff; 32]);
                others.retain_in(beside, |_, _| false).map_err(fault)?;
            }
            places.len() < BLOCKS_AT_ONCE
        };
        write.commit().map_err(fault)?;
        Ok(is_done)
    }
}
