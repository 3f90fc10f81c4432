//! Whom the follower knows, whom it asks next, and how far it believes that the network is.

use std::collections::{BTreeMap, BTreeSet};

use ddt_ledger::{Millis, PublicKey};

use super::{PEERS_MAX, SILENCE_MS};

/// Somebody who may have anchors.
struct Peer {
    /// The height that it said.
    height: u64,
    /// The lowest anchor that it can send.
    lowest: u64,
    is_connected: bool,
    is_router: bool,
    heard_at: Millis,
    /// Its place among those who wait to be asked: twice the number of the last question that
    /// it got, and one. Who is new waits behind all others but the last.
    asked: u64,
}

/// All of them.
#[derive(Default)]
pub(super) struct Peers {
    known: BTreeMap<PublicKey, Peer>,
    turn: u64,
    /// Who sent the last anchor that verified.
    good: Option<PublicKey>,
    /// Who just said that it has the next one.
    fresh: Option<PublicKey>,
}

impl Peers {
    /// A peer greeted: it is connected, and can be asked.
    pub(super) fn met(&mut self, now: Millis, peer: PublicKey, (height, lowest): (u64, u64)) {
        if let Some(known) = self.entry(now, peer) {
            known.height = known.height.max(height);
            (known.lowest, known.is_connected) = (lowest, true);
        }
    }

    pub(super) fn lost(&mut self, peer: &PublicKey) {
        self.known.remove(peer);
        self.failed(peer);
    }

    /// Somebody said its height. Of who is neither connected nor a router nothing is believed.
    /// Whether it is the first news of this peer that it has the anchor of height `next`.
    pub(super) fn heard(
        &mut self,
        now: Millis,
        from: PublicKey,
        (height, next): (u64, u64),
        is_router: bool,
    ) -> bool {
        if !is_router && !self.known.contains_key(&from) {
            return false;
        }
        let Some(known) = self.entry(now, from) else { return false };
        let is_news = known.height < next && next <= height;
        known.height = known.height.max(height);
        (known.is_router, known.heard_at) = (is_router, now);
        is_news
    }

    /// The peer's entry. If there is no room, somebody who is not connected gives way.
    fn entry(&mut self, now: Millis, peer: PublicKey) -> Option<&mut Peer> {
        if self.known.len() >= PEERS_MAX && !self.known.contains_key(&peer) {
            let apart = self.known.iter().filter(|(_, known)| !known.is_connected);
            let quietest = apart.min_by_key(|(_, known)| known.heard_at).map(|(key, _)| *key);
            self.known.remove(&quietest?);
        }
        let asked = self.turn.saturating_mul(2);
        let (height, lowest) = (0, 0);
        Some(self.known.entry(peer).or_insert(Peer {
            height,
            lowest,
            is_connected: false,
            is_router: false,
            heard_at: now,
            asked,
        }))
    }

    /// Forgets routers that are not connected and say nothing any more.
    pub(super) fn forget_the_silent(&mut self, now: Millis) {
        self.known
            .retain(|_, peer| peer.is_connected || now.since(peer.heard_at.min(now)) <= SILENCE_MS);
    }

    /// Its answer was good.
    pub(super) fn delivered(&mut self, from: PublicKey) {
        if self.known.contains_key(&from) {
            self.good = Some(from);
        }
    }

    /// Its answer was bad, or did not come.
    pub(super) fn failed(&mut self, peer: &PublicKey) {
        self.good = self.good.filter(|good| good != peer);
        self.fresh = self.fresh.filter(|fresh| fresh != peer);
    }

    pub(super) fn is_good(&self, peer: &PublicKey) -> bool {
        self.good == Some(*peer)
    }

    /// The next question goes to this one.
    pub(super) fn prefer(&mut self, peer: PublicKey) {
        self.fresh = Some(peer);
    }

    /// How many say that they have the anchor of this height, and how many may have it: those
    /// that are connected say nothing more, unless they are routers.
    pub(super) fn count(&self, first: u64) -> (usize, usize) {
        (self.ahead(first).len(), self.possible(first).len())
    }

    fn ahead(&self, first: u64) -> BTreeSet<PublicKey> {
        let has = |peer: &Peer| peer.height >= first && peer.lowest <= first;
        self.known.iter().filter(|(_, peer)| has(peer)).map(|(key, _)| *key).collect()
    }

    fn possible(&self, first: u64) -> BTreeSet<PublicKey> {
        let may = |peer: &Peer| peer.lowest <= first && (peer.is_connected || peer.height >= first);
        self.known.iter().filter(|(_, peer)| may(peer)).map(|(key, _)| *key).collect()
    }

    /// Whom to ask now: who has news, at first who delivered last, and else whoever was not
    /// asked for longest. When all that say they have it were asked in vain, the others are.
    pub(super) fn choose(&mut self, first: u64, attempts: usize) -> Option<PublicKey> {
        let ahead = self.ahead(first);
        let pool = if attempts < ahead.len() { ahead } else { self.possible(first) };
        let good = self.good.filter(|_| attempts == 0);
        if attempts > 0 {
            // Had it delivered, nobody would be asked again.
            self.good = None;
        }
        let preferred = self.fresh.take().into_iter().chain(good).find(|peer| pool.contains(peer));
        let asked = |key: &PublicKey| self.known.get(key).map_or(u64::MAX, |peer| peer.asked);
        let to = preferred.or_else(|| pool.iter().copied().min_by_key(|key| asked(key)))?;
        self.turn = self.turn.saturating_add(1);
        if let Some(peer) = self.known.get_mut(&to) {
            peer.asked = self.turn.saturating_mul(2).saturating_add(1);
        }
        Some(to)
    }

    /// What more than a third of the routers have reached, as they say; of whoever is
    /// connected, where no router is known.
    pub(super) fn believed(&self) -> u64 {
        let heights = |is_any: bool| {
            let peers = self.known.values().filter(move |peer| is_any || peer.is_router);
            let mut heights: Vec<u64> = peers.map(|peer| peer.height).collect();
            heights.sort_unstable_by(|a, b| b.cmp(a));
            heights.get(heights.len() / 3).copied()
        };
        heights(false).or_else(|| heights(true)).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
