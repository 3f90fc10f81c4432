//! Requests to others: found, connected with, asked, and waited for, all within limits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use ddt_ledger::PublicKey;
use libp2p::PeerId;
use libp2p::request_response::{OutboundFailure, OutboundRequestId};
use tokio::sync::oneshot;

use crate::config::AskError;
use crate::counters::count;
use crate::frame::Frame;
use crate::key;
use crate::net::lock;
use crate::standing::Offence;
use crate::stream::Packet;
use crate::task::Task;

/// Most nodes that requests wait for at one time.
const WAITED_FOR_MAX: usize = 1_024;

pub(super) type Reply = oneshot::Sender<Result<Vec<u8>, AskError>>;

/// A request that waits.
pub(super) struct Ask {
    frame: Frame,
    reply: Reply,
    deadline: Instant,
}

/// A request that was sent.
enum Sent {
    Greeting,
    Ask { ask: Ask, is_repeated: bool },
}

/// All requests of this node.
#[derive(Default)]
pub(super) struct Asks {
    sent: HashMap<OutboundRequestId, Sent>,
    waiting: HashMap<PeerId, VecDeque<Ask>>,
    /// For routers whose card is looked for.
    lookups: HashMap<PublicKey, VecDeque<Ask>>,
}

impl Task {
    pub(super) fn on_ask(&mut self, to: PublicKey, frame: Frame, reply: Reply) {
        let patience = self.limits.dial_timeout.max(self.limits.answer_timeout);
        let ask = Ask { frame, reply, deadline: Instant::now() + patience };
        match self.peer_behind(&to) {
            Some(peer) => self.place(peer, ask),
            None if lock(&self.shared.cards).counts(&to) => self.look_up_for(to, ask),
            None => match key::peer_of(&to) {
                Some(peer) => self.place(peer, ask),
                None => self.fail(ask, AskError::Unknown),
            },
        }
    }

    fn fail(&self, ask: Ask, why: AskError) {
        count(&self.shared.counting.unanswered);
        // Who asked may have given up.
        let _ = ask.reply.send(Err(why));
    }

    /// Sends a request now, or when it can be sent.
    fn place(&mut self, peer: PeerId, mut ask: Ask) {
        let now = Instant::now();
        let is_me = peer == *self.swarm.local_peer_id();
        if is_me || lock(&self.standing).is_banned(&peer, now) {
            return self.fail(ask, AskError::Barred);
        }
        let entry = self.peers.get(&peer);
        if entry.is_some_and(|peer| peer.is_welcome && peer.under_way < self.limits.asks_per_peer) {
            return self.send(peer, ask, false);
        }
        let is_connected = entry.is_some();
        let is_known = self.asks.waiting.contains_key(&peer);
        if !is_known && self.asks.waiting.len() >= WAITED_FOR_MAX {
            return self.fail(ask, AskError::Busy);
        }
        let waiting = self.asks.waiting.entry(peer).or_default();
        if waiting.len() >= self.limits.asks_waiting {
            return self.fail(ask, AskError::Busy);
        }
        if !is_connected {
            ask.deadline = now + self.limits.dial_timeout;
        }
        waiting.push_back(ask);
        if !is_connected && !self.dial_peer(peer) {
            self.fail_waiting(&peer, AskError::Unknown);
        }
    }

    fn send(&mut self, peer: PeerId, ask: Ask, is_repeated: bool) {
        if ask.reply.is_closed() {
            return;
        }
        let Some(entry) = self.peers.get_mut(&peer) else {
            return self.fail(ask, AskError::Closed);
        };
        entry.under_way = entry.under_way.saturating_add(1);
        count(&self.shared.counting.requests_out);
        let packet = Packet::Out(Arc::clone(&ask.frame.bytes));
        let id = self.swarm.behaviour_mut().requests.inner.send_request(&peer, packet);
        self.asks.sent.insert(id, Sent::Ask { ask, is_repeated });
    }

    pub(super) fn send_greeting(&mut self, peer: PeerId, bytes: Vec<u8>) {
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        entry.greeted = Some(Instant::now());
        let packet = Packet::Out(Arc::new(bytes));
        let id = self.swarm.behaviour_mut().requests.inner.send_request(&peer, packet);
        self.asks.sent.insert(id, Sent::Greeting);
    }

    /// Sends what waits for a peer, as much as may be under way.
    pub(super) fn send_waiting(&mut self, peer: PeerId) {
        while let Some(entry) = self.peers.get(&peer)
            && entry.is_welcome
            && entry.under_way < self.limits.asks_per_peer
            && let Some(ask) = self.asks.waiting.get_mut(&peer).and_then(VecDeque::pop_front)
        {
            self.send(peer, ask, false);
        }
        if self.asks.waiting.get(&peer).is_some_and(VecDeque::is_empty) {
            self.asks.waiting.remove(&peer);
        }
    }

    pub(super) fn on_answer(&mut self, peer: PeerId, id: OutboundRequestId, packet: Packet) {
        let sent = self.asks.sent.remove(&id);
        let ask = match (sent, &packet) {
            (Some(Sent::Greeting), Packet::In(bytes, _)) => return self.on_welcome(peer, bytes),
            (Some(Sent::Greeting), _) => {
                self.blame(peer, Offence::Answer);
                return self.part(peer);
            }
            (Some(Sent::Ask { ask, .. }), _) => ask,
            (None, _) => return,
        };
        self.one_less_under_way(peer);
        match packet {
            // Who asked may have given up.
            Packet::In(bytes, _) => drop(ask.reply.send(Ok(bytes))),
            Packet::Out(_) | Packet::Bad(_) => {
                count(&self.shared.counting.refusals);
                self.fail(ask, AskError::Nonsense);
                self.blame(peer, Offence::Answer);
            }
        }
    }

    pub(super) fn on_no_answer(
        &mut self,
        peer: PeerId,
        id: OutboundRequestId,
        failure: &OutboundFailure,
    ) {
        let (ask, is_repeated) = match self.asks.sent.remove(&id) {
            Some(Sent::Greeting) => return self.on_unwelcome(peer, failure),
            Some(Sent::Ask { ask, is_repeated }) => (ask, is_repeated),
            None => return,
        };
        self.one_less_under_way(peer);
        let is_linked = self.peers.get(&peer).is_some_and(|peer| !peer.links.is_empty());
        match failure {
            // A better connection took this one's place: the same question may be put twice.
            OutboundFailure::ConnectionClosed if is_linked && !is_repeated => {
                self.send(peer, ask, true);
            }
            OutboundFailure::Timeout => self.fail(ask, AskError::Timeout),
            OutboundFailure::DialFailure => self.fail(ask, AskError::Unreachable),
            OutboundFailure::UnsupportedProtocols => self.fail(ask, AskError::Nonsense),
            OutboundFailure::ConnectionClosed | OutboundFailure::Io(_) => {
                self.fail(ask, AskError::Closed);
            }
        }
    }

    fn one_less_under_way(&mut self, peer: PeerId) {
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.under_way = entry.under_way.saturating_sub(1);
        }
        self.send_waiting(peer);
    }

    pub(super) fn fail_waiting(&mut self, peer: &PeerId, why: AskError) {
        for ask in self.asks.waiting.remove(peer).unwrap_or_default() {
            self.fail(ask, why);
        }
    }

    /// Gives up what waited too long, and what nobody waits for any more.
    pub(super) fn give_up_asks(&mut self, now: Instant) {
        let is_over = |ask: &Ask| ask.deadline <= now || ask.reply.is_closed();
        let mut over = Vec::new();
        let mut sort = |asks: &mut VecDeque<Ask>, why: AskError| {
            let (gone, left) = std::mem::take(asks).into_iter().partition(is_over);
            *asks = left;
            let gone: VecDeque<Ask> = gone;
            over.extend(gone.into_iter().map(|ask| (ask, why)));
        };
        for (peer, asks) in &mut self.asks.waiting {
            let is_connected = self.peers.contains_key(peer);
            sort(asks, if is_connected { AskError::Timeout } else { AskError::Unreachable });
        }
        for asks in self.asks.lookups.values_mut() {
            sort(asks, AskError::Unknown);
        }
        self.asks.waiting.retain(|_, asks| !asks.is_empty());
        self.asks.lookups.retain(|_, asks| !asks.is_empty());
        for (ask, why) in over {
            self.fail(ask, why);
        }
    }

    fn look_up_for(&mut self, router: PublicKey, mut ask: Ask) {
        let asks = self.asks.lookups.entry(router).or_default();
        if asks.len() >= self.limits.asks_waiting {
            return self.fail(ask, AskError::Busy);
        }
        ask.deadline = Instant::now() + self.limits.dial_timeout;
        asks.push_back(ask);
        self.look_up(router);
    }

    /// A router's card came, or none will.
    pub(super) fn looked_up(&mut self, router: &PublicKey) {
        let transport = lock(&self.shared.cards).get(router).map(|signed| signed.card.transport);
        for ask in self.asks.lookups.remove(router).unwrap_or_default() {
            match transport.as_ref().and_then(key::peer_of) {
                Some(peer) => self.place(peer, ask),
                None => self.fail(ask, AskError::Unknown),
            }
        }
    }

    /// Whether requests wait for a connection with that peer.
    pub(super) fn is_waited_for(&self, peer: &PeerId) -> bool {
        self.asks.waiting.contains_key(peer)
    }

    /// Routers whose card requests wait for.
    pub(super) fn looked_for(&self) -> Vec<PublicKey> {
        self.asks.lookups.keys().copied().collect()
    }
}
