//! Making a book from the rows of a certified state, without the history before it.
//!
//! Until the last step the file says that it is being made, and nobody opens it: what a kill
//! or a power cut leaves behind is thrown away and made again (spec SNP-9 … SNP-11).

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::book::{ANCHORS, AnchorRecord, BookStore, HANDOVERS, HeadRecord, JOURNAL, STATE};
use super::commit::{put_indexes, put_journal, put_rows};
use super::open::{Backend, META, begin_write, fault, open, without_panic};
use super::opening;
use super::sorting::Sorter;
use crate::anchor::{AnchorBody, Roots};
use crate::audit::audit;
use crate::codec::encode;
use crate::fault::{FaultKind, StoreFault};
use crate::genesis::Genesis;
use crate::proof::{CertifiedAnchor, Handover};
use crate::registry::Registry;
use crate::state::{Changes, Page, StateReader};
use crate::system::{Head, Validators};

/// Rows written at one time.
const PAGE: usize = 50_000;
/// Present while the book is being made.
const MAKING: &str = "making";
/// The lowest anchor that is here with its blocks and receipts; 1 where it is not said.
const LOWEST: &str = "lowest";

/// Where a state stands in the history: what its rows do not say.
pub struct Standing {
    /// The anchor after which it holds.
    pub anchor: CertifiedAnchor,
    /// The certified roots after it.
    pub roots: Roots,
    /// Every change of validators up to it, in order.
    pub handovers: Vec<Handover>,
}

/// A book that is being made.
pub struct Restoring {
    db: Database,
    genesis: Genesis,
    registry: Registry,
    rows: Sorter,
}

impl Restoring {
    /// Begins a book in an empty file. Rows beyond 64 MiB wait in `folder`, which is this
    /// function's own: whatever is in it is removed.
    ///
    /// # Errors
    /// The disk failed, or the file has something in it.
    pub fn begin(
        backend: Backend,
        genesis: &Genesis,
        registry: Registry,
        folder: &Path,
    ) -> Result<Restoring, StoreFault> {
        without_panic(|| {
            let rows = Sorter::in_folder(folder)?;
            let db = open(backend, genesis.chain())?;
            opening::create_tables(&db)?;
            let write = begin_write(&db)?;
            {
                let state = write.open_table(STATE).map_err(fault)?;
                let journal = write.open_table(JOURNAL).map_err(fault)?;
                let mut meta = write.open_table(META).map_err(fault)?;
                if state.first().map_err(fault)?.is_some()
                    || journal.first().map_err(fault)?.is_some()
                {
                    let words = "a book is made in an empty file: remove this one first";
                    return Err(StoreFault::new(FaultKind::Disk, words));
                }
                meta.insert(MAKING, [1].as_slice()).map_err(fault)?;
            }
            write.commit().map_err(fault)?;
            Ok(Restoring { db, genesis: genesis.clone(), registry, rows })
        })
    }

    /// Adds rows, in whatever order, each once.
    ///
    /// # Errors
    /// The disk failed: begin anew.
    pub fn add(&mut self, rows: Page) -> Result<(), StoreFault> {
        rows.into_iter().try_for_each(|row| self.rows.add(row))
    }

    /// Ends it: the rows must hash to the certified root, name this anchor, and pass the
    /// audit. Durable when this returns.
    ///
    /// # Errors
    /// They do not, or the disk failed: begin anew.
    pub fn finish(self, standing: &Standing) -> Result<BookStore, StoreFault> {
        without_panic(|| self.finish_at(standing))
    }

    fn finish_at(self, standing: &Standing) -> Result<BookStore, StoreFault> {
        let Restoring { db, genesis, registry, rows } = self;
        let height = standing.anchor.certificate.height;
        put_sorted(&db, &registry, rows)?;
        put_standing(&db, standing, height)?;
        let (_, published) = opening::read(&db, &genesis)?;
        let snapshot = super::snapshot::Snapshot::new(published.current.clone());
        let body = AnchorBody::decode(&standing.anchor.body.0);
        let body = body.map_err(|_| StoreFault::damaged("the snapshot's anchor"))?;
        let next = Validators::read(&snapshot).map(|validators| validators.next.hash());
        if published.head.anchor != body.id() || next != Some(body.next_validators) {
            return Err(StoreFault::damaged("the snapshot's rows are of another anchor"));
        }
        let broken = audit(&registry, &snapshot);
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        if !broken.is_empty() {
            return Err(StoreFault::damaged(format!("the audit finds: {}", broken.join("; "))));
        }
        drop((snapshot, published));
        let write = begin_write(&db)?;
        write.open_table(META).map_err(fault)?.remove(MAKING).map_err(fault)?;
        write.commit().map_err(fault)?;
        BookStore::of(db, &genesis, registry)
    }
}

/// By ascending keys, so that each page of the file is written once.
fn put_sorted(db: &Database, registry: &Registry, rows: Sorter) -> Result<(), StoreFault> {
    let mut rows = rows.sorted()?;
    loop {
        let page: Result<Changes, StoreFault> = rows
            .by_ref()
            .take(PAGE)
            .map(|row| row.map(|(key, value)| (key, Some(value))))
            .collect();
        let page = page?;
        if page.is_empty() {
            return Ok(());
        }
        let write = begin_write(db)?;
        put_rows(&write, page.iter().map(|(key, change)| (key.as_slice(), change)))?;
        put_indexes(&write, registry, &page, |_| Ok(None))?;
        write.commit().map_err(fault)?;
    }
}

fn put_standing(db: &Database, standing: &Standing, height: u64) -> Result<(), StoreFault> {
    let head = {
        let read = db.begin_read().map_err(fault)?;
        let rows = Rows(read.open_table(STATE).map_err(fault)?);
        let head = Head::read(&crate::state::Overlay::new(&rows));
        head.filter(|head| head.height == height)
    };
    let head = head.ok_or_else(|| StoreFault::damaged("the snapshot's rows have another head"))?;
    let Head { time, clock, epoch, receipts, .. } = head;
    let CertifiedAnchor { body, certificate } = &standing.anchor;
    let record = AnchorRecord {
        body: body.0.clone(),
        certificate: certificate.clone(),
        roots: standing.roots,
        head: HeadRecord { time, clock, epoch, receipts },
    };
    let write = begin_write(db)?;
    {
        let mut anchors = write.open_table(ANCHORS).map_err(fault)?;
        anchors.insert(height, encode(&record).as_slice()).map_err(fault)?;
        let mut handovers = write.open_table(HANDOVERS).map_err(fault)?;
        for handover in &standing.handovers {
            let at = handover.anchor.certificate.height;
            handovers.insert(at, encode(handover).as_slice()).map_err(fault)?;
        }
        put_journal(&write, height, &Changes::new())?;
    }
    put_lowest(&write, height.saturating_add(1))?;
    write.commit().map_err(fault)
}

struct Rows(redb::ReadOnlyTable<&'static [u8], &'static [u8]>);

impl StateReader for Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.0.get(key).map_err(fault)?.map(|value| value.value().to_vec()))
    }

    fn after(&self, _: &[u8], _: &[u8], _: usize) -> Result<Page, StoreFault> {
        Ok(Page::new())
    }
}

/// Refuses a book that was never finished.
pub(super) fn check(db: &Database) -> Result<(), StoreFault> {
    match entry(db, MAKING)? {
        None => Ok(()),
        Some(_) => {
            let words = "the book was being made from a snapshot and is not whole: remove \
                         book.redb and start again";
            Err(StoreFault::new(FaultKind::Damaged, words))
        }
    }
}

/// Notes which anchor is the lowest here.
pub(super) fn put_lowest(write: &WriteTransaction, lowest: u64) -> Result<(), StoreFault> {
    let mut meta = write.open_table(META).map_err(fault)?;
    meta.insert(LOWEST, lowest.to_le_bytes().as_slice()).map_err(fault)?;
    Ok(())
}

/// The lowest anchor that is here with its blocks and receipts.
pub(super) fn lowest(db: &Database) -> Result<u64, StoreFault> {
    let Some(bytes) = entry(db, LOWEST)? else { return Ok(1) };
    let bytes = bytes.try_into().map_err(|_| StoreFault::damaged("its lowest height"))?;
    Ok(u64::from_le_bytes(bytes))
}

fn entry(db: &Database, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
    let read = db.begin_read().map_err(fault)?;
    let meta = read.open_table(META).map_err(fault)?;
    let value = meta.get(key).map_err(fault)?;
    Ok(value.map(|value| value.value().to_vec()))
}
