//! Places at relays, by which others reach a node that nobody can dial.

use std::time::Instant;

use libp2p::Multiaddr;
use libp2p::core::transport::ListenerId;

use crate::config::NetLimits;
use crate::task::Task;
use crate::task::dialling::pause;

/// A place at a relay, or the wish for one.
struct Place {
    address: Multiaddr,
    listener: Option<ListenerId>,
    attempts: u32,
    next: Instant,
}

impl Place {
    fn lost(&mut self, now: Instant, limits: &NetLimits) {
        self.listener = None;
        self.next = now + pause(self.attempts, limits);
        self.attempts = self.attempts.saturating_add(1);
    }
}

/// All of them.
pub(super) struct Relays(Vec<Place>);

impl Relays {
    pub(super) fn new(addresses: Vec<Multiaddr>, now: Instant) -> Relays {
        let place = |address| Place { address, listener: None, attempts: 0, next: now };
        Relays(addresses.into_iter().map(place).collect())
    }

    fn of(&mut self, listener: ListenerId) -> Option<&mut Place> {
        self.0.iter_mut().find(|place| place.listener == Some(listener))
    }

    /// The relay keeps a place.
    pub(super) fn listens(&mut self, listener: ListenerId) {
        if let Some(place) = self.of(listener) {
            place.attempts = 0;
        }
    }
}

impl Task {
    /// Asks relays for places that it has not, or has no more.
    pub(super) fn look_after_places(&mut self, now: Instant) {
        for place in &mut self.relays.0 {
            if place.listener.is_some() || place.next > now {
                continue;
            }
            match self.swarm.listen_on(place.address.clone()) {
                Ok(listener) => place.listener = Some(listener),
                Err(error) => {
                    tracing::warn!(relay = %place.address, %error, "no place at a relay");
                    place.lost(now, &self.limits);
                }
            }
        }
    }

    /// A listener closed; whether it was a place at a relay.
    pub(super) fn is_place_lost(&mut self, listener: ListenerId) -> bool {
        let now = Instant::now();
        let place = self.relays.of(listener);
        place.map(|place| place.lost(now, &self.limits)).is_some()
    }
}
