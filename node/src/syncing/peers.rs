//! Who is asked, and who is not asked any more.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ddt_ledger::{ChainId, PublicKey};
use ddt_net::message::{Answer, Hello, News, Request};
use ddt_net::{BoxFuture, Greeting, Host, Net, NetConfig, Verdict};

use crate::config::NetworkConfig;
use crate::failure::Failure;
use crate::running::NodeKeys;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
    let net = ddt_net::start(net, std::sync::Arc::new(Newcomer)).await;
    net.map_err(|error| {
        Failure::fault(format!("the network: {error}; choose another network.listen"))
    })
}

/// The peers, and which of them lied.
pub struct Peers {
    pub net: Net,
    liars: BTreeSet<PublicKey>,
}

impl Peers {
    pub fn new(net: Net) -> Peers {
        Peers { net, liars: BTreeSet::new() }
    }

    /// Waits for the first peer, and a little for more; `false` if none came.
    pub async fn wait(&self, patience: Duration, more: Duration) -> bool {
        let begun = Instant::now();
        while self.honest().is_empty() {
            if begun.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tokio::time::sleep(more).await;
        true
    }

    /// Everybody who has not lied.
    pub fn honest(&self) -> Vec<PublicKey> {
        let peers = self.net.peers().into_iter().map(|peer| peer.key);
        peers.filter(|peer| !self.liars.contains(peer)).collect()
    }

    /// The greatest height that any of them says.
    pub fn highest(&self) -> u64 {
        let peers = self.net.peers().into_iter();
        let honest = peers.filter(|peer| !self.liars.contains(&peer.key));
        honest.map(|peer| peer.height).max().unwrap_or_default()
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
