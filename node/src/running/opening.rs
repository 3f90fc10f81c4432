//! Opening what a node's folder holds, and asking whether it may sign with it.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, mpsc as std_mpsc};
use std::time::Duration;

use ddt_consensus::{ConsensusConfig, ConsensusKeys, Running};
use ddt_core::mempool::MempoolLimits;
use ddt_core::pacer::Pacer;
use ddt_core::sequencer::{Sequencer, SequencerConfig};
use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::registry::Registry;
use ddt_ledger::store::{Backend as StoreBackend, BookStore, LaneStore};
use ddt_ledger::system::{Lane, Validators, next_deadline, params};
use ddt_ledger::{Millis, Zone};
use tokio::sync::{Notify, Semaphore, broadcast, mpsc};

use super::core::{Core, Ending, now};
use super::keys::NodeKeys;
use super::records::{Records, Standing};
use super::role::{self, Role};
use super::threads::Queues;
use super::{
    NodeConfig, accusing, anchoring, blocks, chain_of, following, forwarding, gathering, inbox,
    lane, meters, news, promises, routers, sets, snapshots, times, tracker,
};
use crate::backup::restored::Restored;
use crate::data_folder::DataFolder;
use crate::failure::Failure;

/// Anchors that a slow listener may lag behind before it must ask anew.
const ANCHORS_KEPT: usize = 1_024;
/// Blocks are sealed at most this often.
const SEAL_EVERY_MS: Millis = Millis(100);
/// Connections of consensus from the one address that all of loopback comes from.
const LOOPBACK_CONNECTIONS_MAX: usize = 1_024;

/// The book of a folder.
///
/// # Errors
/// The store fails.
pub fn open_book(
    folder: &DataFolder,
    genesis: &Genesis,
    registry: Registry,
) -> Result<BookStore, Failure> {
    let file = StoreBackend::File(folder.path().join("book.redb"));
    Ok(BookStore::open(file, genesis, registry)?)
}

/// What the node may sign, by what its folder still knows of what it signed. The only router of
/// a network has nobody to follow: without its files it does not start.
pub fn stand(
    folder: &DataFolder,
    book: &BookStore,
    keys: &NodeKeys,
    is_accepted: bool,
) -> Result<(Records, Standing), Failure> {
    let (snapshot, records, key) = (book.snapshot()?, Records::of(folder), keys.router_public());
    let height = book.head().0.height;
    let is_restored = Restored::read(folder.path())?.is_some();
    let is_begun = height > 0 || is_restored;
    if is_begun && role::is_alone(&snapshot, &key) && !records.is_marked()? {
        if !is_restored && !records.has_votes(&key)? {
            return Err(lost_votes(folder));
        }
        if height > 0 && !folder.path().join("lanes.redb").exists() {
            return Err(lost_lanes(folder));
        }
        return Ok((records, Standing::default()));
    }
    // A book that has nothing yet says of no router that it is the only one still.
    let is_router = Role::of(&snapshot, &key, Standing::default()).is_router();
    let standing = records.standing((&key, is_router), height, is_accepted)?;
    Ok((records, standing))
}

pub fn open_core(
    folder: &DataFolder,
    book: BookStore,
    (keys, standing): (NodeKeys, Standing),
    (ending, piece_bytes): (mpsc::UnboundedSender<Ending>, Option<u64>),
) -> Result<(Arc<Core>, Queues), Failure> {
    let chain = book.chain();
    let lanes = LaneStore::open(StoreBackend::File(folder.path().join("lanes.redb")), chain)?;
    let snapshot = book.snapshot()?;
    let (head, params) = (book.head().0, params(&snapshot));
    let pacer = Pacer::new(head.clone(), next_deadline(&snapshot), &params, now());
    let routers = routers::Routers::default();
    let set = Validators::read(&snapshot);
    let set = set.ok_or_else(|| Failure::fault("the state has no validators"))?;
    routers.set(&Lane::scan(&snapshot, None, TIPS_MAX), &set.next, &keys.router_public());
    let sets = sets::Sets::default();
    sets.committed(head.height, &set);
    let role = Role::of(&snapshot, &keys.router_public(), standing);
    let is_alone = role::is_alone(&snapshot, &keys.router_public());
    let vrf = keys.vrf()?;
    let (orders, order_queue) = std_mpsc::sync_channel(lane::ORDERS_MAX);
    let (gather, gather_queue) = inbox::inbox(gathering::ROOM);
    let (follow, follow_queue) = inbox::inbox(following::ROOM);
    let core = Core {
        lanes,
        blocks: blocks::Blocks::new(chain, *book.registry()),
        gather,
        follow,
        executing: Mutex::new(()),
        judged: Mutex::new(None),
        accused: accusing::Accused::open(folder.path())?,
        promises: promises::Promises::default(),
        times: times::Times::default(),
        routers,
        sets,
        net: OnceLock::new(),
        runtime: tokio::runtime::Handle::current(),
        tasks: Mutex::default(),
        forwards: Arc::new(Semaphore::new(forwarding::FORWARDS_MAX)),
        heard: AtomicU64::new(head.height),
        ending,
        tracker: tracker::Tracker::default(),
        orders,
        anchors: broadcast::channel(ANCHORS_KEPT).0,
        work: Arc::new(Notify::new()),
        pacer: Mutex::new(pacer),
        keys,
        vrf,
        standing,
        role,
        started: now(),
        mempool: AtomicU64::new(0),
        is_open: AtomicBool::new(role.zone.is_some()),
        is_held: AtomicBool::new(false),
        holds: super::holds::Holds::default(),
        is_up_to_date: AtomicBool::new(is_alone || !role.is_router()),
        is_stopping: AtomicBool::new(false),
        snapshots: snapshots::Snapshots::open(folder.path(), chain, piece_bytes)?,
        lowests: Mutex::default(),
        passed: news::Passed::default(),
        meters: meters::Meters::new(head.time, params.anchor_idle_ms),
        book,
    };
    let queues = Queues { orders: order_queue, gather: gather_queue, follow: follow_queue };
    Ok((Arc::new(core), queues))
}

/// What it voted for may be lost: voting for something else would be fraud.
fn lost_votes(folder: &DataFolder) -> Failure {
    Failure::fault(format!(
        "{} has a book, but consensus/consensus.wal is missing: without the log of its votes this \
         router must not vote. Only the file from after its last stop will do",
        folder.path().display()
    ))
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
pub fn admit_restored(folder: &DataFolder, core: &Core, is_agreed: bool) -> Result<bool, Failure> {
    match Restored::read(folder.path())? {
        Some(mut mark) => mark.admit(folder.path(), &core.book, &core.lanes, is_agreed),
        None => Ok(false),
    }
}

/// Goes on where the lane's blocks on disk end.
pub fn open_sequencer(
    folder: &DataFolder,
    core: &Arc<Core>,
    zone: Zone,
    mempool: MempoolLimits,
) -> Result<Sequencer, Failure> {
    let snapshot = core.book.snapshot()?;
    let no_zone = || Failure::fault(format!("the network has no zone {zone}"));
    let lane = Lane::read(&snapshot, zone).ok_or_else(no_zone)?;
    let tip = core.lanes.block(zone, lane.term, lane.height)?;
    if lane.height > 0 && tip.is_none() {
        return Err(lost_lanes(folder));
    }
    let (chain, registry) = (core.book.chain(), *core.book.registry());
    let mut unanchored = Vec::new();
    for bytes in core.lanes.blocks_after(zone, lane.term, lane.height, usize::MAX)? {
        let block = CheckedBlock::check(&bytes, chain, &lane.key, &registry);
        let block = block.map_err(|error| Failure::fault(format!("lanes.redb: {error}")))?;
        unanchored.push(block);
    }
    let config = SequencerConfig {
        chain,
        zone,
        key: core.keys.router_public(),
        registry,
        seal_every_ms: SEAL_EVERY_MS,
        work_max: params(&snapshot).anchor_work_max,
        mempool,
    };
    let signer = core.clone();
    let sign = Box::new(move |digest: &ddt_ledger::Hash| signer.keys.sign_as_router(digest));
    let height = core.book.head().0.height;
    Ok(Sequencer::new(config, sign, &lane, unanchored, height))
}

pub async fn start_consensus(
    folder: &DataFolder,
    core: &Arc<Core>,
    operator: &NodeConfig,
    accept_lost_wal: bool,
) -> Result<Running, Failure> {
    let home = folder.path().join("consensus");
    std::fs::create_dir_all(&home).map_err(|error| Failure::io(&home, &error))?;
    let moniker = format!("{}-{}", core.keys.router_public(), std::process::id());
    let alone = || "/ip4/127.0.0.1/tcp/0".to_string();
    let listen = operator.network.as_ref().map_or_else(alone, |network| network.consensus.tcp());
    let mut config = ConsensusConfig::new(core.book.chain(), &moniker, home, &listen);
    config.accept_lost_wal = accept_lost_wal;
    #[cfg(debug_assertions)]
    {
        config.votes_twice = super::treason::votes_twice();
    }
    if operator.network.as_ref().is_some_and(|network| network.consensus.listen.ip().is_loopback())
    {
        // All routers of this machine come from one address there: what one of them does, or a
        // stranger, must not keep the others out.
        config.connections_per_ip_max = LOOPBACK_CONNECTIONS_MAX;
        config.reconnect_throttle = Duration::ZERO;
    }
    let keys = ConsensusKeys::new(core.keys.router_seed(), core.keys.transport_seed());
    let app = Arc::new(anchoring::Anchoring(core.clone()));
    let started = ddt_consensus::start(config, keys, app).await;
    started.map_err(|error| Failure::fault(chain_of(&error)))
}
