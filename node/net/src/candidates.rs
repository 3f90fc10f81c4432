//! How many addresses others may say that this node has.

use std::collections::HashSet;
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// Addresses that are taken in between two starts.
const CANDIDATES_MAX: usize = 64;

/// A behaviour that hears of so many candidates for own addresses and of no more: any peer may
/// name ever new ones, and AutoNAT's client keeps each for good.
pub(crate) struct FewCandidates<B> {
    inner: B,
    known: Known,
}

#[derive(Default)]
struct Known(HashSet<Multiaddr>);

impl Known {
    fn takes(&mut self, address: &Multiaddr) -> bool {
        if self.0.len() < CANDIDATES_MAX {
            self.0.insert(address.clone());
        }
        self.0.contains(address)
    }
}

impl<B> From<B> for FewCandidates<B> {
    fn from(inner: B) -> Self {
        FewCandidates { inner, known: Known::default() }
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for FewCandidates<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        own: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, own, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        own: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, own, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::NewExternalAddrCandidate(candidate) if !self.known.takes(candidate.addr) => {
            }
            event => self.inner.on_swarm_event(event),
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use libp2p::multiaddr::Protocol;

    use super::*;

    // Broken by: a node that remembers whatever a peer says its address is, or hears no more of
    // those that it knows.
    #[test]
    fn a_node_hears_of_so_many_addresses_of_its_own() {
        let address = |port: u16| Multiaddr::empty().with(Protocol::Tcp(port));
        let mut known = Known::default();
        let taken = (1..=u16::MAX).filter(|port| known.takes(&address(*port))).count();
        assert_eq!((taken, known.0.len()), (CANDIDATES_MAX, CANDIDATES_MAX));
        assert!(known.takes(&address(1)) && !known.takes(&address(u16::MAX)));
    }
}
