//! Who is let in: nobody who is banned, and from one machine only so many.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::net::lock;
use crate::standing::{Standing, host_of};

/// Refuses connections with the banned, and more than so many that one host begins: keys cost
/// nothing, and one machine could take everybody's place.
pub(crate) struct Gate {
    standing: Arc<Mutex<Standing>>,
    per_host_max: usize,
    /// Connections that others began, under way or established.
    begun: HashMap<ConnectionId, IpAddr>,
    hosts: HashMap<IpAddr, usize>,
}

impl Gate {
    pub(crate) fn new(standing: Arc<Mutex<Standing>>, per_host_max: usize) -> Gate {
        Gate { standing, per_host_max, begun: HashMap::new(), hosts: HashMap::new() }
    }

    fn enter(&mut self, id: ConnectionId, host: IpAddr) -> Result<(), ConnectionDenied> {
        let count = self.hosts.entry(host).or_default();
        if *count >= self.per_host_max {
            return Err(ConnectionDenied::new(Refused::Crowd));
        }
        *count = count.saturating_add(1);
        self.begun.insert(id, host);
        Ok(())
    }

    fn leave(&mut self, id: ConnectionId) {
        let Some(host) = self.begun.remove(&id) else { return };
        let Some(count) = self.hosts.get_mut(&host) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.hosts.remove(&host);
        }
    }
}

/// What counts as one machine: an IPv4 address, or an IPv6 network of 64 bits. Loopback is many
/// nodes, and who comes by way of a relay is not told apart.
fn machine_of(address: &Multiaddr) -> Option<IpAddr> {
    match host_of(address)? {
        ip if ip.is_loopback() => None,
        IpAddr::V6(ip) => Some(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
        ip => Some(ip),
    }
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("kept away for what it did before")]
    Banned,
    #[error("too many connections from one machine")]
    Crowd,
}

fn unless(is_banned: bool) -> Result<(), ConnectionDenied> {
    if is_banned { Err(ConnectionDenied::new(Refused::Banned)) } else { Ok(()) }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        unless(lock(&self.standing).is_host_banned(remote, Instant::now()))?;
        machine_of(remote).map_or(Ok(()), |host| self.enter(id, host))
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        unless(lock(&self.standing).is_banned(&peer, Instant::now()))?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let is_banned = |peer| lock(&self.standing).is_banned(&peer, Instant::now());
        unless(peer.is_some_and(is_banned))?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        unless(lock(&self.standing).is_banned(&peer, Instant::now()))?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.leave(closed.connection_id),
            FromSwarm::ListenFailure(failure) => self.leave(failure.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: counting none, counting those that have ended, or each address of a network
    /// that one machine has alone.
    #[test]
    fn one_machine_has_only_so_many_places() {
        let mut gate = Gate::new(Arc::default(), 2);
        let here: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().expect("an address");
        let enters = |gate: &mut Gate, id: usize, from: &str| {
            let from: Multiaddr = from.parse().expect("an address");
            let id = ConnectionId::new_unchecked(id);
            gate.handle_pending_inbound_connection(id, &here, &from).is_ok()
        };
        assert!(enters(&mut gate, 1, "/ip4/192.0.2.7/tcp/1"));
        assert!(enters(&mut gate, 2, "/ip4/192.0.2.7/udp/1/quic-v1"));
        assert!(!enters(&mut gate, 3, "/ip4/192.0.2.7/tcp/2"), "a third");
        assert!(enters(&mut gate, 4, "/ip4/192.0.2.8/tcp/1"), "of another machine");
        gate.leave(ConnectionId::new_unchecked(3));
        assert!(!enters(&mut gate, 5, "/ip4/192.0.2.7/tcp/2"), "who was refused had no place");
        gate.leave(ConnectionId::new_unchecked(1));
        assert!(enters(&mut gate, 6, "/ip4/192.0.2.7/tcp/2"));
        assert!(enters(&mut gate, 7, "/ip6/2001:db8::1/tcp/1"));
        assert!(enters(&mut gate, 8, "/ip6/2001:db8::2/tcp/1"));
        assert!(!enters(&mut gate, 9, "/ip6/2001:db8::3/tcp/1"), "of one network");
        assert!((10..20).all(|id| enters(&mut gate, id, "/ip4/127.0.0.1/tcp/1")));
    }
}
