//! Connected peers: their connections, of which the best one is kept, and parting with them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ddt_ledger::{Millis, PublicKey};
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{Semaphore, mpsc};

use crate::bucket::Bucket;
use crate::config::{AskError, NetLimits};
use crate::counters::count;
use crate::key;
use crate::net::{Direction, PeerInfo, lock};
use crate::standing::{Offence, host_of};
use crate::task::Task;
use crate::task::worker::{QUEUE, Work};

/// How long a new connection is left alone, even if there is a better one.
const SETTLING: Duration = Duration::from_secs(1);

/// A peer that this node has not greeted itself has so many times as long.
const UNGREETED: u32 = 4;
/// So often a peer may greet for each connection, and in all at one time: a greeting may be sent
/// again when one of two connections closes.
const GREETINGS_EACH: u8 = 3;
const GREETINGS_LEFT_MAX: u8 = 6;
/// So many times its own news may be those that a peer passes on.
const PASSED_ON: f64 = 4.0;

/// One connection.
pub(super) struct Link {
    pub id: ConnectionId,
    pub address: Multiaddr,
    pub direction: Direction,
    pub since: Instant,
}

/// A connected peer.
pub(super) struct Peer {
    pub key: PublicKey,
    pub links: Vec<Link>,
    pub since: Instant,
    pub connected: Millis,
    pub agent: String,
    pub height: u64,
    /// Whether it said what it is, in a greeting or in the answer to one.
    pub is_heard: bool,
    /// Over which connection its first greeting came, and when.
    pub greeted_here: Option<(ConnectionId, Instant)>,
    /// How often this node greeted, and when it did last.
    pub greetings: u8,
    pub greeted: Option<Instant>,
    /// How often the peer may still greet.
    pub greetings_left: u8,
    /// Whether it answered this node's greeting: then it may be asked.
    pub is_welcome: bool,
    pub work: mpsc::Sender<Work>,
    /// Its news, until its greeting came and a worker takes them.
    pub queue: Option<mpsc::Receiver<Work>>,
    /// Room for its requests.
    pub at_work: Arc<Semaphore>,
    pub requests: Bucket,
    pub news: Bucket,
    /// For news of other authors: without it fresh names would have no limit.
    pub passed_on: Bucket,
    pub rtt_ms: Option<f64>,
    /// Requests to it that are under way.
    pub under_way: usize,
}

impl Peer {
    fn new(key: PublicKey, limits: &NetLimits, (now, connected): (Instant, Millis)) -> Peer {
        let (work, queue) = mpsc::channel(QUEUE);
        let (rate, burst) = (f64::from(limits.requests_rate), f64::from(limits.requests_burst));
        let news = f64::from(limits.news_rate);
        Peer {
            key,
            links: Vec::new(),
            since: now,
            connected,
            agent: String::new(),
            height: 0,
            is_heard: false,
            greeted_here: None,
            greetings: 0,
            greeted: None,
            greetings_left: 0,
            is_welcome: false,
            work,
            queue: Some(queue),
            at_work: Arc::new(Semaphore::new(limits.requests_per_peer)),
            requests: Bucket::new(rate, burst, now),
            news: Bucket::new(news, 2.0 * news, now),
            passed_on: Bucket::new(PASSED_ON * news, 2.0 * PASSED_ON * news, now),
            rtt_ms: None,
            under_way: 0,
        }
    }
}

/// Whether the address is of this machine or of a private network.
pub(super) fn is_near(address: &Multiaddr) -> bool {
    match host_of(address) {
        Some(std::net::IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(std::net::IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        None => false,
    }
}

/// Whether the address is one of QUIC.
pub(super) fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::QuicV1))
}

/// The smaller the better: direct before relayed; on this machine and in private networks TCP,
/// which is faster there, elsewhere QUIC.
fn rank(address: &Multiaddr) -> u8 {
    match address.iter().any(|part| part == Protocol::P2pCircuit) {
        true => 2,
        false => u8::from(is_near(address) == is_quic(address)),
    }
}

impl Task {
    pub(super) fn on_connected(&mut self, peer: PeerId, id: ConnectionId, point: ConnectedPoint) {
        count(&self.shared.counting.connections);
        self.dialling.connected(id, peer);
        let Some(key) = key::key_of(&peer) else { return self.part(peer) };
        let now = Instant::now();
        let is_new = !self.peers.contains_key(&peer);
        let (limits, clock) = (&self.limits, &self.shared.clock);
        let entry =
            self.peers.entry(peer).or_insert_with(|| Peer::new(key, limits, (now, clock())));
        let direction = if point.is_dialer() { Direction::Out } else { Direction::In };
        let address = point.get_remote_address().clone();
        entry.links.push(Link { id, address, direction, since: now });
        let left = entry.greetings_left.saturating_add(GREETINGS_EACH);
        entry.greetings_left = left.min(GREETINGS_LEFT_MAX);
        if is_new {
            tracing::debug!(%peer, address = %point.get_remote_address(), "connected");
            self.greet(peer);
        }
    }

    /// Of several connections with a peer one is kept. Whose peer id is smaller decides: so the
    /// two sides do not close one each.
    pub(super) fn keep_the_best(&mut self, now: Instant) {
        let me = self.swarm.local_peer_id().to_bytes();
        let mut surplus = Vec::new();
        for (_, peer) in self.peers.iter_mut().filter(|(id, _)| me < id.to_bytes()) {
            // Of equals the oldest: it may be in use. The newest may be a probe, over soon.
            let best = peer.links.iter().min_by_key(|link| rank(&link.address));
            let is_settled = |link: &&Link| now.duration_since(link.since) > SETTLING;
            if peer.links.iter().all(|link| is_settled(&link)) {
                let others = peer.links.iter().map(|link| link.id);
                surplus.extend(others.filter(|id| best.is_some_and(|best| best.id != *id)));
            }
            // Whose greeting is lost with one of these may greet again.
            peer.greeted_here = peer.greeted_here.filter(|(over, _)| !surplus.contains(over));
        }
        for id in surplus {
            self.swarm.close_connection(id);
        }
    }

    pub(super) fn on_disconnected(&mut self, peer: PeerId, id: ConnectionId, left: u32) {
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.links.retain(|link| link.id != id);
        }
        if left > 0 {
            return self.show_peer(peer, Instant::now());
        }
        tracing::debug!(%peer, "disconnected");
        // Its worker ends when it has judged what is there, and tells the node.
        if let Some(lost) = self.peers.remove(&peer) {
            lock(&self.shared.peers).remove(&lost.key);
        }
        self.fail_waiting(&peer, AskError::Closed);
        self.dialling.lost(&peer, Instant::now(), &self.limits);
    }

    /// Closes all connections with a peer.
    pub(super) fn part(&mut self, peer: PeerId) {
        // It may be gone already.
        let _ = self.swarm.disconnect_peer_id(peer);
    }

    /// Parts with those that did not greet in time.
    pub(super) fn part_with_the_silent(&mut self, now: Instant) {
        let limit = self.limits.hello_timeout;
        // Until it is greeted it may wait for this node, which has much to do.
        let is_silent = |peer: &Peer| match peer.greeted {
            _ if peer.is_heard && peer.is_welcome => false,
            Some(greeted) => now.duration_since(greeted.max(peer.since)) > limit,
            None => now.duration_since(peer.since) > limit.saturating_mul(UNGREETED),
        };
        let silent = self.peers.iter().filter(|(_, peer)| is_silent(peer));
        let silent = silent.map(|(id, peer)| (*id, peer.greeted.is_some()));
        for (peer, is_greeted) in silent.collect::<Vec<_>>() {
            if is_greeted {
                self.blame(peer, Offence::Silent);
            }
            self.part(peer);
        }
    }

    /// Remembers what a peer did, and sends it away for a while if it was too much.
    pub(super) fn blame(&mut self, peer: PeerId, offence: Offence) {
        let now = Instant::now();
        tracing::debug!(%peer, ?offence, "an offence");
        let is_enough = {
            let mut standing = lock(&self.standing);
            let is_enough = standing.blame(peer, offence, now);
            let points = standing.points(&peer, now);
            self.swarm.behaviour_mut().gossip.set_application_score(&peer, -points);
            is_enough
        };
        if is_enough {
            self.ban(peer, now);
        } else {
            self.show_peer(peer, now);
        }
    }

    fn ban(&mut self, peer: PeerId, now: Instant) {
        tracing::info!(%peer, seconds = self.limits.ban.as_secs(), "sent away");
        count(&self.shared.counting.bans);
        let links = self.peers.get(&peer).map(|peer| peer.links.as_slice()).unwrap_or_default();
        let from: Vec<Multiaddr> = links.iter().map(|link| link.address.clone()).collect();
        lock(&self.standing).ban(peer, &from, now, self.limits.ban);
        self.swarm.behaviour_mut().kad.remove_peer(&peer);
        self.fail_waiting(&peer, AskError::Barred);
        self.part(peer);
    }

    /// The connected peer behind a key: its transport key, or a router's by its card.
    pub(super) fn peer_behind(&self, key: &PublicKey) -> Option<PeerId> {
        let direct = key::peer_of(key).filter(|peer| self.peers.contains_key(peer));
        direct.or_else(|| {
            let transport = lock(&self.shared.cards).get(key).map(|signed| signed.card.transport);
            transport.as_ref().and_then(key::peer_of)
        })
    }

    /// Brings what handles see of all peers up to date.
    pub(super) fn show_peers(&mut self, now: Instant) {
        for peer in self.peers.keys().copied().collect::<Vec<_>>() {
            self.show_peer(peer, now);
        }
    }

    pub(super) fn show_peer(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get(&id).filter(|peer| peer.is_heard) else { return };
        let points = lock(&self.standing).points(&id, now);
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.set_application_score(&id, -points);
        let first = peer.links.first().map(|link| link.direction);
        let info = PeerInfo {
            key: peer.key,
            addresses: peer.links.iter().map(|link| link.address.to_string()).collect(),
            agent: peer.agent.clone(),
            since: peer.connected,
            rtt_ms: peer.rtt_ms,
            direction: first.unwrap_or(Direction::In),
            height: peer.height,
            score: gossip.peer_score(&id).unwrap_or_default(),
            router: lock(&self.shared.cards).router_at(&peer.key),
        };
        lock(&self.shared.peers).insert(peer.key, info);
    }
}
