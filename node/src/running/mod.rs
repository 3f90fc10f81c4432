//! A running node: the wiring of its parts, and nothing else.
//!
//! A router seals a lane and votes on anchors; a full node follows. Which of them a node is,
//! the state says: whoever has the key of a lane is its router.

mod accusing;
mod anchoring;
mod blocks;
mod copying;
mod core;
mod due;
mod duties;
mod executing;
mod face;
mod following;
mod forwarding;
mod gathering;
mod governing;
mod heartbeats;
mod holds;
mod host;
mod inbox;
mod keys;
mod lane;
mod meters;
mod network;
mod news;
mod opening;
mod promises;
mod pruning;
mod records;
mod renewals;
mod reveals;
mod role;
mod routers;
mod serving;
mod sets;
mod snapshots;
mod stages;
mod stalled;
mod stamps;
mod threads;
mod times;
mod timing;
mod tracker;
#[cfg(debug_assertions)]
mod treason;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ddt_api::{Backend, Limits};
use ddt_consensus::Running;
use ddt_core::mempool::MempoolLimits;
use ddt_ledger::accounts::Account;
use ddt_ledger::registry::Registry;
use ddt_ledger::{AccountId, Amount};
use ddt_net::Net;
use tokio::sync::{mpsc, watch};

pub use self::core::{Ending, now};
pub use keys::NodeKeys;
pub use network::no_network;
pub use records::Records;
pub use reveals::TASKS as REVEALS;
pub use serving::{Listeners, bind};
pub use snapshots::FOLDER as SNAPSHOTS;

use self::accusing::Accuser;
use self::core::Core;
use self::due::Worker;
use self::governing::Governing;
use self::heartbeats::Heartbeats;
use self::renewals::Renewals;
use self::threads::Threads;
use crate::config::NetworkConfig;
use crate::data_folder::{DataFolder, RunningNode};
use crate::failure::Failure;

/// After it stopped, a node's stores are free within this time.
const RELEASED_WITHIN: Duration = Duration::from_secs(30);

/// What an operator decides of a node.
#[derive(Clone)]
pub struct NodeConfig {
    /// Bounds of the public API.
    pub limits: Limits,
    /// Bounds of the mempool.
    pub mempool: MempoolLimits,
    /// Whether it may go on in a folder that was restored from a backup.
    pub continue_restored: bool,
    /// Whether a router that lost what it signed may vote again.
    pub accept_lost_data: bool,
    /// How large the pieces of its snapshots are, in bytes; none if it makes no snapshots.
    pub snapshots: Option<u64>,
    /// The programmes whose events its network takes.
    pub registry: Registry,
    /// Whole epochs of history that it keeps beside the present one; none if it keeps all.
    pub history: Option<u64>,
    /// How it takes part in its network; a network of one node needs none.
    pub network: Option<NetworkConfig>,
}

/// A running node.
pub struct Node {
    folder: DataFolder,
    core: Arc<Core>,
    consensus: Option<Running>,
    threads: Threads,
    stop: watch::Sender<bool>,
    servers: Vec<tokio::task::JoinHandle<()>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    ending: mpsc::UnboundedReceiver<Ending>,
    /// How to reach it.
    pub running: RunningNode,
}

impl Node {
    /// Starts a node on a data folder that has a genesis.
    ///
    /// # Errors
    /// What keeps it from starting, and what to do about it.
    pub async fn start(
        folder: DataFolder,
        listeners: &Listeners,
        config: NodeConfig,
    ) -> Result<Node, Failure> {
        let genesis = folder.genesis()?;
        let genesis = genesis.ok_or_else(|| Failure::fault("the folder has no genesis file"))?;
        let keys = NodeKeys::read(&folder.path().join("node.key"))?;
        let (ending_sender, ending) = mpsc::unbounded_channel();
        let book = opening::open_book(&folder, &genesis, config.registry)?;
        let (records, standing) = opening::stand(&folder, &book, &keys, config.accept_lost_data)?;
        let snapshots = config.snapshots;
        let (core, queues) =
            opening::open_core(&folder, book, (keys, standing), (ending_sender, snapshots))?;
        if core.role.is_router() && records.may_begin(&core)? {
            records.begin()?;
        }
        let accept_lost_wal = opening::admit_restored(&folder, &core, config.continue_restored)?;
        let sequencer = match core.role.zone {
            Some(zone) => Some(opening::open_sequencer(&folder, &core, zone, config.mempool)?),
            None => None,
        };
        let (gathering, follower) = (gathering::open(&core)?, following::open(&core)?);
        core.repace()?;
        let agents = Agents::open(&folder, &core)?;
        let running = listeners.reachable()?;
        let home = folder.path().to_path_buf();
        if let Some(network) = &config.network {
            let net = network::join(&core, network, home.clone()).await?;
            let _ = core.net.set(net);
        }
        let threads = Threads::start(&core, queues, sequencer, gathering, follower)?;
        let consensus = match core.role.is_validator {
            true => Some(opening::start_consensus(&folder, &core, &config, accept_lost_wal).await?),
            false => None,
        };
        let (stop, _) = watch::channel(false);
        let face: Arc<dyn Backend> =
            Arc::new(face::Face::new(folder.path(), core.clone(), agents.reveals.clone()));
        let servers = serving::serve(&folder, listeners, face, config.limits, &stop)?;
        let mut tasks = agents.run();
        if let Some(epochs) = config.history {
            tasks.push(tokio::spawn(pruning::forget(core.clone(), epochs)));
        }
        standing.say(folder.path());
        if let Some(consensus) = &consensus {
            tasks.push(tokio::spawn(stalled::watch(core.clone(), consensus.under_way())));
        }
        if let Some(silence) = standing.silence {
            tasks.push(tokio::spawn(records::watch(core.clone(), records, silence)));
        }
        if let (Some(net), Some(network)) = (core.net.get().cloned(), config.network) {
            let introducer = consensus.as_ref().map(Running::introducer);
            if !core.is_up_to_date.load(Ordering::Relaxed) {
                tasks.push(tokio::spawn(records::open_when_up_to_date(core.clone())));
            }
            let (core, api) = (core.clone(), serving::published(&running.api));
            if core.role.is_validator {
                tasks.push(tokio::spawn(timing::tell(core.clone())));
            }
            let staying = network::stay(core, net, network, api, home, introducer);
            tasks.push(tokio::spawn(staying));
        }
        folder.announce(&running)?;
        Ok(Node { folder, core, consensus, threads, stop, servers, tasks, ending, running })
    }

    /// Resolves when the node must end: something failed, or the state gave it another role.
    pub async fn ended(&mut self) -> Ending {
        let consensus = async {
            match &mut self.consensus {
                Some(consensus) => consensus.failed().await,
                None => std::future::pending().await,
            }
        };
        let network = async {
            match self.core.net.get().cloned() {
                Some(net) => net.failed().await,
                None => std::future::pending().await,
            }
        };
        // A part that says why it ends is heard before consensus, which ends because of it.
        tokio::select! {
            biased;
            ending = self.ending.recv() => ending.unwrap_or_else(|| {
                let words = "a thread of the node has ended; start again, report this";
                Ending::Failed(Failure::fault(words))
            }),
            error = consensus => Ending::Failed(Failure::fault(chain_of(&error))),
            error = network => Ending::Failed(Failure::fault(format!(
                "the network: {}", chain_of(&error)
            ))),
        }
    }

    /// What an account has now.
    pub fn balance(&self, account: &AccountId) -> Result<Amount, Failure> {
        let snapshot = self.core.book.snapshot()?;
        let account = Account::read(&snapshot, account);
        Ok(account.map_or(Amount::ZERO, |account| account.balance))
    }

    /// Where the network reaches it.
    pub fn addresses(&self) -> Vec<String> {
        self.core.net.get().map(Net::addresses).unwrap_or_default()
    }

    /// At which anchor it is, and of which it has heard, whenever that is asked.
    pub fn heights(&self) -> impl Fn() -> (u64, u64) + use<> {
        let core = self.core.clone();
        move || (core.book.head().0.height, core.heard.load(Ordering::Relaxed))
    }

    /// Its role, in a word or two.
    pub fn role(&self) -> &'static str {
        self.core.role.word()
    }

    /// Ends everything in order; what was promised is on disk.
    ///
    /// # Errors
    /// What did not end as it should.
    pub async fn stop(self) -> Result<(), Failure> {
        self.folder.withdraw();
        self.pause().await.map(drop)
    }

    /// Ends everything in order, to begin anew: commands still find the node, and wait for it.
    ///
    /// # Errors
    /// As [`Node::stop`].
    pub async fn pause(self) -> Result<Stopped, Failure> {
        self.core.is_stopping.store(true, Ordering::Relaxed);
        // Open requests get their answers while the node still works; then it stops.
        let _ = self.stop.send(true);
        for server in self.servers {
            let _ = server.await;
        }
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        for task in self.tasks {
            let _ = task.await;
        }
        let stopped = match self.consensus {
            Some(consensus) => consensus.stop().await,
            None => Ok(()),
        };
        if let Some(net) = self.core.net.get().cloned() {
            Net::stop(net).await;
        }
        let threads = self.threads.stop(&self.core).await;
        self.core.snapshots.stop();
        let mut tasks =
            std::mem::take(&mut *self.core.tasks.lock().unwrap_or_else(|e| e.into_inner()));
        tasks.shutdown().await;
        stopped.map_err(|error| Failure::fault(chain_of(&error)))?;
        threads?;
        Ok(Stopped { folder: self.folder, core: self.core })
    }
}

/// A node that has ended.
pub struct Stopped {
    folder: DataFolder,
    core: Arc<Core>,
}

impl Stopped {
    /// The folder, once nothing uses its stores any more, so that the node may start again on
    /// it: the last questions are answered, and stamps made, on threads of their own.
    ///
    /// # Errors
    /// Something still uses them after [`RELEASED_WITHIN`].
    pub async fn released(self) -> Result<DataFolder, Failure> {
        let deadline = tokio::time::Instant::now() + RELEASED_WITHIN;
        while Arc::strong_count(&self.core) > 1 {
            if tokio::time::Instant::now() >= deadline {
                let users = Arc::strong_count(&self.core).saturating_sub(1);
                return Err(Failure::fault(format!(
                    "{users} parts of the node still use its stores; start it again"
                )));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(self.folder)
    }
}

/// What the node does for others by itself.
struct Agents {
    reveals: Arc<reveals::Reveals>,
    renewals: Arc<Worker<Renewals>>,
    heartbeats: Arc<Worker<Heartbeats>>,
    governing: Arc<Governing>,
    accuser: Arc<Accuser>,
}

impl Agents {
    fn open(folder: &DataFolder, core: &Arc<Core>) -> Result<Agents, Failure> {
        let duties = Arc::new(duties::Duties::new(core.clone()));
        let reveals = reveals::Reveals::open(folder.path(), core.clone(), duties.clone())?;
        let renewals = Renewals { core: core.clone(), duties: duties.clone() };
        let heartbeats = Heartbeats { core: core.clone(), duties: duties.clone() };
        let accuser = Arc::new(Accuser::new(core.clone(), duties.clone()));
        let governing = Arc::new(Governing::new(core.clone(), duties));
        Ok(Agents {
            reveals: Arc::new(reveals),
            renewals: Arc::new(Worker::new(core.clone(), renewals)?),
            heartbeats: Arc::new(Worker::new(core.clone(), heartbeats)?),
            governing,
            accuser,
        })
    }

    fn run(self) -> Vec<tokio::task::JoinHandle<()>> {
        vec![
            tokio::spawn(self.reveals.run()),
            tokio::spawn(self.renewals.run()),
            tokio::spawn(self.heartbeats.run()),
            tokio::spawn(self.governing.run()),
            tokio::spawn(self.accuser.run()),
        ]
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
