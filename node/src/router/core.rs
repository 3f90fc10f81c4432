//! What the parts of a running router share.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use ddt_core::pacer::Pacer;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::system::{next_deadline, params};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{Millis, Zone};
use tokio::sync::{Notify, broadcast};

use super::blocks::Blocks;
use super::keys::NodeKeys;
use super::lane::Order;
use super::meters::Meters;
use super::tracker::Tracker;

/// What the parts of a running router share.
pub struct Core {
    /// The agreed history.
    pub book: BookStore,
    /// Sealed blocks and proposals.
    pub lanes: LaneStore,
    /// Checked blocks not anchored yet.
    pub blocks: Blocks,
    /// Who waits for which event.
    pub tracker: Tracker,
    /// Orders for the thread that seals the lane.
    pub orders: mpsc::SyncSender<Order>,
    /// The height of each anchor, once committed.
    pub anchors: broadcast::Sender<u64>,
    /// Rings when an anchor may be due.
    pub work: Arc<Notify>,
    /// When the next anchor is due.
    pub pacer: Mutex<Pacer>,
    /// Hot keys.
    pub keys: NodeKeys,
    /// The VRF key.
    pub vrf: VrfKey,
    /// The zone this router governs.
    pub zone: Zone,
    /// When it started.
    pub started: Millis,
    /// Events waiting to be sequenced.
    pub mempool: AtomicU64,
    /// Whether the lane seals.
    pub is_open: AtomicBool,
    /// What has happened since the start, for `/metrics`.
    pub meters: Meters,
}

/// Now, by this machine's clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Core {
    /// The pacer, for one question or answer.
    pub fn pacer(&self) -> MutexGuard<'_, Pacer> {
        self.pacer.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Tells the pacer of the state after the last anchor.
    pub fn repace(&self) -> Result<(), StoreFault> {
        let snapshot = self.book.snapshot()?;
        let head = self.book.head().0;
        let (deadline, params) = (next_deadline(&snapshot), params(&snapshot));
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        let mut pacer = self.pacer();
        pacer.anchored(head, deadline, &params, now());
        pacer.set_tip_waiting(self.blocks.any());
        self.work.notify_waiters();
        Ok(())
    }

    /// Tells the pacer that a block waits.
    pub fn tip_waits(&self) {
        self.pacer().set_tip_waiting(true);
        self.work.notify_waiters();
    }
}
