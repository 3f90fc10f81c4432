//! Copies of stores while they are written to: every row as of one moment, in a new file.
//!
//! A copy of the book that is begun before the copy of the lanes never names a block that
//! the latter lacks: a block is in `lanes.redb` before any anchor covers it (spec STO-8).

use std::collections::BTreeSet;
use std::path::Path;

use redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError,
    TableHandle, Value, WriteTransaction,
};

use super::book::{ANCHORS, HANDOVERS, INDEX, JOURNAL, STATE};
use super::history::{EVENTS, HISTORY, NAMED, NUMBERS, RECEIPTS};
use super::lanes::{BLOCKS, LaneStore, OTHERS, PARTS, PROPOSALS};
use super::open::{CACHE_BYTES, META, begin_write, fault, open_fault};
use super::snapshot::Snapshot;
use crate::fault::{FaultKind, StoreFault};
use crate::ids::Zone;

/// Copies tables of a store, as they were at one moment, into a new file.
pub struct Copier<'a> {
    from: &'a ReadTransaction,
    to: WriteTransaction,
    copied: BTreeSet<String>,
    _db: Database,
}

impl<'a> Copier<'a> {
    /// Begins a new file, which must not be there yet; version and chain are copied first.
    pub fn begin(from: &'a ReadTransaction, path: &Path) -> Result<Copier<'a>, StoreFault> {
        if path.exists() {
            let words = format!("{} is there already: it is never replaced", path.display());
            return Err(StoreFault::new(FaultKind::Disk, words));
        }
        let name = path.display().to_string();
        let mut builder = Database::builder();
        let created = builder.set_cache_size(CACHE_BYTES).create(path);
        let db = created.map_err(|error| open_fault(&name, error))?;
        let to = begin_write(&db)?;
        let mut copier = Copier { from, to, copied: BTreeSet::new(), _db: db };
        copier.table(META)?;
        Ok(copier)
    }

    /// Copies one table; one that is not there yet has no rows.
    pub fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        definition: TableDefinition<K, V>,
    ) -> Result<(), StoreFault> {
        self.copied.insert(definition.name().to_string());
        let mut into = self.to.open_table(definition).map_err(fault)?;
        let rows = match self.from.open_table(definition) {
            Ok(rows) => rows,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(fault(error)),
        };
        for row in rows.iter().map_err(fault)? {
            let (key, value) = row.map_err(fault)?;
            into.insert(key.value(), value.value()).map_err(fault)?;
        }
        Ok(())
    }

    /// Makes the copy durable.
    ///
    /// # Errors
    /// Also when the store has a table that was not copied: a copy is whole or none.
    pub fn finish(self) -> Result<(), StoreFault> {
        let left = self.from.list_tables().map_err(fault)?;
        let mut left = left.map(|table| table.name().to_string());
        if let Some(name) = left.find(|name| !self.copied.contains(name)) {
            let words = format!("the table {name} was not copied; report this");
            return Err(StoreFault::new(FaultKind::Disk, words));
        }
        self.to.commit().map_err(fault)
    }
}

impl Snapshot {
    /// Writes the whole book as of this snapshot into a new file, durably.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreFault> {
        let mut copier = Copier::begin(&self.current.read, path)?;
        copier.table(STATE)?;
        copier.table(JOURNAL)?;
        copier.table(INDEX)?;
        copier.table(ANCHORS)?;
        copier.table(RECEIPTS)?;
        copier.table(EVENTS)?;
        copier.table(NUMBERS)?;
        copier.table(HISTORY)?;
        copier.table(NAMED)?;
        copier.table(HANDOVERS)?;
        copier.finish()
    }
}

/// The lanes as of one moment.
pub struct LaneSnapshot {
    read: ReadTransaction,
}

impl LaneStore {
    /// The lanes as they are now; later blocks do not change it.
    pub fn snapshot(&self) -> Result<LaneSnapshot, StoreFault> {
        Ok(LaneSnapshot { read: self.db.begin_read().map_err(fault)? })
    }
}

impl LaneSnapshot {
    /// The last block that was sealed in a lane's term; `None` without one.
    pub fn sealed(&self, zone: Zone, term: u64) -> Result<Option<u64>, StoreFault> {
        let table = self.read.open_table(BLOCKS).map_err(fault)?;
        let mut range = table.range((zone.0, term, 0)..=(zone.0, term, u64::MAX)).map_err(fault)?;
        let last = range.next_back().transpose().map_err(fault)?;
        Ok(last.map(|(place, _)| place.value().2))
    }

    /// Writes all lanes as of this snapshot into a new file, durably.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreFault> {
        let mut copier = Copier::begin(&self.read, path)?;
        copier.table(BLOCKS)?;
        copier.table(PARTS)?;
        copier.table(PROPOSALS)?;
        copier.table(OTHERS)?;
        copier.finish()
    }
}
