//! What the swarm says, handed to whom it concerns.

use libp2p::PeerId;
use libp2p::request_response::{Event as Asked, Message};
use libp2p::swarm::SwarmEvent;
use libp2p::{autonat, identify, ping};
use libp2p_gossipsub as gossipsub;
use libp2p_kad as kad;

use crate::behaviour::BehaviourEvent;
use crate::key::key_of;
use crate::net::{REACHES_MAX, Reach};
use crate::standing::Offence;
use crate::stream::Packet;
use crate::task::Task;
use crate::task::dialling::dialable;
use crate::task::peers::is_near;

impl Task {
    pub(super) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                self.on_disconnected(peer_id, connection_id, num_established);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.on_dial_failed(connection_id, peer_id, &error);
            }
            SwarmEvent::NewListenAddr { listener_id, .. } => {
                self.relays.listens(listener_id);
                self.show_addresses();
            }
            SwarmEvent::ExpiredListenAddr { .. } => self.show_addresses(),
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener has trouble");
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                self.show_addresses();
                if self.is_place_lost(listener_id) {
                    tracing::info!(?reason, "no place at a relay; asking again later");
                } else {
                    tracing::warn!(?addresses, ?reason, "a listener closed");
                }
            }
            _ => {}
        }
    }

    fn show_addresses(&mut self) {
        let all = self.swarm.listeners().map(ToString::to_string).collect();
        *crate::net::lock(&self.shared.addresses) = all;
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Requests(event) => self.on_asked(event),
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => self.on_gossip(propagation_source, message_id, message),
            BehaviourEvent::Gossip(gossipsub::Event::GossipsubNotSupported { peer_id }) => {
                tracing::debug!(peer = %peer_id, "speaks no gossip of this chain");
            }
            BehaviourEvent::Kad(event) => self.on_kad(event),
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, info);
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(rtt), .. }) => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    peer.rtt_ms = Some(rtt.as_secs_f64() * 1_000.0);
                }
            }
            BehaviourEvent::Ping(ping::Event {
                connection,
                result: Err(ping::Failure::Timeout),
                ..
            }) => {
                // Nobody is there any more: a machine without power closes nothing itself. Other
                // failures are those of a stream alone, as where somebody speaks no ping.
                self.swarm.close_connection(connection);
            }
            BehaviourEvent::AutonatClient(event) => self.on_tried(event),
            _ => {}
        }
    }

    /// A peer that relays has dialled an address at which this node may be reached.
    fn on_tried(&self, tried: autonat::v2::client::Event) {
        let Some(by) = key_of(&tried.server) else { return };
        let (address, is_near) = (tried.tested_addr.to_string(), is_near(&tried.tested_addr));
        let is_reached = tried.result.is_ok();
        tracing::debug!(address, is_reached, %by, "a peer tried to dial this node");
        let reach = Reach { address, is_near, is_reached, by, at: (self.shared.clock)() };
        let mut reaches = crate::net::lock(&self.shared.reaches);
        reaches.retain(|known| known.address != reach.address);
        reaches.push(reach);
        if reaches.len() > REACHES_MAX {
            // What nobody reaches goes first: anybody may name such addresses.
            let useless = reaches.iter().position(|reach| !reach.is_reached);
            reaches.remove(useless.unwrap_or_default());
        }
    }

    fn on_asked(&mut self, event: Asked<Packet, Packet>) {
        match event {
            Asked::Message { peer, connection_id, message } => match message {
                Message::Request { request_id, request, channel } => {
                    self.on_request(peer, (connection_id, request_id), request, channel);
                }
                Message::Response { request_id, response } => {
                    self.on_answer(peer, request_id, response);
                }
            },
            Asked::OutboundFailure { peer, request_id, error, .. } => {
                self.on_no_answer(peer, request_id, &error);
            }
            Asked::InboundFailure { request_id, .. } | Asked::ResponseSent { request_id, .. } => {
                self.on_served(request_id);
            }
        }
    }

    fn on_kad(&mut self, event: kad::Event) {
        match event {
            kad::Event::InboundRequest {
                request: kad::InboundRequest::PutRecord { record: Some(record), .. },
            } => self.on_record(&record),
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                self.on_query(id, result, step.last);
            }
            kad::Event::RoutingUpdated { is_new_peer: true, .. } => {
                self.dial_strangers(std::time::Instant::now());
            }
            _ => {}
        }
    }

    /// A peer says which protocols it speaks and where it listens.
    fn on_identified(&mut self, peer: PeerId, info: identify::Info) {
        if info.protocol_version != self.names.identify {
            self.blame(peer, Offence::Silent);
            return self.part(peer);
        }
        if !info.protocols.iter().any(|name| name.as_ref() == self.names.kad) {
            return;
        }
        for address in dialable(info.listen_addrs) {
            self.swarm.behaviour_mut().kad.add_address(&peer, address);
        }
    }
}
