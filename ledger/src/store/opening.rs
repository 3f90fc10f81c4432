//! Opening a book: from its genesis, or from the tables and the journals of the last anchors.

use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable};

use super::book::{ANCHORS, AnchorRecord, HANDOVERS, INDEX, JOURNAL, Published, STATE};
use super::commit::{put_indexes, put_journal, put_rows};
use super::current::Current;
use super::history;
use super::open::{begin_write, fault};
use super::recent::Recent;
use super::snapshot::Snapshot;
use crate::anchor::Roots;
use crate::codec::decode;
use crate::fault::{FaultKind, StoreFault};
use crate::genesis::Genesis;
use crate::registry::Registry;
use crate::state::{Changes, StateTree};
use crate::system::Head;

const JOURNAL_BYTES_MAX: usize = 1 << 30;
const PAGE: usize = 50_000;

/// Refuses a book that an earlier release wrote: what its anchors wrote is not where this one
/// looks for it.
pub(super) fn check(db: &Database) -> Result<(), StoreFault> {
    let read = db.begin_read().map_err(fault)?;
    let anchors = match read.open_table(ANCHORS) {
        Ok(anchors) => anchors,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(fault(error)),
    };
    let is_empty = anchors.first().map_err(fault)?.is_none();
    match read.open_table(JOURNAL) {
        Ok(_) => Ok(()),
        Err(redb::TableError::TableDoesNotExist(_)) if is_empty => Ok(()),
        Err(redb::TableError::TableDoesNotExist(_)) => {
            let words = "the book was written by an earlier release, in another format: use that \
                         release, or start with another data folder and sync again";
            Err(StoreFault::new(FaultKind::Older, words))
        }
        Err(error) => Err(fault(error)),
    }
}

pub(super) fn create_tables(db: &Database) -> Result<(), StoreFault> {
    let write = begin_write(db)?;
    write.open_table(STATE).map_err(fault)?;
    write.open_table(JOURNAL).map_err(fault)?;
    write.open_table(INDEX).map_err(fault)?;
    write.open_table(ANCHORS).map_err(fault)?;
    history::create_tables(&write)?;
    write.open_table(HANDOVERS).map_err(fault)?;
    write.commit().map_err(fault)
}

/// Writes the genesis into a book that is empty.
pub(super) fn start(
    db: &Database,
    genesis: &Genesis,
    registry: &Registry,
) -> Result<(), StoreFault> {
    let write = begin_write(db)?;
    {
        let journal = write.open_table(JOURNAL).map_err(fault)?;
        if journal.last().map_err(fault)?.is_some() {
            return Ok(());
        }
    }
    let state = genesis.state();
    let state = state.map_err(|e| StoreFault::new(FaultKind::WrongChain, e.to_string()))?;
    put_rows(&write, state.changes.iter().map(|(key, change)| (key.as_slice(), change)))?;
    put_indexes(&write, registry, &state.changes, |_| Ok(None))?;
    put_journal(&write, 0, &Changes::new())?;
    write.commit().map_err(fault)
}

/// Reads what waits from the journals, and rebuilds the tree: first as it was before the last
/// anchor, then with that anchor's rows.
pub(super) fn read(db: &Database, genesis: &Genesis) -> Result<(StateTree, Published), StoreFault> {
    let journals = journals(db)?;
    // A book made from a snapshot knows nothing of the state before, until its next anchor.
    let is_before_known = journals.len() > 1;
    let mut journals = journals.into_iter();
    let (last, newest) =
        journals.next_back().ok_or_else(|| StoreFault::damaged("its journals are missing"))?;
    let mut recent = Recent::default();
    for (height, changes) in journals {
        replay(db, &mut recent, height, &changes)?;
    }
    let before = Arc::new(Current::new(db, recent.clone())?);
    replay(db, &mut recent, last, &newest)?;
    let current = Arc::new(Current::new(db, recent)?);
    let snapshot = Snapshot::new(current.clone());
    let head = Head::read(&snapshot).ok_or_else(|| StoreFault::damaged("it has no head"))?;
    let roots = roots(&snapshot, &head, genesis)?;
    let mut tree = tree_of(&before)?;
    tree.apply(&newest);
    let anchors = current.read.open_table(ANCHORS).map_err(fault)?;
    let decided = anchors.last().map_err(fault)?.map_or(0, |(height, _)| height.value());
    if (head.height, decided) != (last, last) || tree.root() != roots.state {
        return Err(StoreFault::damaged("its rows do not hash to the agreed state root"));
    }
    let before = is_before_known.then_some(before);
    Ok((tree, Published { head, roots, current, before }))
}

/// The journals, which must be of neighbouring anchors.
fn journals(db: &Database) -> Result<Vec<(u64, Changes)>, StoreFault> {
    let read = db.begin_read().map_err(fault)?;
    let table = read.open_table(JOURNAL).map_err(fault)?;
    let mut journals: Vec<(u64, Changes)> = Vec::new();
    for entry in table.iter().map_err(fault)? {
        let (height, bytes) = entry.map_err(fault)?;
        let height = height.value();
        let is_next = journals.last().is_none_or(|(last, _)| last.checked_add(1) == Some(height));
        let changes = decode(bytes.value(), JOURNAL_BYTES_MAX);
        let changes = changes.map_err(|_| StoreFault::damaged("a journal"))?;
        if !is_next {
            return Err(StoreFault::damaged(format!("the journal before anchor {height} is lost")));
        }
        journals.push((height, changes));
    }
    Ok(journals)
}

fn replay(
    db: &Database,
    recent: &mut Recent,
    height: u64,
    changes: &Changes,
) -> Result<(), StoreFault> {
    let earlier = Arc::new(Current::new(db, recent.clone())?);
    let receipts = Snapshot::new(earlier.clone()).receipts(height, 0, usize::MAX)?;
    recent.add(height, changes, &receipts, |id| earlier.is_executed(id))
}

fn tree_of(current: &Current) -> Result<StateTree, StoreFault> {
    let mut tree = StateTree::default();
    let mut after = Vec::new();
    loop {
        let page = current.rows(&[], &after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(tree) };
        after = last.clone();
        tree.apply(&page.into_iter().map(|(key, value)| (key, Some(value))).collect());
    }
}

fn roots(snapshot: &Snapshot, head: &Head, genesis: &Genesis) -> Result<Roots, StoreFault> {
    let record: Option<AnchorRecord> = snapshot.anchor(head.height)?;
    match record {
        Some(record) => Ok(record.roots),
        None if head.height == 0 => {
            let state = genesis.state();
            let state = state.map_err(|e| StoreFault::new(FaultKind::WrongChain, e.to_string()))?;
            Ok(state.roots)
        }
        None => Err(StoreFault::damaged("its last anchor is missing")),
    }
}
