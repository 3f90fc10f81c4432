//! The handle of a running network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ddt_ledger::{Millis, PublicKey};
use libp2p::Multiaddr;
use tokio::sync::{mpsc, oneshot, watch};

use crate::card::{Card, SignedCard};
use crate::card_book::CardBook;
use crate::config::{AskError, Clock, NetError};
use crate::counters::{Counters, Counting};
use crate::frame::Frame;
use crate::message::{Answer, Message, News};

/// Addresses of which it is remembered whether they can be dialled.
pub const REACHES_MAX: usize = 16;

/// Who made the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer.
    In,
    /// This node.
    Out,
}

/// A peer that has greeted.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Its transport key.
    pub key: PublicKey,
    /// Where it is connected, one address for each connection.
    pub addresses: Vec<String>,
    /// What it says its program is.
    pub agent: String,
    /// Since when it is connected, by the clock that the network was started with.
    pub since: Millis,
    /// The last measured round trip, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Who made the first connection.
    pub direction: Direction,
    /// The height it said last; not proven.
    pub height: u64,
    /// What gossip thinks of it: below 0 is bad.
    pub score: f64,
    /// The router whose card names its key.
    pub router: Option<PublicKey>,
}

/// What a node that relays found when it dialled an address of this one (AutoNAT).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The address, without `/p2p/…`.
    pub address: String,
    /// Whether it is of this machine or of a private network: others may find nothing there.
    pub is_near: bool,
    /// Whether it could be dialled.
    pub is_reached: bool,
    /// The transport key of who says so; not proven.
    pub by: PublicKey,
    /// When it said so.
    pub at: Millis,
}

/// What the handle asks of the task.
pub(crate) enum Command {
    Ask {
        to: PublicKey,
        frame: Frame,
        reply: oneshot::Sender<Result<Vec<u8>, AskError>>,
    },
    Dial(Multiaddr),
    /// A peer answered nonsense.
    Nonsense(PublicKey),
}

/// Whose cards count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routers {
    pub keys: BTreeSet<PublicKey>,
    pub keep: bool,
}

/// What task and handles both know.
pub(crate) struct Shared {
    pub me: PublicKey,
    pub addresses: Mutex<Vec<String>>,
    pub reaches: Mutex<Vec<Reach>>,
    pub peers: Mutex<BTreeMap<PublicKey, PeerInfo>>,
    pub cards: Mutex<CardBook>,
    pub counting: Arc<Counting>,
    pub clock: Clock,
}

/// Locks; what a panic left is as good as any state here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running network. Cheap to clone; it ends when the last clone is gone, or by
/// [`Net::stop`].
#[derive(Clone)]
pub struct Net {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) news: mpsc::Sender<News>,
    pub(crate) routers: Arc<watch::Sender<Routers>>,
    pub(crate) card: Arc<watch::Sender<Option<SignedCard>>>,
    pub(crate) stop: Arc<watch::Sender<bool>>,
    pub(crate) ended: watch::Receiver<Option<NetError>>,
}

impl Net {
    /// This node's transport key.
    pub fn me(&self) -> PublicKey {
        self.shared.me
    }

    /// What it listens on, with ports, without `/p2p/…`.
    pub fn addresses(&self) -> Vec<String> {
        lock(&self.shared.addresses).clone()
    }

    /// Which of its addresses others could dial, the newest word last; at most [`REACHES_MAX`].
    /// Empty as long as no peer that relays has tried one.
    pub fn reaches(&self) -> Vec<Reach> {
        lock(&self.shared.reaches).clone()
    }

    /// Tells everybody, by gossip. Never blocks: if too much waits, the news are dropped and
    /// counted.
    pub fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            crate::counters::count(&self.shared.counting.news_dropped);
        }
    }

    /// Asks a node: by its transport key, or a router by the router's key, which its card leads
    /// to. Connects if needed. A request for many nodes is encoded once as a [`Frame`].
    ///
    /// # Errors
    /// If there is no answer; [`Answer::Busy`] is one.
    pub async fn ask(&self, to: PublicKey, request: impl Into<Frame>) -> Result<Answer, AskError> {
        let frame = request.into();
        if !frame.is_allowed {
            return Err(AskError::Limits);
        }
        let kind = frame.kind;
        let (reply, answer) = oneshot::channel();
        let command = Command::Ask { to, frame, reply };
        self.commands.send(command).await.map_err(|_| AskError::Stopped)?;
        let bytes = answer.await.map_err(|_| AskError::Stopped)??;
        match Answer::decode(&bytes) {
            Ok(answer) if kind.fits(&answer) => Ok(answer),
            _ => {
                self.blame(to);
                Err(AskError::Nonsense)
            }
        }
    }

    /// A peer sent what no honest node would: by its transport key, or a router by the router's.
    /// Three times is once too often (spec NET-21). If so much waits that there is no room for
    /// this, it is told another time.
    pub fn blame(&self, peer: PublicKey) {
        let _ = self.commands.try_send(Command::Nonsense(peer));
    }

    /// The peers that have greeted.
    pub fn peers(&self) -> Vec<PeerInfo> {
        lock(&self.shared.peers).values().cloned().collect()
    }

    /// Says whose cards count, and whether to stay connected with all of them, as a router does.
    pub fn set_routers(&self, routers: BTreeSet<PublicKey>, keep: bool) {
        lock(&self.shared.cards).set_routers(&routers);
        self.routers.send_replace(Routers { keys: routers, keep });
    }

    /// Sets this node's own card: told at once, to new peers, and again each ten minutes.
    pub fn set_card(&self, card: Option<SignedCard>) {
        self.card.send_replace(card);
    }

    /// The newest card of a router.
    pub fn card(&self, router: &PublicKey) -> Option<Card> {
        lock(&self.shared.cards).get(router).map(|signed| signed.card.clone())
    }

    /// The router whose newest card names this transport key.
    pub fn router_at(&self, transport: &PublicKey) -> Option<PublicKey> {
        lock(&self.shared.cards).router_at(transport)
    }

    /// The newest cards of all routers that count, this node's own among them.
    pub fn cards(&self) -> Vec<SignedCard> {
        lock(&self.shared.cards).all()
    }

    /// Takes cards that the node kept, as far as they count, are newer, and verify.
    pub fn learn(&self, cards: &[SignedCard]) {
        crate::task::take_cards(&self.shared, cards);
    }

    /// Connects with an address, once.
    ///
    /// # Errors
    /// If it is no multiaddr, or too many commands wait.
    pub fn dial(&self, address: &str) -> Result<(), NetError> {
        let address = crate::setup::parse(address)?;
        self.commands.try_send(Command::Dial(address)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NetError::Busy,
            mpsc::error::TrySendError::Closed(_) => NetError::Stopped,
        })
    }

    /// What it did since it was started.
    pub fn counters(&self) -> Counters {
        self.shared.counting.now()
    }

    /// Waits until the network ends, and says why.
    pub async fn failed(&self) -> NetError {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or(NetError::Stopped),
            Err(_) => NetError::Stopped,
        }
    }

    /// Stops it, for all clones, and waits until its ports are free.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.failed().await;
    }
}
