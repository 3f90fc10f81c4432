//! A running router: the wiring of its parts, and nothing else.

mod anchoring;
mod blocks;
mod copying;
mod core;
mod due;
mod duties;
mod face;
mod heartbeats;
mod keys;
mod lane;
mod meters;
mod renewals;
mod reveals;
mod tracker;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, mpsc as std_mpsc};
use std::thread::JoinHandle;

use ddt_api::{Backend, Limits};
use ddt_consensus::{ConsensusConfig, ConsensusKeys, Running};
use ddt_contracts::REGISTRY;
use ddt_core::mempool::MempoolLimits;
use ddt_core::pacer::Pacer;
use ddt_core::sequencer::{Sequencer, SequencerConfig};
use ddt_ledger::accounts::Account;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::store::{Backend as StoreBackend, BookStore, LaneStore};
use ddt_ledger::system::{Lane, next_deadline, params};
use ddt_ledger::{AccountId, Amount, Millis, Zone};
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast, mpsc, watch};

pub use keys::NodeKeys;
pub use reveals::TASKS as REVEALS;

pub use self::core::now;

use self::core::Core;
use self::due::Worker;
use self::heartbeats::Heartbeats;
use self::renewals::Renewals;
use crate::backup::restored::Restored;
use crate::data_folder::{DataFolder, RunningNode};
use crate::failure::Failure;
use crate::secret_file;

/// Anchors that a slow listener may lag behind before it must ask anew.
const ANCHORS_KEPT: usize = 1_024;
/// Blocks are sealed at most this often.
const SEAL_EVERY_MS: Millis = Millis(100);

/// What an operator decides of a router.
pub struct RouterConfig {
    /// Bounds of the public API.
    pub limits: Limits,
    /// Bounds of the mempool.
    pub mempool: MempoolLimits,
    /// Whether it may go on in a folder that was restored from a backup.
    pub continue_restored: bool,
}

/// Where a router listens.
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// For whoever can read the token file; on loopback.
    pub private: TcpListener,
}

/// A running router.
pub struct Router {
    folder: DataFolder,
    core: Arc<Core>,
    consensus: Running,
    lane: JoinHandle<()>,
    stop: watch::Sender<bool>,
    servers: Vec<tokio::task::JoinHandle<()>>,
    agents: [tokio::task::JoinHandle<()>; 3],
    fatal: mpsc::UnboundedReceiver<Failure>,
    /// How to reach it.
    pub running: RunningNode,
}

impl Router {
    /// Starts a router on a data folder that has a genesis.
    pub async fn start(
        folder: DataFolder,
        zone: Zone,
        listeners: Listeners,
        config: RouterConfig,
    ) -> Result<Router, Failure> {
        let genesis = folder.genesis()?;
        let genesis = genesis.ok_or_else(|| Failure::fault("the folder has no genesis file"))?;
        let keys = NodeKeys::read(&folder.path().join("node.key"))?;
        let (orders, order_queue) = std_mpsc::sync_channel(lane::ORDERS_MAX);
        let core = Arc::new(open_core(&folder, &genesis, keys, zone, orders)?);
        let (fatal_sender, fatal) = mpsc::unbounded_channel();
        let accept_lost_wal = admit_restored(&folder, &core, config.continue_restored)?;
        let sequencer = open_sequencer(&folder, &core, config.mempool)?;
        let duties = Arc::new(duties::Duties::new(core.clone()));
        let reveals = reveals::Reveals::open(folder.path(), core.clone(), duties.clone())?;
        let reveals = Arc::new(reveals);
        let renewals = Renewals { core: core.clone(), duties: duties.clone() };
        let renewals = Arc::new(Worker::new(core.clone(), renewals)?);
        let heartbeats = Heartbeats { core: core.clone(), duties };
        let heartbeats = Arc::new(Worker::new(core.clone(), heartbeats)?);
        let lane = {
            let core = core.clone();
            let thread = std::thread::Builder::new().name("lane".to_string());
            let run = move || lane::run(&core, sequencer, &order_queue, &fatal_sender);
            thread.spawn(run).map_err(|error| Failure::fault(format!("no thread: {error}")))?
        };
        let consensus = start_consensus(&folder, &core, accept_lost_wal).await?;
        let (stop, _) = watch::channel(false);
        let running = reachable(&listeners)?;
        let face: Arc<dyn Backend> =
            Arc::new(face::Face::new(folder.path(), core.clone(), reveals.clone()));
        let servers = serve(&folder, listeners, face, config.limits, &stop)?;
        let agents = [
            tokio::spawn(reveals.run()),
            tokio::spawn(renewals.run()),
            tokio::spawn(heartbeats.run()),
        ];
        folder.announce(&running)?;
        Ok(Router { folder, core, consensus, lane, stop, servers, agents, fatal, running })
    }

    /// Resolves when something failed without which the router must not go on.
    pub async fn failed(&mut self) -> Failure {
        tokio::select! {
            error = self.consensus.failed() => Failure::fault(chain_of(&error)),
            failure = self.fatal.recv() => failure.unwrap_or_else(|| {
                Failure::fault("the thread that seals the lane has ended; start again, report this")
            }),
        }
    }

    /// What an account has now.
    pub fn balance(&self, account: &AccountId) -> Result<Amount, Failure> {
        let snapshot = self.core.book.snapshot()?;
        let account = Account::read(&snapshot, account);
        Ok(account.map_or(Amount::ZERO, |account| account.balance))
    }

    /// Ends everything in order; what was promised is on disk.
    pub async fn stop(self) -> Result<(), Failure> {
        // Open requests get their answers while the router still works; then it stops.
        let _ = self.stop.send(true);
        for server in self.servers {
            let _ = server.await;
        }
        self.agents.iter().for_each(tokio::task::JoinHandle::abort);
        let stopped = self.consensus.stop().await;
        let _ = self.core.orders.send(lane::Order::Stop);
        let joined = tokio::task::spawn_blocking(move || self.lane.join()).await;
        self.folder.withdraw();
        stopped.map_err(|error| Failure::fault(chain_of(&error)))?;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err(Failure::fault("the lane's thread panicked")),
        }
    }
}

/// An error with everything that caused it.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}

fn open_core(
    folder: &DataFolder,
    genesis: &Genesis,
    keys: NodeKeys,
    zone: Zone,
    orders: std_mpsc::SyncSender<lane::Order>,
) -> Result<Core, Failure> {
    let chain = genesis.chain();
    let file = |name: &str| StoreBackend::File(folder.path().join(name));
    let book = BookStore::open(file("book.redb"), genesis, REGISTRY)?;
    if book.head().0.height > 0 && !folder.path().join("lanes.redb").exists() {
        return Err(lost_lanes(folder));
    }
    let lanes = LaneStore::open(file("lanes.redb"), chain)?;
    let snapshot = book.snapshot()?;
    let head = book.head().0;
    let pacer = Pacer::new(head, next_deadline(&snapshot), &params(&snapshot), now());
    let vrf = keys.vrf()?;
    Ok(Core {
        lanes,
        blocks: blocks::Blocks::new(chain, REGISTRY),
        tracker: tracker::Tracker::default(),
        orders,
        anchors: broadcast::channel(ANCHORS_KEPT).0,
        work: Arc::new(Notify::new()),
        pacer: Mutex::new(pacer),
        keys,
        vrf,
        zone,
        started: now(),
        mempool: AtomicU64::new(0),
        is_open: AtomicBool::new(true),
        meters: meters::Meters::new(book.head().0.time, params(&snapshot).anchor_idle_ms),
        book,
    })
}

/// Blocks it promised may be lost: sealing others at their heights would be fraud.
fn lost_lanes(folder: &DataFolder) -> Failure {
    Failure::fault(format!(
        "{} has a book, but lanes.redb is missing or older: without the blocks this router \
         promised it must not seal others. Only the file from after its last stop will do",
        folder.path().display()
    ))
}

/// Whether a folder from a backup may sign, and whether without the record of its votes.
fn admit_restored(folder: &DataFolder, core: &Core, is_agreed: bool) -> Result<bool, Failure> {
    match Restored::read(folder.path())? {
        Some(mut mark) => mark.admit(folder.path(), &core.book, &core.lanes, is_agreed),
        None => Ok(false),
    }
}

/// Goes on where the lane's blocks on disk end.
fn open_sequencer(
    folder: &DataFolder,
    core: &Arc<Core>,
    mempool: MempoolLimits,
) -> Result<Sequencer, Failure> {
    let snapshot = core.book.snapshot()?;
    let no_zone = || Failure::fault(format!("the network has no zone {}", core.zone));
    let lane = Lane::read(&snapshot, core.zone).ok_or_else(no_zone)?;
    if lane.key != core.keys.router_public() {
        let words = "node.key is not this zone's router key: restore it from a backup";
        return Err(Failure::fault(words));
    }
    let tip = core.lanes.block(core.zone, lane.term, lane.height)?;
    if lane.height > 0 && tip.is_none() {
        return Err(lost_lanes(folder));
    }
    let chain = core.book.chain();
    let mut unanchored = Vec::new();
    for bytes in core.lanes.blocks_after(core.zone, lane.term, lane.height, usize::MAX)? {
        let block = CheckedBlock::check(&bytes, chain, &lane.key, &REGISTRY);
        let block = block.map_err(|error| Failure::fault(format!("lanes.redb: {error}")))?;
        core.blocks.put(&block);
        unanchored.push(block);
    }
    core.repace()?;
    let config = SequencerConfig {
        chain,
        zone: core.zone,
        key: core.keys.router_public(),
        registry: REGISTRY,
        seal_every_ms: SEAL_EVERY_MS,
        work_max: params(&snapshot).anchor_work_max,
        mempool,
    };
    let signer = core.clone();
    let sign = Box::new(move |digest: &ddt_ledger::Hash| signer.keys.sign_as_router(digest));
    let height = core.book.head().0.height;
    Ok(Sequencer::new(config, sign, &lane, unanchored, height))
}

async fn start_consensus(
    folder: &DataFolder,
    core: &Arc<Core>,
    accept_lost_wal: bool,
) -> Result<Running, Failure> {
    let home = folder.path().join("consensus");
    std::fs::create_dir_all(&home).map_err(|error| Failure::io(&home, &error))?;
    let moniker = format!("zone-{}-{}", core.zone, std::process::id());
    let listen = "/ip4/127.0.0.1/tcp/0";
    let mut config = ConsensusConfig::new(core.book.chain(), &moniker, home, listen);
    config.accept_lost_wal = accept_lost_wal;
    let keys = ConsensusKeys::new(core.keys.router_seed(), core.keys.transport_seed());
    let app = Arc::new(anchoring::Anchoring(core.clone()));
    let started = ddt_consensus::start(config, keys, app).await;
    started.map_err(|error| Failure::fault(chain_of(&error)))
}

fn url(listener: &TcpListener) -> Result<String, Failure> {
    let address: SocketAddr = listener
        .local_addr()
        .map_err(|error| Failure::fault(format!("a listener has no address: {error}")))?;
    Ok(format!("http://{address}"))
}

fn reachable(listeners: &Listeners) -> Result<RunningNode, Failure> {
    let (api, private_api) = (url(&listeners.public)?, url(&listeners.private)?);
    Ok(RunningNode { pid: std::process::id(), api, private_api })
}

fn serve(
    folder: &DataFolder,
    listeners: Listeners,
    face: Arc<dyn Backend>,
    limits: Limits,
    stop: &watch::Sender<bool>,
) -> Result<Vec<tokio::task::JoinHandle<()>>, Failure> {
    let token = hex::encode(&secret_file::random()?[..]);
    secret_file::replace(&folder.path().join("token"), &token)?;
    let stopping = || {
        let mut stopping = stop.subscribe();
        async move {
            let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
        }
    };
    let public = ddt_api::public(face.clone(), limits.clone());
    let private = ddt_api::private(face, &token);
    Ok(vec![
        tokio::spawn(ddt_api::serve(listeners.public, public, limits, stopping())),
        tokio::spawn(ddt_api::serve(listeners.private, private, Limits::default(), stopping())),
    ])
}
