//! `book.redb`: opening, committing an anchor, and what was certified last.

use std::sync::{Arc, RwLock};

use borsh::{BorshDeserialize, BorshSerialize};
use redb::{Database, ReadableDatabase, TableDefinition, WriteTransaction};

use super::history;
use super::open::{Backend, META, begin_write, fault, open, without_panic};
use super::snapshot::Snapshot;
use crate::anchor::Roots;
use crate::certificate::Certificate;
use crate::codec::{decode, encode};
use crate::execute::Executed;
use crate::fault::{FaultKind, StoreFault};
use crate::genesis::Genesis;
use crate::hash::Hash;
use crate::ids::ChainId;
use crate::proof::{CertifiedAnchor, Handover, Hex};
use crate::registry::Registry;
use crate::state::{Changes, Overlay, StateReader, StateTree, TreeProof, Version};
use crate::system::{Head, Validators};
use crate::table::{IndexInfo, index_prefix};

type Bytes = &'static [u8];
pub(super) const STATE: TableDefinition<Bytes, Bytes> = TableDefinition::new("state");
pub(super) const INDEX: TableDefinition<Bytes, Bytes> = TableDefinition::new("index");
pub(super) const ANCHORS: TableDefinition<u64, Bytes> = TableDefinition::new("anchors");
pub(super) const HANDOVERS: TableDefinition<u64, Bytes> = TableDefinition::new("handovers");
/// In META: the rows that the last anchor replaced, so that the state before it, the last
/// certified one, can still be read and proven after a restart.
const UNDO: &str = "undo";
const UNDO_BYTES_MAX: usize = 1 << 30;

/// An anchor as it was decided, and the roots after executing it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AnchorRecord {
    /// The body's canonical bytes.
    pub body: Vec<u8>,
    /// 2f+1 precommits for it.
    pub certificate: Certificate,
    /// The state's and the receipts' roots after it.
    pub roots: Roots,
    /// The head after it.
    pub head: HeadRecord,
}

/// The parts of a head that listings show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeadRecord {
    /// Its time.
    pub time: crate::ids::Millis,
    /// The epoch clock.
    pub clock: crate::ids::Millis,
    /// Its epoch.
    pub epoch: u64,
    /// Receipts it made.
    pub receipts: u32,
}

struct Committed {
    tree: StateTree,
    undo: Arc<Changes>,
    head: Head,
    roots: Roots,
}

/// The last certified state: right after the anchor before the last.
pub struct Certified {
    /// The anchor after which it holds.
    pub height: u64,
    /// The book after the last anchor.
    pub snapshot: Snapshot,
    undo: Arc<Changes>,
}

impl Certified {
    /// The rows of the certified state.
    pub fn rows(&self) -> Overlay<'_> {
        Overlay::with(&self.snapshot, (*self.undo).clone())
    }
}

/// The book on disk.
pub struct BookStore {
    db: Database,
    registry: Registry,
    genesis: Genesis,
    chain: ChainId,
    committed: RwLock<Committed>,
}

impl BookStore {
    /// Opens the book of a network, or starts it from its genesis.
    pub fn open(
        backend: Backend,
        genesis: &Genesis,
        registry: Registry,
    ) -> Result<BookStore, StoreFault> {
        without_panic(|| BookStore::open_at(backend, genesis, registry))
    }

    fn open_at(
        backend: Backend,
        genesis: &Genesis,
        registry: Registry,
    ) -> Result<BookStore, StoreFault> {
        let chain = genesis.chain();
        let db = open(backend, chain)?;
        history::check(&db)?;
        create_tables(&db)?;
        let is_new = db
            .begin_read()
            .map_err(fault)?
            .open_table(META)
            .map_err(fault)?
            .get(UNDO)
            .map_err(fault)?
            .is_none();
        if is_new {
            start_from_genesis(&db, genesis, &registry)?;
        }
        let committed = RwLock::new(read_committed(&db, genesis)?);
        Ok(BookStore { db, registry, genesis: genesis.clone(), chain, committed })
    }

    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The genesis.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The registry the book was opened with.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The last anchor and the roots after it.
    pub fn head(&self) -> (Head, Roots) {
        let committed = self.read();
        (committed.head.clone(), committed.roots)
    }

    /// The book right after the last anchor.
    pub fn snapshot(&self) -> Result<Snapshot, StoreFault> {
        Snapshot::new(self.db.begin_read().map_err(fault)?)
    }

    /// The last certified state; `None` before the first anchor.
    pub fn certified(&self) -> Result<Option<Certified>, StoreFault> {
        let committed = self.read();
        self.certified_of(&committed)
    }

    fn certified_of(&self, committed: &Committed) -> Result<Option<Certified>, StoreFault> {
        let Some(height) = committed.head.height.checked_sub(1) else { return Ok(None) };
        let snapshot = self.snapshot()?;
        Ok(Some(Certified { height, snapshot, undo: committed.undo.clone() }))
    }

    /// The last certified state, and in it the path of the row with this full key.
    pub fn prove(&self, full_key: &[u8]) -> Result<Option<(Certified, TreeProof)>, StoreFault> {
        let committed = self.read();
        let Some(certified) = self.certified_of(&committed)? else { return Ok(None) };
        Ok(Some((certified, committed.tree.prove(full_key, Version::Before))))
    }

    /// Commits an executed anchor: rows, roots, receipts and indexes in one transaction,
    /// durable before this returns. After a fault the book must be opened anew.
    pub fn commit(
        &self,
        executed: &Executed,
        body: &[u8],
        certificate: &Certificate,
    ) -> Result<Roots, StoreFault> {
        let mut committed = self.committed.write().unwrap_or_else(|e| e.into_inner());
        if Some(executed.head.height) != committed.head.height.checked_add(1) {
            let words = format!("anchor {} is not the next to commit", executed.head.height);
            return Err(StoreFault::new(FaultKind::Disk, words));
        }
        let snapshot = self.snapshot()?;
        let undo = undo_of(&snapshot, &executed.changes)?;
        committed.tree.apply(&executed.changes);
        let roots = Roots { state: committed.tree.root(), receipts: executed.receipts_root };
        let write = begin_write(&self.db)?;
        put_rows(&write, &executed.changes)?;
        put_indexes(&write, &self.registry, &executed.changes, &undo)?;
        history::put(&write, executed)?;
        put_anchor(&write, executed, body, certificate, roots)?;
        put_handover(&write, &snapshot, executed, body, certificate)?;
        put_undo(&write, &undo)?;
        // redb's default durability is Immediate: commit returns after fsync.
        write.commit().map_err(fault)?;
        committed.undo = Arc::new(undo);
        committed.head = executed.head.clone();
        committed.roots = roots;
        Ok(roots)
    }

    /// Computes every index anew from the rows; answers how many entries there are.
    pub fn reindex(&self) -> Result<u64, StoreFault> {
        let snapshot = self.snapshot()?;
        let write = begin_write(&self.db)?;
        write.delete_table(INDEX).map_err(fault)?;
        write.open_table(INDEX).map_err(fault)?;
        let mut after = Vec::new();
        loop {
            let page = snapshot.after(&[], &after, 10_000)?;
            let Some((last, _)) = page.last() else { break };
            after = last.clone();
            let changes = page.into_iter().map(|(key, value)| (key, Some(value))).collect();
            put_indexes(&write, &self.registry, &changes, &Changes::new())?;
        }
        let count = redb::ReadableTableMetadata::len(&write.open_table(INDEX).map_err(fault)?);
        let count = count.map_err(fault)?;
        write.commit().map_err(fault)?;
        Ok(count)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Committed> {
        self.committed.read().unwrap_or_else(|e| e.into_inner())
    }
}

fn create_tables(db: &Database) -> Result<(), StoreFault> {
    let write = begin_write(db)?;
    write.open_table(STATE).map_err(fault)?;
    write.open_table(INDEX).map_err(fault)?;
    write.open_table(ANCHORS).map_err(fault)?;
    history::create_tables(&write)?;
    write.open_table(HANDOVERS).map_err(fault)?;
    write.commit().map_err(fault)
}

fn start_from_genesis(
    db: &Database,
    genesis: &Genesis,
    registry: &Registry,
) -> Result<(), StoreFault> {
    let state = genesis.state();
    let state = state.map_err(|e| StoreFault::new(FaultKind::WrongChain, e.to_string()))?;
    let write = begin_write(db)?;
    put_rows(&write, &state.changes)?;
    put_indexes(&write, registry, &state.changes, &Changes::new())?;
    put_undo(&write, &Changes::new())?;
    write.commit().map_err(fault)
}

/// Rebuilds the tree: first as it was before the last anchor, then with that anchor's rows.
fn read_committed(db: &Database, genesis: &Genesis) -> Result<Committed, StoreFault> {
    let read = db.begin_read().map_err(fault)?;
    let undo: Changes = {
        let meta = read.open_table(META).map_err(fault)?;
        let bytes = meta.get(UNDO).map_err(fault)?;
        let bytes = bytes.ok_or_else(|| StoreFault::damaged("its last changes are missing"))?;
        decode(bytes.value(), UNDO_BYTES_MAX).map_err(StoreFault::damaged)?
    };
    let snapshot = Snapshot::new(read)?;
    let mut tree = StateTree::default();
    let mut after = Vec::new();
    loop {
        let page = snapshot.after(&[], &after, 50_000)?;
        let Some((last, _)) = page.last() else { break };
        after = last.clone();
        let old = page.into_iter().filter(|(key, _)| !undo.contains_key(key));
        tree.apply(&old.map(|(key, value)| (key, Some(value))).collect());
    }
    tree.apply(&undo);
    let mut redo = Changes::new();
    for key in undo.keys() {
        redo.insert(key.clone(), snapshot.get(key)?);
    }
    tree.apply(&redo);
    let head = Head::read(&snapshot).ok_or_else(|| StoreFault::damaged("it has no head"))?;
    let roots = match snapshot.anchor(head.height)? {
        Some(record) => record.roots,
        None if head.height == 0 => {
            let state = genesis.state();
            state.map_err(|e| StoreFault::new(FaultKind::WrongChain, e.to_string()))?.roots
        }
        None => return Err(StoreFault::damaged("its last anchor is missing")),
    };
    if tree.root() != roots.state {
        return Err(StoreFault::damaged("its rows do not hash to the agreed state root"));
    }
    Ok(Committed { tree, undo: Arc::new(undo), head, roots })
}

fn undo_of(snapshot: &Snapshot, changes: &Changes) -> Result<Changes, StoreFault> {
    changes.keys().map(|key| Ok((key.clone(), snapshot.get(key)?))).collect()
}

fn put_undo(write: &WriteTransaction, undo: &Changes) -> Result<(), StoreFault> {
    let mut meta = write.open_table(META).map_err(fault)?;
    meta.insert(UNDO, encode(undo).as_slice()).map_err(fault)?;
    Ok(())
}

fn put_rows(write: &WriteTransaction, changes: &Changes) -> Result<(), StoreFault> {
    let mut table = write.open_table(STATE).map_err(fault)?;
    for (key, value) in changes {
        match value {
            Some(value) => table.insert(key.as_slice(), value.as_slice()).map_err(fault)?,
            None => table.remove(key.as_slice()).map_err(fault)?,
        };
    }
    Ok(())
}

fn put_indexes(
    write: &WriteTransaction,
    registry: &Registry,
    changes: &Changes,
    before: &Changes,
) -> Result<(), StoreFault> {
    let mut table = write.open_table(INDEX).map_err(fault)?;
    // All old entries go before any new one comes: an entry may move from row to row.
    for (key, old) in before {
        for entry in index_entries(registry, key, old.as_deref()) {
            table.remove(entry.as_slice()).map_err(fault)?;
        }
    }
    for (key, new) in changes {
        for entry in index_entries(registry, key, new.as_deref()) {
            table.insert(entry.as_slice(), key.as_slice()).map_err(fault)?;
        }
    }
    Ok(())
}

/// The entries of one row in every index of its table.
fn index_entries(registry: &Registry, key: &[u8], value: Option<&[u8]>) -> Vec<Vec<u8>> {
    let (Some(value), Some((number, own))) = (value, key.split_first_chunk::<2>()) else {
        return Vec::new();
    };
    let number = u16::from_be_bytes(*number);
    let Some(info) = registry.tables().find(|info| info.id == number) else {
        return Vec::new();
    };
    let of_index = |index: &IndexInfo| {
        let prefix = index_prefix(index.id);
        let entries = (index.entries)(own, value).into_iter();
        entries.map(|entry| [prefix.as_slice(), &entry].concat()).collect::<Vec<_>>()
    };
    info.indexes.iter().flat_map(of_index).collect()
}

fn put_anchor(
    write: &WriteTransaction,
    executed: &Executed,
    body: &[u8],
    certificate: &Certificate,
    roots: Roots,
) -> Result<(), StoreFault> {
    let Head { time, clock, epoch, receipts, .. } = executed.head;
    let record = AnchorRecord {
        body: body.to_vec(),
        certificate: certificate.clone(),
        roots,
        head: HeadRecord { time, clock, epoch, receipts },
    };
    let mut anchors = write.open_table(ANCHORS).map_err(fault)?;
    anchors.insert(executed.head.height, encode(&record).as_slice()).map_err(fault)?;
    Ok(())
}

/// Keeps an anchor that names another validator set than the one that signed it.
fn put_handover(
    write: &WriteTransaction,
    before: &Snapshot,
    executed: &Executed,
    body: &[u8],
    certificate: &Certificate,
) -> Result<(), StoreFault> {
    let validators = Validators::read(before);
    let Some(validators) = validators.filter(|v| v.next != v.after_next) else { return Ok(()) };
    let anchor = CertifiedAnchor { body: Hex(body.to_vec()), certificate: certificate.clone() };
    let handover = Handover { anchor, validators: validators.after_next };
    let mut handovers = write.open_table(HANDOVERS).map_err(fault)?;
    handovers.insert(executed.head.height, encode(&handover).as_slice()).map_err(fault)?;
    Ok(())
}

/// The id of the anchor after which a certified state holds, for tests and tools.
impl AnchorRecord {
    /// The anchor's id.
    pub fn id(&self) -> Hash {
        crate::anchor::AnchorBody::id_of(&self.body)
    }
}
