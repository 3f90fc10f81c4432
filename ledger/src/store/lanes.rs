//! `lanes.redb`: sealed blocks and consensus proposals.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::open::{Backend, begin_write, fault, open, without_panic};
use crate::fault::{FaultKind, StoreFault};
use crate::ids::{ChainId, Zone};

pub(super) const BLOCKS: TableDefinition<(u32, u64, u64), &[u8]> = TableDefinition::new("blocks");
pub(super) const PROPOSALS: TableDefinition<(u64, u32, &[u8]), &[u8]> =
    TableDefinition::new("proposals");

/// Blocks that an anchor named although another stands at their place.
pub(super) const OTHERS: TableDefinition<(u32, u64, u64, &[u8; 32]), &[u8]> =
    TableDefinition::new("others");

/// Most proposals kept for one height.
pub const PROPOSALS_MAX: usize = 1_024;

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
            let place = (zone.0, term, height);
            let there = table.get(place).map_err(fault)?.map(|old| old.value() == bytes);
            match there {
                Some(true) => return Ok(()),
                Some(false) => {
                    let words = format!("another block stands at {zone}/{term}/{height}");
                    return Err(StoreFault::damaged(words));
                }
                None => table.insert(place, bytes).map_err(fault)?,
            };
        }
        write.commit().map_err(fault)
    }

    /// A block's bytes.
    pub fn block(&self, zone: Zone, term: u64, height: u64) -> Result<Option<Vec<u8>>, StoreFault> {
        let read = self.db.begin_read().map_err(fault)?;
        let table = read.open_table(BLOCKS).map_err(fault)?;
        let block = table.get((zone.0, term, height)).map_err(fault)?;
        Ok(block.map(|bytes| bytes.value().to_vec()))
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
        let first = (zone.0, term, height.saturating_add(1));
        let range = table.range(first..=(zone.0, term, u64::MAX)).map_err(fault)?;
        let mut blocks = Vec::new();
        for entry in range.take(limit) {
            blocks.push(entry.map_err(fault)?.1.value().to_vec());
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
