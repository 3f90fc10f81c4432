//! Starting: addresses, keys, transports, and listening before anybody is told that all is well.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::{mpsc, watch};

use crate::behaviour::Behaviour;
use crate::card_book::CardBook;
use crate::config::{NetConfig, NetError};
use crate::counters::Counting;
use crate::host::Host;
use crate::key;
use crate::net::{Net, Routers, Shared};
use crate::standing::Standing;
use crate::task::Task;

/// Commands that wait for the task.
const COMMANDS: usize = 1_024;
/// Results of work that wait for the task.
const RESULTS: usize = 1_024;
/// Longest text about the program.
const AGENT_BYTES_MAX: usize = 64;
/// Streams of all protocols at one time on a TCP connection.
const STREAMS_MAX: usize = 192;
/// How long listening may take to begin.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections stay as long as both sides live.
const IDLE_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a multiaddr.
pub(crate) fn parse(text: &str) -> Result<Multiaddr, NetError> {
    text.parse().map_err(|_| NetError::Address(text.into()))
}

/// The text about the program, as far as it may be said.
pub(crate) fn cut(agent: &str) -> String {
    let end = (0..=AGENT_BYTES_MAX.min(agent.len())).rev().find(|at| agent.is_char_boundary(*at));
    agent.get(..end.unwrap_or(0)).unwrap_or_default().into()
}

/// Starts the network. It listens on every address when this returns.
///
/// # Errors
/// If an address is none, or cannot be listened on.
pub async fn start(config: NetConfig, host: Arc<dyn Host>) -> Result<Net, NetError> {
    let listen = addresses(&config.listen)?;
    let external = addresses(&config.external)?;
    let peers = addresses(&config.peers)?;
    let relays = config.relays.iter().map(|text| circuit(text)).collect::<Result<_, _>>()?;
    let setup = || NetError::Setup("the transport seed makes no key".into());
    let pair = key::pair(&config.transport_seed).ok_or_else(setup)?;
    let me = key::public(&pair).ok_or_else(setup)?;
    let shared = Arc::new(Shared {
        me,
        addresses: Mutex::default(),
        reaches: Mutex::default(),
        peers: Mutex::default(),
        cards: Mutex::new(CardBook::new(config.chain)),
        counting: Arc::new(Counting::default()),
        clock: config.clock.clone(),
    });
    let standing = Arc::new(Mutex::new(Standing::default()));
    let mut swarm = swarm(&config, &pair, Arc::clone(&standing), &shared)?;
    for address in external {
        swarm.add_external_address(address);
    }
    listen_all(&mut swarm, &listen).await?;
    *crate::net::lock(&shared.addresses) = swarm.listeners().map(ToString::to_string).collect();

    let (commands, asked) = mpsc::channel(COMMANDS);
    let (news, to_tell) = mpsc::channel(config.limits.tell_queue.max(1));
    let (inside, results) = mpsc::channel(RESULTS);
    let (routers, kept) = watch::channel(Routers::default());
    let (card, own) = watch::channel(None);
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = watch::channel(None);
    let task =
        Task::new(swarm, config, (peers, relays), host, Arc::clone(&shared), standing, inside);
    let running = tokio::spawn(task.run(crate::task::Inputs {
        commands: asked,
        news: to_tell,
        results,
        routers: kept,
        card: own,
        stop: stopped,
    }));
    tokio::spawn(async move {
        let why = match running.await {
            Ok(why) => why,
            Err(error) => NetError::Failed(error.to_string()),
        };
        end.send_replace(Some(why));
    });
    let (routers, card, stop) = (Arc::new(routers), Arc::new(card), Arc::new(stop));
    Ok(Net { shared, commands, news, routers, card, stop, ended })
}

/// The address at which others reach a node by way of this relay.
fn circuit(text: &str) -> Result<Multiaddr, NetError> {
    let address = parse(text)?;
    let is_named = matches!(address.iter().last(), Some(Protocol::P2p(_)));
    is_named.then(|| address.with(Protocol::P2pCircuit)).ok_or(NetError::Relay(text.into()))
}

fn addresses(texts: &[String]) -> Result<Vec<Multiaddr>, NetError> {
    texts.iter().map(|text| parse(text)).collect()
}

fn swarm(
    config: &NetConfig,
    pair: &Keypair,
    standing: Arc<Mutex<Standing>>,
    shared: &Shared,
) -> Result<Swarm<Behaviour>, NetError> {
    let setup = |error: &dyn std::fmt::Display| NetError::Setup(error.to_string());
    let multiplexer = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(STREAMS_MAX);
        config
    };
    let swarm = SwarmBuilder::with_existing_identity(pair.clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, multiplexer)
        .map_err(|error| setup(&error))?
        .with_quic()
        .with_dns()
        .map_err(|error| setup(&error))?
        .with_relay_client(noise::Config::new, multiplexer)
        .map_err(|error| setup(&error))?
        .with_behaviour(|pair, relay| {
            let counting = Arc::clone(&shared.counting);
            Ok(Behaviour::new(config, pair, relay, standing, counting)?)
        })
        .map_err(|error| setup(&error))?
        // A request goes out with the name of its protocol: waiting until the peer has repeated
        // that name would cost a journey there and back, each time.
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE_TIMEOUT)
                .with_substream_upgrade_protocol_override(Version::V1Lazy)
        })
        .build();
    Ok(swarm)
}

/// Where a TCP address with a port of its own listens.
fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) if port != 0 => Some((ip, port).into()),
        _ => None,
    }
}

/// Where an address of QUIC listens.
pub(crate) fn udp_socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Udp(port) => Some((ip, port).into()),
        _ => None,
    }
}

/// What the system says at the bottom of an error.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let texts = chain.map(ToString::to_string).filter(|text| !text.is_empty());
    texts.last().unwrap_or_else(|| format!("{error:?}"))
}

/// Listens on all, and waits until each has begun.
async fn listen_all(swarm: &mut Swarm<Behaviour>, all: &[Multiaddr]) -> Result<(), NetError> {
    let failed = |address: &Multiaddr, why: &(dyn std::error::Error + 'static)| NetError::Listen {
        address: address.to_string(),
        why: reason(why),
    };
    let mut waiting: HashSet<(ListenerId, &Multiaddr)> = HashSet::new();
    for address in all {
        if let Some(socket) = socket_of(address) {
            // libp2p shares ports: it would not notice who listens there already.
            drop(std::net::TcpListener::bind(socket).map_err(|error| failed(address, &error))?);
        }
        let id = swarm.listen_on(address.clone()).map_err(|error| failed(address, &error))?;
        waiting.insert((id, address));
    }
    let begun = async {
        while !waiting.is_empty() {
            let (id, error) = match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, .. } => (listener_id, None),
                SwarmEvent::ListenerError { listener_id, error } => (listener_id, Some(error)),
                SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                    (listener_id, reason.err())
                }
                _ => continue,
            };
            let found = waiting.iter().find(|(waiting, _)| *waiting == id).copied();
            match (found, error) {
                (Some((_, address)), Some(error)) => return Err(failed(address, &error)),
                (Some(one), None) => waiting.remove(&one),
                (None, _) => false,
            };
        }
        Ok(())
    };
    match tokio::time::timeout(LISTEN_TIMEOUT, begun).await {
        Ok(result) => result,
        Err(_) => Err(NetError::Setup("listening did not begin in ten seconds".into())),
    }
}
