//! Who is asked, and who is not asked any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ddt_ledger::{ChainId, PublicKey};
use ddt_net::message::{Answer, Hello, News, Request};
use ddt_net::{BoxFuture, Greeting, Host, Net, NetConfig, Verdict};

use crate::config::NetworkConfig;
use crate::failure::Failure;
use crate::running::{NodeKeys, no_network};

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long it listens to them, whatever the first one says.
const SETTLING: Duration = Duration::from_secs(1);
/// Who was silent so often is passed over.
const SILENCES_MAX: u32 = 2;

/// A node that has nothing yet.
struct Newcomer;

impl Host for Newcomer {
    fn hello(&self) -> Greeting {
        Greeting { height: 0, lowest: 1, cards: Vec::new() }
    }

    fn greeted(&self, _: PublicKey, _: &Hello) {}

    fn lost(&self, _: PublicKey) {}

    fn news(&self, _: PublicKey, _: News) -> Verdict {
        Verdict::Ignore
    }

    fn answer(&self, _: PublicKey, _: Request) -> BoxFuture<'static, Answer> {
        Box::pin(async { Answer::Busy })
    }
}

/// Joins the network as a node that has nothing.
///
/// # Errors
/// When it cannot listen.
pub async fn join(chain: ChainId, keys: &NodeKeys, config: &NetworkConfig) -> Result<Net, Failure> {
    let mut net = NetConfig::new(chain, keys.network_seed());
    net.agent = format!("ddt/{}", env!("CARGO_PKG_VERSION"));
    net.listen = vec![config.network.tcp(), config.network.quic()];
    net.external = config.network.reached(true)?;
    net.peers = config.peers.clone();
    net.relays = config.relays.clone();
    let net = ddt_net::start(net, std::sync::Arc::new(Newcomer)).await;
    net.map_err(|error| no_network(&error))
}

/// The peers, and which of them are passed over.
pub struct Peers {
    pub net: Net,
    liars: BTreeSet<PublicKey>,
    /// How often each gave nothing although it was asked, or had offered it.
    silences: BTreeMap<PublicKey, u32>,
}

impl Peers {
    pub fn new(net: Net) -> Peers {
        Peers { net, liars: BTreeSet::new(), silences: BTreeMap::new() }
    }

    /// Waits for a peer, and then until there are so many; for these [`SETTLING`] at least, and
    /// `more` at most. `false` if none came.
    pub async fn wait(&self, enough: usize, patience: Duration, more: Duration) -> bool {
        let begun = Instant::now();
        while self.honest().is_empty() {
            if begun.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let first = Instant::now();
        tokio::time::sleep(SETTLING).await;
        while self.honest().len() < enough && first.elapsed() < more {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    /// Everybody who is not passed over.
    pub fn honest(&self) -> Vec<PublicKey> {
        let peers = self.net.peers().into_iter().map(|peer| peer.key);
        peers.filter(|peer| !self.is_passed_over(peer)).collect()
    }

    /// The greatest height that any of them says.
    pub fn highest(&self) -> u64 {
        let peers = self.net.peers().into_iter();
        let honest = peers.filter(|peer| !self.liars.contains(&peer.key));
        honest.map(|peer| peer.height).max().unwrap_or_default()
    }

    /// It gave nothing: after the second time it is not asked any more.
    pub fn was_silent(&mut self, peer: PublicKey) {
        let silences = self.silences.entry(peer).or_default();
        *silences = silences.saturating_add(1);
    }

    /// Rather the silent than nobody: they are asked again.
    pub fn forgive(&mut self) {
        self.silences.clear();
    }

    /// Whether it lied, or was silent too often.
    pub fn is_passed_over(&self, peer: &PublicKey) -> bool {
        let silences = self.silences.get(peer).copied().unwrap_or_default();
        self.is_liar(peer) || silences >= SILENCES_MAX
    }

    /// Whoever sent something wrong is not asked again.
    pub fn lied(&mut self, peer: PublicKey, what: &str) {
        tracing::warn!("{peer} sent {what}: it is passed over");
        self.liars.insert(peer);
    }

    /// Whether it sent something wrong.
    pub fn is_liar(&self, peer: &PublicKey) -> bool {
        self.liars.contains(peer)
    }

    /// Asks one of them; `None` if there is no answer in time.
    pub async fn ask(&self, peer: PublicKey, request: Request) -> Option<Answer> {
        ask(&self.net, peer, request).await
    }
}

/// Asks a peer; `None` if there is no answer in time.
pub async fn ask(net: &Net, peer: PublicKey, request: Request) -> Option<Answer> {
    tokio::time::timeout(ANSWER, net.ask(peer, request)).await.ok()?.ok()
}
