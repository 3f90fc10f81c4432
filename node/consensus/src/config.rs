//! How consensus is told to run, and what the engine is told in turn.

use std::path::PathBuf;
use std::time::Duration;

use arc_malachitebft_app_channel::app::config as engine;
use arc_malachitebft_app_channel::app::net::Multiaddr;
use arc_malachitebft_core_types::LinearTimeouts;
use ddt_ledger::ChainId;
use ddt_ledger::certificate::VALIDATORS_MAX;

use crate::error::ConsensusError;

/// Room for every validator twice, as connections overlap while they are replaced.
const CONNECTIONS_MAX: usize = 2 * VALIDATORS_MAX;
/// Votes kept for one later height: 2n - 1 a round, for ten rounds.
const QUEUE_PER_HEIGHT: usize = 20 * VALIDATORS_MAX;
/// How often routers tell each other how far they are.
const STATUS_EVERY: Duration = Duration::from_secs(2);
/// Values asked for at once when catching up.
const SYNC_BATCH: usize = 32;
/// Such questions that are answered at one time: consensus waits for the same threads.
const SYNC_SERVED: usize = 4;
/// Such questions of one peer that are answered in a second.
const SYNC_SERVED_PER_SECOND: u32 = 20;

/// How long each step of a round may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the proposer to make its body and get it to everybody.
    pub propose: Duration,
    /// For late votes once two thirds have voted differently.
    pub vote: Duration,
    /// What each further round adds to both.
    pub round_step: Duration,
    /// After this long in one round, votes are sent again.
    pub rebroadcast: Duration,
    /// None grows beyond this.
    pub longest: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            propose: Duration::from_millis(1_000),
            vote: Duration::from_millis(300),
            round_step: Duration::from_millis(200),
            rebroadcast: Duration::from_millis(2_000),
            longest: Duration::from_secs(20),
        }
    }
}

impl From<Timeouts> for LinearTimeouts {
    fn from(timeouts: Timeouts) -> LinearTimeouts {
        LinearTimeouts {
            propose: timeouts.propose,
            propose_delta: timeouts.round_step,
            prevote: timeouts.vote,
            prevote_delta: timeouts.round_step,
            precommit: timeouts.vote,
            precommit_delta: timeouts.round_step,
            rebroadcast: timeouts.rebroadcast,
            max_timeout: timeouts.longest,
        }
    }
}

/// How a router takes part in consensus.
#[derive(Clone, Debug)]
pub struct ConsensusConfig {
    /// The chain: everything signed is bound to it, and other chains' peers are ignored.
    pub chain: ChainId,
    /// A name for logs and metrics; must differ between engines of one process.
    pub moniker: String,
    /// Folder of the WAL, which proves to ourselves what we signed. Never delete it.
    pub home: PathBuf,
    /// Multiaddr to listen on, over TCP or QUIC. For routers only, on a port of its own.
    pub listen: String,
    /// Multiaddrs of the other routers.
    pub peers: Vec<String>,
    /// How long the steps of a round may take.
    pub timeouts: Timeouts,
    /// Connections from one IP address, at most; many routers on one machine need more.
    pub connections_per_ip_max: usize,
    /// How long an IP address that disconnected must wait, unless it is a known peer's.
    pub reconnect_throttle: Duration,
    /// Sign although the WAL is lost or belongs to another state of the store. Only after
    /// the network has surely decided every height this key may have voted in.
    pub accept_lost_wal: bool,
    /// Vote twice in each round, once for nothing: what honest validators must find out.
    #[cfg(debug_assertions)]
    pub votes_twice: bool,
}

impl ConsensusConfig {
    /// A configuration with the usual limits and no peers.
    pub fn new(chain: ChainId, moniker: &str, home: PathBuf, listen: &str) -> ConsensusConfig {
        ConsensusConfig {
            chain,
            moniker: moniker.to_owned(),
            home,
            listen: listen.to_owned(),
            peers: Vec::new(),
            timeouts: Timeouts::default(),
            connections_per_ip_max: 8,
            reconnect_throttle: Duration::from_secs(30),
            accept_lost_wal: false,
            #[cfg(debug_assertions)]
            votes_twice: false,
        }
    }

    pub(crate) fn wal_path(&self) -> PathBuf {
        self.home.join(crate::wal::WAL_FILE)
    }

    pub(crate) fn for_engine(&self) -> Result<EngineConfig, ConsensusError> {
        let mut consensus = engine::ConsensusConfig {
            queue_per_height_capacity: QUEUE_PER_HEIGHT,
            ..Default::default()
        };
        let p2p = &mut consensus.p2p;
        p2p.listen_addr = address(&self.listen)?;
        p2p.persistent_peers =
            self.peers.iter().map(|peer| address(peer)).collect::<Result<_, _>>()?;
        p2p.discovery.num_inbound_peers = CONNECTIONS_MAX;
        p2p.discovery.num_outbound_peers = CONNECTIONS_MAX;
        p2p.discovery.max_connections_per_ip = self.connections_per_ip_max;
        p2p.discovery.ip_throttle_duration = self.reconnect_throttle;
        // The engine leaves a peer whose consensus protocol has another name.
        let chain = self.chain;
        p2p.protocol_names = engine::ProtocolNames {
            consensus: format!("/ddt/{chain}/consensus/1"),
            discovery_kad: format!("/ddt/{chain}/kad/1"),
            discovery_regres: format!("/ddt/{chain}/peers/1"),
            sync: format!("/ddt/{chain}/sync/1"),
            validator_proof: format!("/ddt/{chain}/validator/1"),
        };
        let sync = engine::ValueSyncConfig {
            status_update_interval: STATUS_EVERY,
            batch_size: SYNC_BATCH,
            max_concurrent_inbound_requests: SYNC_SERVED,
            max_inbound_requests_per_window: SYNC_SERVED_PER_SECOND,
            inbound_request_rate_limit_window: Duration::from_secs(1),
            ..Default::default()
        };
        Ok(EngineConfig { moniker: self.moniker.clone(), consensus, sync })
    }
}

/// A multiaddr over a transport that the engine has; on others it would panic.
pub(crate) fn address(text: &str) -> Result<Multiaddr, ConsensusError> {
    let address: Multiaddr = text
        .parse()
        .map_err(|error| ConsensusError::Config(format!("{text}: not a multiaddr: {error}")))?;
    if address.protocol_stack().any(|name| matches!(name, "tcp" | "quic" | "quic-v1")) {
        Ok(address)
    } else {
        Err(ConsensusError::Config(format!("{text}: only /tcp and /udp/…/quic-v1 are supported")))
    }
}

/// What the engine reads.
#[derive(Clone)]
pub(crate) struct EngineConfig {
    moniker: String,
    consensus: engine::ConsensusConfig,
    sync: engine::ValueSyncConfig,
}

impl engine::NodeConfig for EngineConfig {
    fn moniker(&self) -> &str {
        &self.moniker
    }

    fn consensus(&self) -> &engine::ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut engine::ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &engine::ValueSyncConfig {
        &self.sync
    }

    fn value_sync_mut(&mut self) -> &mut engine::ValueSyncConfig {
        &mut self.sync
    }
}
