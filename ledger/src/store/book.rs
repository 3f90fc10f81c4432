//! `book.redb`: opening, committing an anchor, and what was certified last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use borsh::{BorshDeserialize, BorshSerialize};
use redb::{Database, TableDefinition};

use super::current::Current;
use super::open::{Backend, begin_write, fault, open, without_panic};
use super::snapshot::Snapshot;
use super::{commit, opening, restoring};
use crate::anchor::Roots;
use crate::certificate::Certificate;
use crate::execute::Executed;
use crate::fault::{FaultKind, StoreFault};
use crate::genesis::Genesis;
use crate::hash::Hash;
use crate::ids::ChainId;
use crate::registry::Registry;
use crate::state::{Overlay, StateReader, StateTree, TreeProof, Version};
use crate::system::Head;

type Bytes = &'static [u8];
pub(super) const STATE: TableDefinition<Bytes, Bytes> = TableDefinition::new("state");
pub(super) const INDEX: TableDefinition<Bytes, Bytes> = TableDefinition::new("index");
pub(super) const ANCHORS: TableDefinition<u64, Bytes> = TableDefinition::new("anchors");
pub(super) const HANDOVERS: TableDefinition<u64, Bytes> = TableDefinition::new("handovers");
/// The rows that each of the last anchors wrote: what waits in memory is read from here after
/// a restart.
pub(super) const JOURNAL: TableDefinition<u64, Bytes> = TableDefinition::new("journal");

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

/// What everybody may read: the book right after the last anchor.
pub(super) struct Published {
    pub(super) head: Head,
    pub(super) roots: Roots,
    pub(super) current: Arc<Current>,
    /// Right after the anchor before the last: the last certified state.
    pub(super) before: Option<Arc<Current>>,
}

/// The last certified state: right after the anchor before the last.
pub struct Certified {
    /// The anchor after which it holds.
    pub height: u64,
    /// The book after the last anchor.
    pub snapshot: Snapshot,
    before: Snapshot,
}

impl Certified {
    /// The rows of the certified state.
    pub fn rows(&self) -> Overlay<'_> {
        Overlay::new(&self.before)
    }

    /// The certified state.
    pub fn into_before(self) -> Snapshot {
        self.before
    }
}

/// The book on disk.
pub struct BookStore {
    /// Before the database, so that its readers end first.
    published: RwLock<Arc<Published>>,
    pub(super) tree: RwLock<StateTree>,
    pub(super) db: Database,
    registry: Registry,
    genesis: Genesis,
    chain: ChainId,
    pub(super) lowest: AtomicU64,
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
        opening::check(&db)?;
        restoring::check(&db)?;
        opening::create_tables(&db)?;
        opening::start(&db, genesis, &registry)?;
        BookStore::of(db, genesis, registry)
    }

    pub(super) fn of(
        db: Database,
        genesis: &Genesis,
        registry: Registry,
    ) -> Result<BookStore, StoreFault> {
        let (chain, lowest) = (genesis.chain(), restoring::lowest(&db)?);
        let (tree, published) = opening::read(&db, genesis)?;
        let (published, tree) = (RwLock::new(Arc::new(published)), RwLock::new(tree));
        let (genesis, lowest) = (genesis.clone(), AtomicU64::new(lowest));
        Ok(BookStore { published, tree, db, registry, genesis, chain, lowest })
    }

    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The genesis.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The lowest anchor that is here with its blocks and receipts: 1 unless the book was made
    /// from a snapshot or earlier ones were forgotten.
    pub fn lowest(&self) -> u64 {
        self.lowest.load(Ordering::Relaxed)
    }

    /// The registry the book was opened with.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The last anchor and the roots after it.
    pub fn head(&self) -> (Head, Roots) {
        let published = self.published();
        (published.head.clone(), published.roots)
    }

    /// The book right after the last anchor.
    pub fn snapshot(&self) -> Result<Snapshot, StoreFault> {
        Ok(Snapshot::new(self.published().current.clone()))
    }

    /// The book right after the last anchor, and its head.
    pub fn latest(&self) -> (Snapshot, Head) {
        let published = self.published();
        (Snapshot::new(published.current.clone()), published.head.clone())
    }

    /// The last certified state; `None` before the first anchor.
    pub fn certified(&self) -> Result<Option<Certified>, StoreFault> {
        let published = self.published();
        let before = published.before.clone().map(Snapshot::new);
        Ok(before.zip(published.head.height.checked_sub(1)).map(|(before, height)| Certified {
            height,
            snapshot: Snapshot::new(published.current.clone()),
            before,
        }))
    }

    /// The last certified state, and in it the path of the row with this full key.
    pub fn prove(&self, full_key: &[u8]) -> Result<Option<(Certified, TreeProof)>, StoreFault> {
        // Nothing is published while the tree is read: both are of one anchor.
        let tree = self.tree.read().unwrap_or_else(|e| e.into_inner());
        let Some(certified) = self.certified()? else { return Ok(None) };
        Ok(Some((certified, tree.prove(full_key, Version::Before))))
    }

    /// Commits an executed anchor: rows, roots, receipts and indexes in one transaction,
    /// durable before this returns. After a fault the book must be opened anew.
    pub fn commit(
        &self,
        executed: &Executed,
        body: &[u8],
        certificate: &Certificate,
    ) -> Result<Roots, StoreFault> {
        let mut guard = self.tree.write().unwrap_or_else(|e| e.into_inner());
        let tree = &mut *guard;
        let published = self.published();
        let height = executed.head.height;
        if Some(height) != published.head.height.checked_add(1) {
            let words = format!("anchor {height} is not the next to commit");
            return Err(StoreFault::new(FaultKind::Disk, words));
        }
        let current = &published.current;
        let mut recent = current.recent.clone();
        recent.add(height, &executed.changes, &executed.receipts, |id| current.is_executed(id))?;
        let folded = recent.take_part(height);
        let write = begin_write(&self.db)?;
        let (root, written) = std::thread::scope(|scope| {
            let root = scope.spawn(|| {
                tree.apply(&executed.changes);
                tree.root()
            });
            let written = commit::put(&write, &self.registry, executed, current, &folded);
            (root.join(), written)
        });
        written?;
        let root = root.map_err(|_| StoreFault::new(FaultKind::Disk, "the state tree failed"))?;
        let roots = Roots { state: root, receipts: executed.receipts_root };
        commit::put_anchor(&write, executed, body, certificate, roots)?;
        let before = Snapshot::new(current.clone());
        commit::put_handover(&write, &before, executed, body, certificate)?;
        // redb's default durability is Immediate: commit returns after fsync.
        write.commit().map_err(fault)?;
        let next = Published {
            head: executed.head.clone(),
            roots,
            current: Arc::new(Current::new(&self.db, recent)?),
            before: Some(current.clone()),
        };
        self.publish(next);
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
            commit::put_indexes(&write, &self.registry, &changes, |_| Ok(None))?;
        }
        let count = redb::ReadableTableMetadata::len(&write.open_table(INDEX).map_err(fault)?);
        let count = count.map_err(fault)?;
        write.commit().map_err(fault)?;
        Ok(count)
    }

    pub(super) fn publish(&self, next: Published) {
        let mut published = self.published.write().unwrap_or_else(|e| e.into_inner());
        let old = std::mem::replace(&mut *published, Arc::new(next));
        // Readers wait for the exchange only, not while thousands of old rows are freed.
        drop(published);
        drop(old);
    }

    pub(super) fn published(&self) -> Arc<Published> {
        self.published.read().unwrap_or_else(|e| e.into_inner()).clone()
    }
}

/// The id of the anchor after which a certified state holds, for tests and tools.
impl AnchorRecord {
    /// The anchor's id.
    pub fn id(&self) -> Hash {
        crate::anchor::AnchorBody::id_of(&self.body)
    }
}
