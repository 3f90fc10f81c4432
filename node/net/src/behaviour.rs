//! Everything that libp2p does for a node, with its settings.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddt_ledger::ChainId;
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{PeerId, StreamProtocol, autonat, connection_limits, dcutr, identify, ping, relay};
use libp2p_gossipsub as gossipsub;
use libp2p_kad as kad;
use libp2p_kad::store::{MemoryStore, MemoryStoreConfig};

use crate::candidates::FewCandidates;
use crate::config::{NetConfig, NetError};
use crate::counters::Counting;
use crate::gate::Gate;
use crate::message::{NEWS_BYTES_MAX, News};
use crate::requests::Requests;
use crate::standing::Standing;

/// What gossip adds to news: author, sequence number, topic, signature, and its own framing.
const GOSSIP_OVERHEAD: usize = 1024;
/// Messages that wait for one peer in gossip.
const GOSSIP_QUEUE: usize = 512;
/// Longest packet of the routing table's protocol.
const KAD_PACKET_MAX: usize = 16 * 1024;
/// How long a card is kept for others.
const RECORD_TTL: Duration = Duration::from_secs(60 * 60);
/// Most cards kept for others.
const RECORDS_MAX: usize = 1_024;

/// The parts, in the order in which they may refuse a connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub gate: Gate,
    pub limits: connection_limits::Behaviour,
    pub requests: Requests,
    pub gossip: gossipsub::Behaviour,
    pub kad: kad::Behaviour<MemoryStore>,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub autonat_client: FewCandidates<autonat::v2::client::Behaviour>,
    pub autonat_server: Toggle<autonat::v2::server::Behaviour>,
    pub dcutr: dcutr::Behaviour,
    pub relay_client: relay::client::Behaviour,
    pub relay_server: Toggle<relay::Behaviour>,
}

/// The names of one chain's protocols.
pub(crate) struct Names {
    pub ask: String,
    pub kad: String,
    pub identify: String,
    pub gossip: String,
    chain: ChainId,
}

impl Names {
    pub(crate) fn new(chain: ChainId) -> Names {
        Names {
            ask: format!("/ddt/{chain}/ask/1"),
            kad: format!("/ddt/{chain}/kad/1"),
            identify: format!("/ddt/{chain}/1"),
            gossip: format!("/ddt/{chain}/gossip"),
            chain,
        }
    }

    pub(crate) fn chain(&self) -> ChainId {
        self.chain
    }

    /// The topics, one for each kind of news.
    pub(crate) fn topics(&self) -> [gossipsub::IdentTopic; 4] {
        ["committed", "vote", "time", "card"].map(|kind| self.topic(kind))
    }

    fn topic(&self, kind: &str) -> gossipsub::IdentTopic {
        gossipsub::IdentTopic::new(format!("/ddt/{}/news/{kind}/1", self.chain))
    }

    /// The topic of some news.
    pub(crate) fn topic_of(&self, news: &News) -> gossipsub::IdentTopic {
        self.topic(match news {
            News::Committed { .. } => "committed",
            News::Vote(_) => "vote",
            News::Time { .. } => "time",
            News::Card(_) => "card",
        })
    }
}

fn protocol(name: &str) -> Result<StreamProtocol, NetError> {
    StreamProtocol::try_from_owned(name.into()).map_err(|error| NetError::Setup(error.to_string()))
}

fn gossip(pair: &Keypair, names: &Names) -> Result<gossipsub::Behaviour, NetError> {
    let setup = |error: &dyn std::fmt::Display| NetError::Setup(error.to_string());
    // Message ids stay author and sequence number: what is told again goes out again.
    let config = gossipsub::ConfigBuilder::default()
        .protocol_id_prefix(names.gossip.clone())
        .validation_mode(gossipsub::ValidationMode::Strict)
        .validate_messages()
        .flood_publish(true)
        .max_transmit_size(NEWS_BYTES_MAX + GOSSIP_OVERHEAD)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .heartbeat_interval(Duration::from_secs(1))
        .duplicate_cache_time(Duration::from_secs(120))
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .max_publish_messages(GOSSIP_QUEUE)
        .publish_queue_duration(Duration::from_secs(5))
        .forward_queue_duration(Duration::from_secs(2))
        .build()
        .map_err(|error| setup(&error))?;
    let authenticity = gossipsub::MessageAuthenticity::Signed(pair.clone());
    let mut behaviour =
        gossipsub::Behaviour::new(authenticity, config).map_err(|error| setup(&error))?;
    // A quiet topic is no fault, and many nodes may share an address: only what is wrong, late
    // or against the protocol counts, and what the network itself knows of a peer.
    let topic = gossipsub::TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 100.0,
        first_message_deliveries_weight: 0.01,
        first_message_deliveries_decay: 0.9,
        first_message_deliveries_cap: 100.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: 0.95,
        ..Default::default()
    };
    let score = gossipsub::PeerScoreParams {
        topics: names.topics().into_iter().map(|name| (name.hash(), topic.clone())).collect(),
        app_specific_weight: 1.0,
        ip_colocation_factor_weight: 0.0,
        retain_score: Duration::from_secs(600),
        ..Default::default()
    };
    // Penalties are part of the score: a ban comes before gossip turns deaf.
    let thresholds = gossipsub::PeerScoreThresholds {
        gossip_threshold: -50.0,
        publish_threshold: -150.0,
        graylist_threshold: -400.0,
        ..Default::default()
    };
    behaviour.with_peer_score(score, thresholds).map_err(|error| setup(&error))?;
    for topic in names.topics() {
        behaviour.subscribe(&topic).map_err(|error| setup(&error))?;
    }
    Ok(behaviour)
}

fn routing(me: PeerId, names: &Names) -> Result<kad::Behaviour<MemoryStore>, NetError> {
    let mut config = kad::Config::new(protocol(&names.kad)?);
    config
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_record_ttl(Some(RECORD_TTL))
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_publication_interval(None)
        .set_max_packet_size(KAD_PACKET_MAX)
        .set_query_timeout(Duration::from_secs(15))
        .set_caching(kad::Caching::Disabled)
        .set_periodic_bootstrap_interval(Some(Duration::from_secs(60)));
    let store = MemoryStoreConfig {
        max_records: RECORDS_MAX,
        max_value_bytes: NEWS_BYTES_MAX + 1,
        max_providers_per_key: 1,
        max_provided_keys: 1,
    };
    let mut behaviour =
        kad::Behaviour::with_config(me, MemoryStore::with_config(me, store), config);
    // Said and not found out: dev networks live on loopback, where nothing can be found out.
    behaviour.set_mode(Some(kad::Mode::Server));
    Ok(behaviour)
}

/// What a relay gives: enough for blocks and anchors to pass where two nodes find no way of their
/// own, and not without end.
fn relaying() -> relay::Config {
    relay::Config {
        max_reservations: 256,
        max_circuits: 64,
        max_circuits_per_peer: 8,
        max_circuit_duration: Duration::from_secs(60 * 60),
        max_circuit_bytes: 1 << 30,
        ..relay::Config::default()
    }
}

impl Behaviour {
    pub(crate) fn new(
        config: &NetConfig,
        pair: &Keypair,
        relay_client: relay::client::Behaviour,
        standing: Arc<Mutex<Standing>>,
        counting: Arc<Counting>,
    ) -> Result<Behaviour, NetError> {
        let names = Names::new(config.chain);
        let me = pair.public().to_peer_id();
        let limits = &config.limits;
        let allowed = connection_limits::ConnectionLimits::default()
            .with_max_pending_incoming(Some(limits.pending_max))
            .with_max_pending_outgoing(Some(limits.pending_max))
            .with_max_established(Some(limits.peers_max.saturating_mul(2)))
            .with_max_established_incoming(Some(limits.peers_max))
            .with_max_established_per_peer(Some(limits.connections_per_peer_max));
        let agent = crate::setup::cut(&config.agent);
        let said = identify::Config::new(names.identify.clone(), pair.public())
            .with_agent_version(agent)
            .with_cache_size(256)
            .with_push_listen_addr_updates(true)
            // Who says where it is reached is reached there, and nowhere else.
            .with_hide_listen_addrs(!config.external.is_empty());
        let pings = ping::Config::new()
            .with_interval(Duration::from_secs(10))
            .with_timeout(Duration::from_secs(15));
        let server = config.relay.then(|| relay::Behaviour::new(me, relaying()));
        Ok(Behaviour {
            gate: Gate::new(standing, limits.connections_per_host_max),
            limits: connection_limits::Behaviour::new(allowed),
            requests: Requests::new(protocol(&names.ask)?, limits, counting),
            gossip: gossip(pair, &names)?,
            kad: routing(me, &names)?,
            identify: identify::Behaviour::new(said),
            ping: ping::Behaviour::new(pings),
            autonat_client: autonat::v2::client::Behaviour::default().into(),
            // It dials whatever strangers name: only who relays for them has places to spare.
            autonat_server: config.relay.then(autonat::v2::server::Behaviour::default).into(),
            dcutr: dcutr::Behaviour::new(me),
            relay_client,
            relay_server: server.into(),
        })
    }
}
