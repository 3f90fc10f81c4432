//! What the parts of a running node share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use ddt_core::pacer::Pacer;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::system::{next_deadline, params};
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{Hash, Millis, PublicKey};
use ddt_net::Net;
use ddt_net::message::News;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio::task::JoinSet;

use super::accusing::Accused;
use super::blocks::Blocks;
use super::following::Step;
use super::gathering;
use super::holds::Holds;
use super::inbox::Inbox;
use super::keys::NodeKeys;
use super::lane::Order;
use super::meters::Meters;
use super::news::Passed;
use super::promises::Promises;
use super::records::Standing;
use super::role::Role;
use super::routers::Routers;
use super::sets::Sets;
use super::snapshots::Snapshots;
use super::times::Times;
use super::tracker::Tracker;
use crate::failure::Failure;

/// Why a running node ends by itself.
#[derive(Debug)]
pub enum Ending {
    /// Something failed without which it must not go on.
    Failed(Failure),
    /// It must start again, for this reason: it has another role, say.
    Again(&'static str),
}

/// What the parts of a running node share.
pub struct Core {
    /// The agreed history.
    pub book: BookStore,
    /// Sealed blocks and proposals.
    pub lanes: LaneStore,
    /// Checked blocks not anchored yet.
    pub blocks: Blocks,
    /// For the thread that collects blocks.
    pub gather: Inbox<gathering::Order>,
    /// For the thread that follows.
    pub follow: Inbox<Step>,
    /// Held while an anchor is executed: consensus and the follower both may.
    pub executing: Mutex<()>,
    /// The last body that this node found valid.
    pub judged: Mutex<Option<Hash>>,
    /// Routers that were seen to sign two ways.
    pub accused: Accused,
    /// What routers promised by way of this node.
    pub promises: Promises,
    /// What time the validators say it is.
    pub times: Times,
    /// The routers that the state names.
    pub routers: Routers,
    /// Who signs which anchor.
    pub sets: Sets,
    /// The network; none if the node has no peers.
    pub net: OnceLock<Net>,
    /// Where tasks run.
    pub runtime: tokio::runtime::Handle,
    /// News that were passed on.
    pub passed: Passed,
    /// Tasks under way that end with the node.
    pub tasks: Mutex<JoinSet<()>>,
    /// Room for events that are on their way to a router.
    pub forwards: Arc<Semaphore>,
    /// The highest height heard of.
    pub heard: AtomicU64,
    /// Ends the node.
    pub ending: UnboundedSender<Ending>,
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
    /// What it may sign.
    pub standing: Standing,
    /// What it is to the network.
    pub role: Role,
    /// When it started.
    pub started: Millis,
    /// Events waiting to be sequenced.
    pub mempool: AtomicU64,
    /// Whether the lane seals.
    pub is_open: AtomicBool,
    /// Whether the lane pauses, because too much waits to be anchored, or for too long.
    pub is_held: AtomicBool,
    /// Holds that pay for events in flight.
    pub holds: Holds,
    /// Whether it has been as far as the others since it started; a router of several promises
    /// nothing before.
    pub is_up_to_date: AtomicBool,
    /// Whether the node is about to end.
    pub is_stopping: AtomicBool,
    /// Snapshots for nodes that join.
    pub snapshots: Snapshots,
    /// The lowest anchor that each connected peer can send.
    pub lowests: Mutex<BTreeMap<PublicKey, u64>>,
    /// What has happened since the start, for `/metrics`.
    pub meters: Meters,
}

/// Anchors by which nodes may be apart at any moment.
const AT_ONE_TIME: u64 = 2;

/// Now, by this machine's clock.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    #[cfg(debug_assertions)]
    let now = super::treason::clock(now);
    now
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

    /// Tells the pacer that a block may be anchored.
    pub fn tip_waits(&self) {
        self.pacer().set_tip_waiting(true);
        self.work.notify_waiters();
    }

    /// Begins a task that ends with the node.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(|error| error.into_inner());
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.runtime);
    }

    /// Whether others say that they are further than this node is: its state may be an old one.
    pub fn is_behind(&self) -> bool {
        let own = self.book.head().0.height;
        self.heard.load(Ordering::Relaxed) > own.saturating_add(AT_ONE_TIME)
    }

    /// Whether this node sequences events now. What has no peers takes them even when its lane
    /// is closed: its author is told why.
    pub fn seals(&self) -> bool {
        let is_set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let is_alone = self.net.get().is_none();
        self.role.zone.is_some()
            && (is_alone
                || is_set(&self.is_open) && is_set(&self.is_up_to_date) && !is_set(&self.is_held))
    }

    /// Tells the network, if there is one.
    pub fn tell(&self, news: News) {
        if let Some(net) = self.net.get() {
            net.tell(news);
        }
    }

    /// Ends the node: it must not go on after this.
    pub fn end(&self, failure: Failure) {
        // One fault shows in several places, and only the first is told at the end.
        tracing::error!("{failure}");
        let _ = self.ending.send(Ending::Failed(failure));
    }

    /// Remembers that a body was found valid.
    pub fn judge(&self, anchor: Hash) {
        *self.judged.lock().unwrap_or_else(|error| error.into_inner()) = Some(anchor);
    }

    /// Whether a body was found valid just now.
    pub fn was_judged(&self, anchor: Hash) -> bool {
        *self.judged.lock().unwrap_or_else(|error| error.into_inner()) == Some(anchor)
    }
}
