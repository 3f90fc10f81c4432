//! What the network is started with, and its limits.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ddt_ledger::{ChainId, Millis};
use zeroize::Zeroizing;

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// What [`crate::start`] needs.
#[derive(Clone)]
pub struct NetConfig {
    /// The chain. Nodes of other chains are not spoken with.
    pub chain: ChainId,
    /// The seed of the Ed25519 key behind the peer id.
    pub transport_seed: Zeroizing<[u8; 32]>,
    /// The program and its version, for people; cut at 64 bytes.
    pub agent: String,
    /// Multiaddrs to listen on: `/ip4/…/tcp/…` or `/ip4/…/udp/…/quic-v1`. Port 0 lets the
    /// system choose.
    pub listen: Vec<String>,
    /// Multiaddrs at which others can reach this node, if they are known.
    pub external: Vec<String>,
    /// Multiaddrs of nodes to stay connected with, with or without `/p2p/…`.
    pub peers: Vec<String>,
    /// Multiaddrs, with `/p2p/…`, of relays to have a place at, by which others reach this node
    /// when nobody can dial it.
    pub relays: Vec<String>,
    /// Whether it passes on connections of nodes that cannot be reached otherwise.
    pub relay: bool,
    /// Limits.
    pub limits: NetLimits,
    /// What time it is, by whatever is known of it; the system's clock without more.
    pub clock: Clock,
}

impl NetConfig {
    /// Listens nowhere, knows nobody; usual limits.
    pub fn new(chain: ChainId, transport_seed: Zeroizing<[u8; 32]>) -> NetConfig {
        NetConfig {
            chain,
            transport_seed,
            agent: concat!("ddt/", env!("CARGO_PKG_VERSION")).into(),
            listen: Vec::new(),
            external: Vec::new(),
            peers: Vec::new(),
            relays: Vec::new(),
            relay: false,
            limits: NetLimits::default(),
            clock: Arc::new(|| {
                let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Millis(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
            }),
        }
    }
}

/// Limits of a node's network. Nothing that peers can cause grows beyond them.
#[derive(Clone, Debug)]
pub struct NetLimits {
    /// Most connected peers, those that are kept connected aside.
    pub peers_max: u32,
    /// Most connections with one peer.
    pub connections_per_peer_max: u32,
    /// Most connections that one machine may begin: an IPv4 address other than loopback, or a
    /// network of 64 bits of IPv6.
    pub connections_per_host_max: usize,
    /// Most connections that are being made, in each direction.
    pub pending_max: u32,
    /// How many peers it looks for by itself.
    pub peers_wanted: usize,
    /// Most requests of one peer at work; more are answered with `Busy`.
    pub requests_per_peer: usize,
    /// Most requests of all peers at work.
    pub requests_total: usize,
    /// Requests a second of one peer, on average.
    pub requests_rate: u32,
    /// Requests that one peer may make at once.
    pub requests_burst: u32,
    /// Bytes a second of one peer's requests and answers; more are read later.
    pub bytes_rate: u64,
    /// News a second of which one peer is the author; of others it may pass on four times as
    /// many.
    pub news_rate: u32,
    /// Requests to one peer under way; more wait.
    pub asks_per_peer: usize,
    /// Requests that wait for one peer; more fail.
    pub asks_waiting: usize,
    /// How long a request may take, answer included.
    pub answer_timeout: Duration,
    /// How long a new peer has to greet.
    pub hello_timeout: Duration,
    /// How long [`crate::Net::ask`] waits for a peer to be found and connected.
    pub dial_timeout: Duration,
    /// First pause before an address is dialled again; then twice as long each time.
    pub redial_min: Duration,
    /// Longest pause before an address is dialled again.
    pub redial_max: Duration,
    /// How long a peer is kept away once its penalties reached the limit.
    pub ban: Duration,
    /// News that wait to be told; more are dropped and counted.
    pub tell_queue: usize,
}

impl Default for NetLimits {
    fn default() -> NetLimits {
        NetLimits {
            peers_max: 128,
            connections_per_peer_max: 4,
            connections_per_host_max: 16,
            pending_max: 64,
            peers_wanted: 16,
            requests_per_peer: 16,
            requests_total: 128,
            requests_rate: 4_000,
            requests_burst: 8_000,
            bytes_rate: 256 * 1024 * 1024,
            news_rate: 5_000,
            asks_per_peer: 12,
            asks_waiting: 256,
            answer_timeout: Duration::from_secs(20),
            hello_timeout: Duration::from_secs(5),
            dial_timeout: Duration::from_secs(10),
            redial_min: Duration::from_millis(250),
            redial_max: Duration::from_secs(60),
            ban: Duration::from_secs(600),
            tell_queue: 1_024,
        }
    }
}

/// Why there is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// A text is no address.
    #[error("{0:?} is no multiaddr like /ip4/192.0.2.1/tcp/4001: correct it")]
    Address(String),
    /// An address names no relay.
    #[error("{0:?} names no relay: it ends with /p2p/ and the relay's id")]
    Relay(String),
    /// It cannot listen there.
    #[error("cannot listen on {address}: {why}; choose another address or port")]
    Listen {
        /// Where.
        address: String,
        /// What the system says.
        why: String,
    },
    /// A part of the network could not be set up.
    #[error("the network cannot be set up: {0}")]
    Setup(String),
    /// Too many commands wait.
    #[error("the network is busy; try again")]
    Busy,
    /// It was stopped.
    #[error("the network is stopped")]
    Stopped,
    /// A part of it failed while it ran.
    #[error("the network failed: {0}; restart the node")]
    Failed(String),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Neither a connection, nor an address, nor a card of whom to ask.
    #[error("nobody knows where that node is")]
    Unknown,
    /// It has addresses, and answers at none.
    #[error("that node cannot be reached")]
    Unreachable,
    /// The request is longer than it may be, or one of its parts is.
    #[error("the request is longer than it may be")]
    Limits,
    /// It was asked and did not answer in time.
    #[error("that node did not answer in time")]
    Timeout,
    /// The connection closed before the answer came.
    #[error("the connection closed before the answer came")]
    Closed,
    /// Too many requests to it wait already.
    #[error("too many requests to that node wait")]
    Busy,
    /// It answered with something that is no answer to the question.
    #[error("that node answered nonsense")]
    Nonsense,
    /// It is kept away because of what it did before, or it is this node itself.
    #[error("that node is not to be asked")]
    Barred,
    /// The network of this node was stopped.
    #[error("the network is stopped")]
    Stopped,
}
