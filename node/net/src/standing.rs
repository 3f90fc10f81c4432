//! Penalties: what a peer did wrong is remembered for a while, and too much of it ends in a ban.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::multiaddr::{Multiaddr, Protocol};

/// At so many points a peer is sent away.
pub(crate) const BAN_AT: f64 = 100.0;
/// Points forgotten a second.
const FORGOTTEN: f64 = 1.0;
/// Most peers and most addresses remembered; the least guilty, or soonest free, are forgotten.
const REMEMBERED_MAX: usize = 4_096;

/// What a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offence {
    /// Bytes that are no message, too long, or of another version.
    Nonsense,
    /// An answer that does not decode, or to another question.
    Answer,
    /// News that its own judgement should have stopped.
    News,
    /// A request before its greeting, or one greeting too many.
    Early,
    /// More requests, or more news, than the rate allows: one too many.
    Flood,
    /// It did not greet, or not in time.
    Silent,
}

impl Offence {
    fn points(self) -> f64 {
        match self {
            Offence::Nonsense | Offence::Answer => 34.0,
            Offence::News => 20.0,
            Offence::Early | Offence::Silent => 10.0,
            Offence::Flood => 0.5,
        }
    }
}

/// Who did what, and who is kept away.
#[derive(Default)]
pub(crate) struct Standing {
    points: HashMap<PeerId, (f64, Instant)>,
    peers: HashMap<PeerId, Instant>,
    hosts: HashMap<IpAddr, Instant>,
}

fn left(&(points, at): &(f64, Instant), now: Instant) -> f64 {
    (points - now.saturating_duration_since(at).as_secs_f64() * FORGOTTEN).max(0.0)
}

/// Removes the entry with the smallest value if there is no room for one more.
fn make_room<K: Copy + Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V>,
    mut value: impl FnMut(&V) -> f64,
) {
    if map.len() >= REMEMBERED_MAX {
        let least = map.iter().map(|(key, entry)| (*key, value(entry)));
        if let Some((key, _)) = least.min_by(|one, other| one.1.total_cmp(&other.1)) {
            map.remove(&key);
        }
    }
}

impl Standing {
    /// Counts an offence. Says whether the peer is to be banned now.
    pub(crate) fn blame(&mut self, peer: PeerId, offence: Offence, now: Instant) -> bool {
        if !self.points.contains_key(&peer) {
            make_room(&mut self.points, |entry| left(entry, now));
        }
        let entry = self.points.entry(peer).or_insert((0.0, now));
        *entry = (left(entry, now) + offence.points(), now);
        entry.0 >= BAN_AT
    }

    /// The points of a peer.
    pub(crate) fn points(&self, peer: &PeerId, now: Instant) -> f64 {
        self.points.get(peer).map(|entry| left(entry, now)).unwrap_or_default()
    }

    /// Keeps a peer away, and the hosts it came from; its points start anew.
    pub(crate) fn ban(&mut self, peer: PeerId, from: &[Multiaddr], now: Instant, long: Duration) {
        let until = now + long;
        let free = |at: &Instant| at.saturating_duration_since(now).as_secs_f64();
        make_room(&mut self.peers, free);
        self.peers.insert(peer, until);
        for host in from.iter().filter_map(host_of).filter(|host| !host.is_loopback()) {
            make_room(&mut self.hosts, free);
            self.hosts.insert(host, until);
        }
        self.points.remove(&peer);
    }

    /// Whether a peer is kept away.
    pub(crate) fn is_banned(&self, peer: &PeerId, now: Instant) -> bool {
        self.peers.get(peer).is_some_and(|until| *until > now)
    }

    /// Whether nobody is let in from there.
    pub(crate) fn is_host_banned(&self, address: &Multiaddr, now: Instant) -> bool {
        host_of(address).and_then(|host| self.hosts.get(&host)).is_some_and(|until| *until > now)
    }
}

/// The IP address at the start of a multiaddr; a relayed one names the relay, which is not to
/// blame.
pub(crate) fn host_of(address: &Multiaddr) -> Option<IpAddr> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.to_canonical()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: points that are never forgotten, that are kept after a ban, or a ban that
    /// never ends.
    #[test]
    fn points_fade_and_bans_end() {
        let (start, peer) = (Instant::now(), PeerId::random());
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut standing = Standing::default();
        assert!(!standing.blame(peer, Offence::Nonsense, start));
        assert!(!standing.blame(peer, Offence::Nonsense, at(34)), "the first is forgotten");
        assert!(!standing.blame(peer, Offence::Nonsense, at(34)));
        assert!(standing.blame(peer, Offence::Nonsense, at(34)));
        let address = |text: &str| text.parse::<Multiaddr>().expect("an address");
        let from = [address("/ip4/192.0.2.7/tcp/1"), address("/ip4/127.0.0.1/tcp/1")];
        standing.ban(peer, &from, at(34), Duration::from_secs(60));
        assert!(standing.points(&peer, at(34)) < 1.0);
        assert!(standing.is_banned(&peer, at(93)) && !standing.is_banned(&peer, at(94)));
        assert!(standing.is_host_banned(&address("/ip4/192.0.2.7/udp/9/quic-v1"), at(93)));
        assert!(standing.is_host_banned(&address("/ip6/::ffff:192.0.2.7/tcp/9"), at(93)));
        assert!(!standing.is_host_banned(&address("/ip4/192.0.2.7/tcp/9"), at(94)));
        assert!(!standing.is_host_banned(&from[1], at(35)), "loopback is many nodes");
    }

    /// Broken by: a map of penalties that grows with every peer.
    #[test]
    fn memory_is_bounded() {
        let now = Instant::now();
        let mut standing = Standing::default();
        let guilty = PeerId::random();
        standing.blame(guilty, Offence::Nonsense, now);
        for _ in 0..REMEMBERED_MAX + 10 {
            standing.blame(PeerId::random(), Offence::Flood, now);
        }
        assert_eq!(standing.points.len(), REMEMBERED_MAX);
        assert!(standing.points(&guilty, now) > 1.0, "the most guilty are kept");
    }
}
