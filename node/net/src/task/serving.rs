//! Requests of others: let in as far as there is room, answered by the node.

use std::sync::Arc;
use std::time::Instant;

use libp2p::PeerId;
use libp2p::request_response::{InboundRequestId, ResponseChannel};
use libp2p::swarm::ConnectionId;
use tokio::sync::OwnedSemaphorePermit;

use crate::counters::count;
use crate::message::{ANSWER_BYTES_MAX, Answer, Message, Request};
use crate::meter::Room;
use crate::net::lock;
use crate::standing::Offence;
use crate::stream::Packet;
use crate::task::{Inside, Task};

/// Where the encoding of a request says what is asked: after the version byte.
const KIND_AT: usize = 1;
/// The kind of a greeting.
const HELLO: u8 = 0;

/// An answer's bytes; the node's mistake is not sent for others to blame.
fn encoded(answer: &Answer) -> Vec<u8> {
    let bytes = answer.encode();
    // The version byte is not part of the limit.
    if bytes.len() <= ANSWER_BYTES_MAX + 1 && answer.check().is_ok() {
        return bytes;
    }
    tracing::error!(bytes = bytes.len(), "an answer beyond its limits: not sent");
    Answer::Busy.encode()
}

impl Task {
    pub(super) fn on_request(
        &mut self,
        peer: PeerId,
        (over, id): (ConnectionId, InboundRequestId),
        packet: Packet,
        channel: ResponseChannel<Packet>,
    ) {
        count(&self.shared.counting.requests_in);
        let (bytes, room) = match packet {
            Packet::In(bytes, room) => (bytes, room),
            Packet::Bad(why) => return self.refuse(peer, Offence::Nonsense, why),
            Packet::Out(_) => return,
        };
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        if !entry.requests.take(Instant::now()) {
            self.blame(peer, Offence::Flood);
            return self.busy(channel);
        }
        if bytes.get(KIND_AT) == Some(&HELLO) {
            let Some(left) = entry.greetings_left.checked_sub(1) else {
                return self.refuse(peer, Offence::Early, "one greeting too many");
            };
            entry.greetings_left = left;
            if self.has_begun_anew(peer, over) {
                tracing::debug!(%peer, "it has begun anew before this node missed it");
                return self.part(peer);
            }
            if let Some(entry) = self.peers.get_mut(&peer) {
                entry.greeted_here.get_or_insert((over, Instant::now()));
            }
            return self.read_greeting(peer, bytes, room, channel);
        }
        if !entry.is_heard {
            return self.refuse(peer, Offence::Early, "a request before a greeting");
        }
        let own = Arc::clone(&entry.at_work).try_acquire_owned();
        // What routers need of each other does not wait for strangers.
        let is_router = lock(&self.shared.cards).router_at(&entry.key).is_some();
        let all = if is_router { &self.at_work_for_routers } else { &self.at_work };
        let all = Arc::clone(all).try_acquire_owned();
        match (own, all) {
            (Ok(own), Ok(all)) => self.serve(peer, id, (bytes, room), channel, [own, all]),
            _ => self.busy(channel),
        }
    }

    /// Counts a message that is none, or came too early; dropping its channel ends the stream.
    fn refuse(&mut self, peer: PeerId, offence: Offence, why: &'static str) {
        tracing::debug!(%peer, why, "refused");
        count(&self.shared.counting.refusals);
        self.blame(peer, offence);
    }

    pub(super) fn respond(&mut self, channel: ResponseChannel<Packet>, bytes: Arc<Vec<u8>>) {
        let requests = &mut self.swarm.behaviour_mut().requests.inner;
        // Who asked may be gone, or have waited too long.
        let _ = requests.send_response(channel, Packet::Out(bytes));
    }

    fn busy(&mut self, channel: ResponseChannel<Packet>) {
        count(&self.shared.counting.busy);
        self.respond(channel, Arc::new(Answer::Busy.encode()));
    }

    fn read_greeting(
        &self,
        peer: PeerId,
        bytes: Vec<u8>,
        room: Option<Room>,
        channel: ResponseChannel<Packet>,
    ) {
        let inside = self.inside.clone();
        tokio::spawn(async move {
            let result = match Request::decode(&bytes) {
                Ok(Request::Hello(hello)) => {
                    Inside::Greeted { peer, hello: Box::new(hello), room, channel }
                }
                _ => Inside::Blame { peer, offence: Offence::Nonsense },
            };
            // The task is gone only when everything ends.
            let _ = inside.send(result).await;
        });
    }

    fn serve(
        &mut self,
        peer: PeerId,
        id: InboundRequestId,
        (bytes, room): (Vec<u8>, Option<Room>),
        channel: ResponseChannel<Packet>,
        permits: [OwnedSemaphorePermit; 2],
    ) {
        let Some(entry) = self.peers.get(&peer) else { return };
        self.serving.insert(id, permits);
        let (key, host) = (entry.key, Arc::clone(&self.host));
        let (inside, patience) = (self.inside.clone(), self.limits.answer_timeout);
        tokio::spawn(async move {
            let request = Request::decode(&bytes);
            drop(bytes);
            let result = match request {
                Ok(request) => {
                    let answer = tokio::time::timeout(patience, host.answer(key, request)).await;
                    // Who asked has given up by then.
                    let Ok(answer) = answer else { return };
                    Inside::Respond { channel, bytes: encoded(&answer) }
                }
                Err(_) => Inside::Blame { peer, offence: Offence::Nonsense },
            };
            drop(room);
            // The task is gone only when everything ends.
            let _ = inside.send(result).await;
        });
    }

    /// An answer has left, or never will.
    pub(super) fn on_served(&mut self, id: InboundRequestId) {
        self.serving.remove(&id);
    }
}
