//! libp2p's request-response, with a meter for each peer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::request_response::{Behaviour, Config, Event, ProtocolSupport};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, StreamProtocol};

use crate::config::NetLimits;
use crate::counters::Counting;
use crate::meter::Meter;
use crate::net::lock;
use crate::stream::{Packet, PacketCodec};

/// Most streams of requests at one time on a connection, in both directions together.
const STREAMS_MAX: usize = 128;

type Inner = Behaviour<PacketCodec>;

/// Requests and answers, metered.
pub(crate) struct Requests {
    pub inner: Inner,
    limits: NetLimits,
    counting: Arc<Counting>,
    next: Arc<Mutex<Option<Arc<Meter>>>>,
    meters: HashMap<PeerId, Arc<Meter>>,
}

impl Requests {
    pub(crate) fn new(
        protocol: StreamProtocol,
        limits: &NetLimits,
        counting: Arc<Counting>,
    ) -> Requests {
        let next = Arc::new(Mutex::new(None));
        let config = Config::default()
            .with_request_timeout(limits.answer_timeout)
            .with_max_concurrent_streams(STREAMS_MAX);
        let codec = PacketCodec::new(Arc::clone(&next));
        let protocols = [(protocol, ProtocolSupport::Full)];
        let inner = Behaviour::with_codec(codec, protocols, config);
        Requests { inner, limits: limits.clone(), counting, next, meters: HashMap::new() }
    }

    /// The peer has greeted: it may send long messages from now on.
    pub(crate) fn greeted(&self, peer: &PeerId) {
        if let Some(meter) = self.meters.get(peer) {
            meter.greeted();
        }
    }

    /// Runs `connect` such that the codec made in it belongs to the peer.
    fn metered<T>(&mut self, peer: PeerId, connect: impl FnOnce(&mut Inner) -> T) -> T {
        let make = || Arc::new(Meter::new(&self.limits, Arc::clone(&self.counting)));
        let meter = self.meters.entry(peer).or_insert_with(make);
        *lock(&self.next) = Some(Arc::clone(meter));
        let made = connect(&mut self.inner);
        *lock(&self.next) = None;
        made
    }
}

impl NetworkBehaviour for Requests {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = Event<Packet, Packet>;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.metered(peer, |inner| {
            inner.handle_established_inbound_connection(id, peer, local, remote)
        })
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.metered(peer, |inner| {
            inner.handle_established_outbound_connection(id, peer, address, role, port)
        })
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if let FromSwarm::ConnectionClosed(closed) = &event
            && closed.remaining_established == 0
        {
            self.meters.remove(&closed.peer_id);
        }
        self.inner.on_swarm_event(event);
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
