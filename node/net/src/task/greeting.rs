//! Greetings: the first request of both sides. Before them nothing is answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use libp2p::PeerId;
use libp2p::request_response::{OutboundFailure, ResponseChannel};
use libp2p::swarm::ConnectionId;

use crate::card::SignedCard;
use crate::counters::count;
use crate::host::Host;
use crate::message::{Answer, CARDS_MAX, Hello, Message, Request};
use crate::meter::Room;
use crate::net::{Shared, lock};
use crate::standing::Offence;
use crate::stream::Packet;
use crate::task::worker::Worker;
use crate::task::{Inside, Task};

/// How often a greeting is sent whose connection closes before the answer.
const GREETINGS_MAX: u8 = 3;

/// The cards of this node's greeting, as they were made last.
#[derive(Default)]
pub(super) struct Composed {
    /// Of which book, and of which further cards of the node.
    version: Option<u64>,
    given: Vec<SignedCard>,
    cards: Vec<SignedCard>,
}

/// The cards that a greeting holds. While none is new, no signature is looked at again.
fn compose_cards(
    shared: &Shared,
    composed: &Mutex<Composed>,
    given: Vec<SignedCard>,
) -> Vec<SignedCard> {
    let (version, all, own, chain) = {
        let book = lock(&shared.cards);
        let own = book.own().map(|own| own.card.router);
        (book.version(), book.all(), own, book.chain())
    };
    {
        let composed = lock(composed);
        if composed.version == Some(version) && composed.given == given {
            return composed.cards.clone();
        }
    }
    let is_good = |signed: &SignedCard| {
        count(&shared.counting.cards_checked);
        signed.check().is_ok() && signed.verifies(chain)
    };
    // The book looked at the signatures of others' cards before it took them.
    let is_known = |signed: &SignedCard| Some(signed.card.router) != own || is_good(signed);
    let mut cards: Vec<SignedCard> = all.into_iter().filter(is_known).collect();
    let mut named: BTreeSet<_> = cards.iter().map(|signed| signed.card.router).collect();
    let more = given.iter().filter(|signed| named.insert(signed.card.router));
    cards.extend(more.filter(|signed| is_good(signed)).take(CARDS_MAX).cloned());
    cards.truncate(CARDS_MAX);
    *lock(composed) = Composed { version: Some(version), given, cards: cards.clone() };
    cards
}

/// What this node says of itself; asks the node, so it runs on a thread made for blocking.
fn compose(host: &dyn Host, shared: &Shared, composed: &Mutex<Composed>, agent: String) -> Hello {
    let greeting = host.hello();
    let chain = lock(&shared.cards).chain();
    let cards = compose_cards(shared, composed, greeting.cards);
    Hello { chain, agent, height: greeting.height, lowest: greeting.lowest, cards }
}

impl Task {
    /// Has this node's greeting made, and something done with it.
    fn with_hello(&self, then: impl FnOnce(Hello) -> Inside + Send + 'static) {
        let (host, shared) = (Arc::clone(&self.host), Arc::clone(&self.shared));
        let (inside, agent) = (self.inside.clone(), self.agent.clone());
        let (greeters, composed) = (Arc::clone(&self.greeters), Arc::clone(&self.composed));
        tokio::spawn(async move {
            let Ok(_greeter) = greeters.acquire_owned().await else { return };
            let make = move || compose(&*host, &shared, &composed, agent);
            if let Ok(hello) = tokio::task::spawn_blocking(make).await {
                // The task is gone only when everything ends.
                let _ = inside.send(then(hello)).await;
            }
        });
    }

    /// Begins to greet a new peer.
    pub(super) fn greet(&mut self, peer: PeerId) {
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.greetings = entry.greetings.saturating_add(1);
        }
        self.with_hello(move |hello| Inside::Greet { peer, bytes: Request::Hello(hello).encode() });
    }

    pub(super) fn on_greeting(
        &mut self,
        peer: PeerId,
        hello: Hello,
        room: Option<Room>,
        channel: ResponseChannel<Packet>,
    ) {
        if !self.hear(peer, hello) {
            return;
        }
        self.with_hello(move |hello| {
            drop(room);
            Inside::Respond { channel, bytes: Answer::Hello(hello).encode() }
        });
    }

    /// Whether a peer greets again, over a connection that it made after it had greeted. Then it
    /// has ended in between, and this node had not noticed when it came back. Gossip says once to
    /// each peer what this node is subscribed to, and would never say it to the one that came back.
    pub(super) fn has_begun_anew(&self, peer: PeerId, over: ConnectionId) -> bool {
        let Some(entry) = self.peers.get(&peer) else { return false };
        let link = entry.links.iter().find(|link| link.id == over);
        link.zip(entry.greeted_here).is_some_and(|(link, (_, greeted))| link.since > greeted)
    }

    /// What came of this node's greeting.
    pub(super) fn on_welcome(&mut self, peer: PeerId, bytes: &[u8]) {
        let Ok(Answer::Hello(hello)) = Answer::decode(bytes) else {
            self.blame(peer, Offence::Answer);
            return self.part(peer);
        };
        if !self.hear(peer, hello) {
            return;
        }
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.is_welcome = true;
        }
        self.dialling.greeted(&peer);
        self.send_waiting(peer);
        self.tell_own_card_soon();
    }

    /// Why there was no answer to this node's greeting.
    pub(super) fn on_unwelcome(&mut self, peer: PeerId, failure: &OutboundFailure) {
        let Some(entry) = self.peers.get(&peer) else { return };
        match failure {
            // Another connection was better: the greeting goes there.
            OutboundFailure::ConnectionClosed | OutboundFailure::Io(_)
                if !entry.links.is_empty() && entry.greetings < GREETINGS_MAX =>
            {
                self.greet(peer);
            }
            OutboundFailure::ConnectionClosed | OutboundFailure::DialFailure => {}
            _ => {
                self.blame(peer, Offence::Silent);
                self.part(peer);
            }
        }
    }

    /// Takes a greeting. Says whether the peer may stay.
    fn hear(&mut self, peer: PeerId, hello: Hello) -> bool {
        if hello.chain != self.names.chain() {
            tracing::debug!(%peer, chain = %hello.chain, "of another chain");
            self.blame(peer, Offence::Silent);
            self.part(peer);
            return false;
        }
        let Some(entry) = self.peers.get_mut(&peer) else { return false };
        entry.agent.clone_from(&hello.agent);
        entry.height = entry.height.max(hello.height);
        entry.is_heard = true;
        let (key, queue) = (entry.key, entry.queue.take());
        if let Some(queue) = queue {
            self.swarm.behaviour().requests.greeted(&peer);
            let worker = Worker {
                peer,
                key,
                host: Arc::clone(&self.host),
                shared: Arc::clone(&self.shared),
                names: Arc::clone(&self.names),
                inside: self.inside.clone(),
                threads: Arc::clone(&self.threads),
                before: self.workers.remove(&peer),
            };
            self.workers.insert(peer, tokio::spawn(worker.run(hello, queue)));
        }
        self.show_peer(peer, Instant::now());
        true
    }
}
