//! Whom to connect with: named addresses, routers, whoever is asked, and some strangers.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use ddt_ledger::PublicKey;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};

use crate::config::{AskError, NetLimits};
use crate::counters::count;
use crate::key;
use crate::net::{Routers, lock};
use crate::task::Task;
use crate::task::peers::{is_near, is_quic};

/// Strangers that are dialled at one time.
const STRANGERS_AT_ONCE: usize = 4;
/// Most strangers whose failures are remembered.
const STRANGERS_MAX: usize = 1_024;
/// Most addresses of one peer that are dialled or passed on.
pub(super) const ADDRESSES_MAX: usize = 8;

/// Somebody to stay connected with.
struct Wanted {
    target: Target,
    /// Who answered there.
    found: Option<PeerId>,
    attempts: u32,
    next: Instant,
    under_way: Option<ConnectionId>,
    is_me: bool,
}

#[derive(Clone, PartialEq)]
enum Target {
    Address(Multiaddr),
    Router(PublicKey),
}

/// Dials under way and to come.
pub(super) struct Dialling {
    wanted: Vec<Wanted>,
    /// Dials that this task began for requests.
    asked: HashSet<ConnectionId>,
    /// When strangers may be dialled again, and how often they were in vain.
    later: HashMap<PeerId, (u32, Instant)>,
}

pub(super) fn pause(attempts: u32, limits: &NetLimits) -> Duration {
    let factor = 2u32.saturating_pow(attempts.min(16));
    limits.redial_min.saturating_mul(factor).min(limits.redial_max)
}

fn wanted(target: Target, next: Instant) -> Wanted {
    Wanted { target, found: None, attempts: 0, next, under_way: None, is_me: false }
}

/// The addresses that can be dialled, the best first. Where TCP is offered on this machine or
/// in a private network, QUIC there is left out: TCP is faster.
pub(super) fn dialable(addresses: impl IntoIterator<Item = Multiaddr>) -> Vec<Multiaddr> {
    let is_nowhere = |address: &Multiaddr| {
        address.iter().any(|part| match part {
            Protocol::Ip4(ip) => ip.is_unspecified(),
            Protocol::Ip6(ip) => ip.is_unspecified(),
            _ => false,
        })
    };
    let mut seen = HashSet::new();
    let mut found: Vec<Multiaddr> = addresses
        .into_iter()
        .map(|address| key::split(&address).0)
        .filter(|address| !address.is_empty() && !is_nowhere(address))
        .filter(|address| seen.insert(address.clone()))
        .take(4 * ADDRESSES_MAX)
        .collect();
    if found.iter().any(|address| is_near(address) && !is_quic(address)) {
        found.retain(|address| !(is_near(address) && is_quic(address)));
    }
    found.truncate(ADDRESSES_MAX);
    found
}

impl Dialling {
    pub(super) fn new(peers: Vec<Multiaddr>, now: Instant) -> Dialling {
        let wanted = peers.into_iter().map(|address| wanted(Target::Address(address), now));
        Dialling { wanted: wanted.collect(), asked: HashSet::new(), later: HashMap::new() }
    }

    pub(super) fn connected(&mut self, id: ConnectionId, peer: PeerId) {
        self.asked.remove(&id);
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.under_way == Some(id)) {
            wanted.under_way = None;
            wanted.found = Some(peer);
        }
    }

    pub(super) fn greeted(&mut self, peer: &PeerId) {
        self.later.remove(peer);
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.found == Some(*peer)) {
            wanted.attempts = 0;
        }
    }

    pub(super) fn lost(&mut self, peer: &PeerId, now: Instant, limits: &NetLimits) {
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.found == Some(*peer)) {
            wanted.next = now + pause(wanted.attempts, limits);
            wanted.attempts = wanted.attempts.saturating_add(1);
        }
        self.in_vain(*peer, now, limits);
    }

    fn in_vain(&mut self, peer: PeerId, now: Instant, limits: &NetLimits) {
        if self.later.len() >= STRANGERS_MAX {
            self.later.retain(|_, (_, next)| *next > now);
        }
        if self.later.len() < STRANGERS_MAX {
            let (attempts, next) = self.later.entry(peer).or_insert((0, now));
            *next = now + pause(*attempts, limits);
            *attempts = attempts.saturating_add(1);
        }
    }

    fn failed(&mut self, id: ConnectionId, is_me: bool, now: Instant, limits: &NetLimits) {
        for wanted in self.wanted.iter_mut().filter(|wanted| wanted.under_way == Some(id)) {
            wanted.under_way = None;
            wanted.is_me = is_me;
            wanted.next = now + pause(wanted.attempts, limits);
            wanted.attempts = wanted.attempts.saturating_add(1);
        }
    }

    /// Whose cards came: their routers are dialled at once.
    pub(super) fn cards_came(&mut self, now: Instant) {
        let of_router = |wanted: &&mut Wanted| matches!(wanted.target, Target::Router(_));
        self.wanted.iter_mut().filter(of_router).for_each(|wanted| wanted.next = now);
    }
}

impl Task {
    pub(super) fn on_routers(&mut self, routers: Routers) {
        let now = Instant::now();
        let keep: BTreeSet<PublicKey> =
            if routers.keep { routers.keys.clone() } else { BTreeSet::new() };
        let all = &mut self.dialling.wanted;
        all.retain(|wanted| match &wanted.target {
            Target::Address(_) => true,
            Target::Router(router) => keep.contains(router),
        });
        for router in keep {
            let target = Target::Router(router);
            if !all.iter().any(|wanted| wanted.target == target) {
                all.push(wanted(target, now));
            }
        }
        self.routers = routers;
        self.look_at_cards();
        self.dial_what_is_due(now);
    }

    pub(super) fn dial_what_is_due(&mut self, now: Instant) {
        for index in 0..self.dialling.wanted.len() {
            self.dial_wanted(index, now);
        }
        self.dial_strangers(now);
    }

    fn dial_wanted(&mut self, index: usize, now: Instant) {
        let Some(wanted) = self.dialling.wanted.get(index) else { return };
        let is_connected = |peer: &PeerId| self.peers.contains_key(peer);
        if wanted.is_me || wanted.under_way.is_some() || wanted.next > now {
            return;
        }
        let options = match &wanted.target {
            Target::Address(address) => {
                let (_, named) = key::split(address);
                if named.or(wanted.found).as_ref().is_some_and(is_connected) {
                    return;
                }
                match named {
                    Some(peer) => DialOpts::peer_id(peer).addresses(vec![address.clone()]).build(),
                    None => DialOpts::unknown_peer_id().address(address.clone()).build(),
                }
            }
            Target::Router(router) => {
                let router = *router;
                let card = lock(&self.shared.cards).get(&router).map(|signed| signed.card.clone());
                let Some(card) = card else { return self.look_up_slowly(router, now) };
                let Some(peer) = key::peer_of(&card.transport) else { return };
                if is_connected(&peer) || peer == *self.swarm.local_peer_id() {
                    return;
                }
                let addresses = self.addresses_of(&peer);
                DialOpts::peer_id(peer).addresses(addresses).build()
            }
        };
        let (id, peer) = (options.connection_id(), options.get_peer_id());
        if let Some(peer) = peer {
            self.swarm.behaviour_mut().limits.bypass_peer_id(&peer);
        }
        let dialled = self.swarm.dial(options);
        let Some(wanted) = self.dialling.wanted.get_mut(index) else { return };
        match dialled {
            Ok(()) => {
                wanted.under_way = Some(id);
                wanted.found = peer.or(wanted.found);
            }
            // Somebody else is dialling it, or it cannot be dialled: another time.
            Err(_) => {
                wanted.next = now + pause(wanted.attempts, &self.limits);
                wanted.attempts = wanted.attempts.saturating_add(1);
            }
        }
    }

    /// Connects with nodes that the routing table knows, while there are few peers.
    pub(super) fn dial_strangers(&mut self, now: Instant) {
        if self.peers.len() >= self.limits.peers_wanted {
            return;
        }
        let known = self.swarm.behaviour_mut().kad.kbuckets().flat_map(|bucket| {
            bucket.iter().map(|entry| *entry.node.key.preimage()).collect::<Vec<_>>()
        });
        let known: Vec<PeerId> = known.collect();
        let is_free = |peer: &PeerId| {
            let later = self.dialling.later.get(peer);
            !self.peers.contains_key(peer)
                && later.is_none_or(|(_, next)| *next <= now)
                && !lock(&self.standing).is_banned(peer, now)
        };
        let chosen: Vec<PeerId> =
            known.into_iter().filter(is_free).take(STRANGERS_AT_ONCE).collect();
        for peer in chosen {
            let addresses = self.addresses_of(&peer);
            // If somebody else is dialling it, so much the better.
            let _ = self.swarm.dial(DialOpts::peer_id(peer).addresses(addresses).build());
            self.dialling.in_vain(peer, now, &self.limits);
        }
    }

    pub(super) fn has_addresses(&mut self, peer: &PeerId) -> bool {
        !self.addresses_of(peer).is_empty()
    }

    /// Where a peer may be found: what its card says, and what the routing table knows.
    fn addresses_of(&mut self, peer: &PeerId) -> Vec<Multiaddr> {
        let mut found = Vec::new();
        if let Some(transport) = key::key_of(peer) {
            let book = lock(&self.shared.cards);
            let card = book.router_at(&transport).and_then(|router| book.get(&router).cloned());
            let addresses = card.map(|signed| signed.card.addresses).unwrap_or_default();
            found.extend(addresses.iter().filter_map(|text| text.parse().ok()));
        }
        if let Some(bucket) = self.swarm.behaviour_mut().kad.kbucket(*peer) {
            let entry = bucket.iter().find(|entry| entry.node.key.preimage() == peer);
            found.extend(entry.iter().flat_map(|entry| entry.node.value.iter().cloned()));
        }
        dialable(found)
    }

    /// Dials an address because the node says so.
    pub(super) fn dial_once(&mut self, address: Multiaddr) {
        if let Err(error) = self.swarm.dial(address.clone()) {
            tracing::debug!(%address, %error, "not dialled");
        }
    }

    /// Connects with a peer that is to be asked. Says whether there is hope.
    pub(super) fn dial_peer(&mut self, peer: PeerId) -> bool {
        let addresses = self.addresses_of(&peer);
        if addresses.is_empty() {
            return self.look_up_peer(peer);
        }
        let options = DialOpts::peer_id(peer).addresses(addresses).build();
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dialling.asked.insert(id);
                true
            }
            Err(error) => matches!(error, DialError::DialPeerConditionFalse(_)),
        }
    }

    pub(super) fn on_dial_failed(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        error: &DialError,
    ) {
        let now = Instant::now();
        count(&self.shared.counting.dials_failed);
        tracing::debug!(?peer, %error, "a dial failed");
        let is_me = matches!(error, DialError::LocalPeerId { .. });
        self.dialling.failed(id, is_me, now, &self.limits);
        let was_for_requests = self.dialling.asked.remove(&id);
        let Some(peer) = peer.filter(|peer| !self.peers.contains_key(peer)) else { return };
        if !self.is_waited_for(&peer) {
            return;
        }
        // Others may have dialled worse addresses than the ones known here.
        if was_for_requests || !self.dial_peer(peer) {
            self.fail_waiting(&peer, AskError::Unreachable);
        }
    }
}
