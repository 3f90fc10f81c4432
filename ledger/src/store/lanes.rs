//! `lanes.redb`: sealed blocks and consensus proposals.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::open::{Backend, begin_write, fault, open, without_panic};
use super::parts::{cut, event_in, events_of};
use crate::fault::{FaultKind, StoreFault};
use crate::hash::{Domain, Hash};
use crate::ids::{ChainId, Zone};

pub(super) const BLOCKS: TableDefinition<(u32, u64, u64), &[u8]> = TableDefinition::new("blocks");
/// By block and place of the first event: the events that do not stand with the head.
pub(super) const PARTS: TableDefinition<(u32, u64, u64, u32), &[u8]> =
    TableDefinition::new("parts");
pub(super) const PROPOSALS: TableDefinition<(u64, u32, &[u8]), &[u8]> =
    TableDefinition::new("proposals");

/// Blocks that an anchor named although another stands at their place.
pub(super) const OTHERS: TableDefinition<(u32, u64, u64, &[u8; 32]), &[u8]> =
    TableDefinition::new("others");

/// Most proposals kept for one height.
pub const PROPOSALS_MAX: usize = 1_024;

/// A block's bytes, put together again.
fn whole(
    blocks: &impl ReadableTable<(u32, u64, u64), &'static [u8]>,
    parts: &impl ReadableTable<(u32, u64, u64, u32), &'static [u8]>,
    place: (u32, u64, u64),
) -> Result<Option<Vec<u8>>, StoreFault> {
    let Some(head) = blocks.get(place).map_err(fault)? else { return Ok(None) };
    let mut bytes = head.value().to_vec();
    let (zone, term, height) = place;
    let range = (zone, term, height, 0)..=(zone, term, height, u32::MAX);
    for part in parts.range(range).map_err(fault)? {
        bytes.extend_from_slice(part.map_err(fault)?.1.value());
    }
    Ok(Some(bytes))
}

/// What a router must never forget.
pub struct LaneStore {
    pub(super) db: Database,
}

impl LaneStore {
    /// Opens or creates the store of a chain.
    pub fn open(backend: Backend, chain: ChainId) -> Result<LaneStore, StoreFault> {
        without_panic(|| LaneStore::open_at(backend, chain))
    }

    fn open_at(backend: Backend, chain: ChainId) -> Result<LaneStore, StoreFault> {
        let db = open(backend, chain)?;
        let write = begin_write(&db)?;
        write.open_table(BLOCKS).map_err(fault)?;
        write.open_table(PARTS).map_err(fault)?;
        write.open_table(PROPOSALS).map_err(fault)?;
        write.open_table(OTHERS).map_err(fault)?;
        write.commit().map_err(fault)?;
        Ok(LaneStore { db })
    }

    /// Writes a block durably. A block already there is never replaced.
    pub fn put_block(
        &self,
        zone: Zone,
        term: u64,
        height: u64,
        bytes: &[u8],
    ) -> Result<(), StoreFault> {
        let write = begin_write(&self.db)?;
        {
            let mut table = write.open_table(BLOCKS).map_err(fault)?;
            let mut own_parts = write.open_table(PARTS).map_err(fault)?;
            let place = (zone.0, term, height);
            let there = whole(&table, &own_parts, place)?.map(|old| old == bytes);
            let (head, parts) = cut(bytes);
            match there {
                Some(true) => return Ok(()),
                Some(false) => {
                    let words = format!("another block stands at {zone}/{term}/{height}");
                    return Err(StoreFault::damaged(words));
                }
                None => table.insert(place, head).map_err(fault)?,
            };
            for (first, part) in parts {
                own_parts.insert((place.0, place.1, place.2, first), part).map_err(fault)?;
            }
        }
        write.commit().map_err(fault)
    }

    /// A block's bytes.
    pub fn block(&self, zone: Zone, term: u64, height: u64) -> Result<Option<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let table = read.open_table(BLOCKS).map_err(fault)?;
        let parts = read.open_table(PARTS).map_err(fault)?;
        whole(&table, &parts, (zone.0, term, height))
    }

    /// The bytes of the event with this id at a place of a block, or of another block that
    /// stands beside it.
    pub fn event(
        &self,
        block: (Zone, u64, u64),
        place: u32,
        id: &Hash,
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        let is_it = |bytes: &Vec<u8>| Domain::EVENT_ID.hash(&[bytes]) == *id;
        if let Some(event) = self.event_at(block, place)?.filter(is_it) {
            return Ok(Some(event));
        }
        let (zone, term, height) = block;
        let read = self.db.begin_read().map_err(fault)?;
        let others = read.open_table(OTHERS).map_err(fault)?;
        let range = (zone.0, term, height, &[0; 32])..=(zone.0, term, height, &[0xff; 32]);
        for other in others.range(range).map_err(fault)? {
            let (_, bytes) = other.map_err(fault)?;
            let event = events_of(bytes.value()).and_then(|events| event_in(events, place));
            if let Some(event) = event.map(<[u8]>::to_vec).filter(is_it) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn event_at(
        &self,
        (zone, term, height): (Zone, u64, u64),
        place: u32,
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let parts = read.open_table(PARTS).map_err(fault)?;
        let range = (zone.0, term, height, 0)..=(zone.0, term, height, place);
        let part = parts.range(range).map_err(fault)?.next_back().transpose().map_err(fault)?;
        if let Some((first, part)) = part {
            let place = place.saturating_sub(first.value().3);
            return Ok(event_in(part.value(), place).map(<[u8]>::to_vec));
        }
        let block = read.open_table(BLOCKS).map_err(fault)?;
        let block = block.get((zone.0, term, height)).map_err(fault)?;
        let found = |bytes: &[u8]| event_in(events_of(bytes)?, place).map(<[u8]>::to_vec);
        Ok(block.and_then(|block| found(block.value())))
    }

    /// Writes a block durably beside the one that stands at its place: a router signed two,
    /// and an anchor names the other.
    pub fn put_other(
        &self,
        (zone, term, height): (Zone, u64, u64),
        id: &[u8; 32],
        bytes: &[u8],
    ) -> Result<(), StoreFault> {
        let write = begin_write(&self.db)?;
        let place = (zone.0, term, height, id);
        write.open_table(OTHERS).map_err(fault)?.insert(place, bytes).map_err(fault)?;
        write.commit().map_err(fault)
    }

    /// A block's bytes, if it was written beside another.
    pub fn other(
        &self,
        (zone, term, height): (Zone, u64, u64),
        id: &[u8; 32],
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let table = read.open_table(OTHERS).map_err(fault)?;
        let block = table.get((zone.0, term, height, id)).map_err(fault)?;
        Ok(block.map(|bytes| bytes.value().to_vec()))
    }

    /// At most `limit` blocks of a lane after `height` that stand beside another, in order.
    pub fn others_after(
        &self,
        zone: Zone,
        term: u64,
        height: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let table = read.open_table(OTHERS).map_err(fault)?;
        let first = (zone.0, term, height.saturating_add(1), &[0; 32]);
        let range = table.range(first..=(zone.0, term, u64::MAX, &[0xff; 32])).map_err(fault)?;
        range.take(limit).map(|entry| Ok(entry.map_err(fault)?.1.value().to_vec())).collect()
    }

    /// At most `limit` blocks of a lane after `height`, in order.
    pub fn blocks_after(
        &self,
        zone: Zone,
        term: u64,
        height: u64,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let table = read.open_table(BLOCKS).map_err(fault)?;
        let parts = read.open_table(PARTS).map_err(fault)?;
        let first = (zone.0, term, height.saturating_add(1));
        let range = table.range(first..=(zone.0, term, u64::MAX)).map_err(fault)?;
        let mut blocks = Vec::new();
        for entry in range.take(limit) {
            let place = entry.map_err(fault)?.0.value();
            blocks.extend(whole(&table, &parts, place)?);
        }
        Ok(blocks)
    }

    /// Writes a proposal durably, and forgets those of heights long decided.
    pub fn put_proposal(
        &self,
        height: u64,
        round: u32,
        id: &[u8; 32],
        bytes: &[u8],
    ) -> Result<(), StoreFault> {
        let write = begin_write(&self.db)?;
        {
            let mut table = write.open_table(PROPOSALS).map_err(fault)?;
            let old = (height.saturating_sub(2), 0, [].as_slice());
            table.retain_in(..old, |_, _| false).map_err(fault)?;
            let lowest = (height, 0, [].as_slice());
            let highest = (height, u32::MAX, [0xff; 33]);
            let highest = (highest.0, highest.1, highest.2.as_slice());
            if table.get((height, round, id.as_slice())).map_err(fault)?.is_some() {
                return Ok(());
            }
            let kept = table.range(lowest..highest).map_err(fault)?.count();
            if kept >= PROPOSALS_MAX {
                let words = format!("over {PROPOSALS_MAX} proposals for anchor {height}");
                return Err(StoreFault::new(FaultKind::Full, words));
            }
            table.insert((height, round, id.as_slice()), bytes).map_err(fault)?;
        }
        write.commit().map_err(fault)
    }

    /// The proposals kept for a height.
    pub fn proposals(&self, height: u64) -> Result<Vec<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let table = read.open_table(PROPOSALS).map_err(fault)?;
        let end = [0xff; 33];
        let range = (height, 0, [].as_slice())..(height, u32::MAX, end.as_slice());
        let mut proposals = Vec::new();
        for entry in table.range(range).map_err(fault)?.take(PROPOSALS_MAX) {
            proposals.push(entry.map_err(fault)?.1.value().to_vec());
        }
        Ok(proposals)
    }
}
