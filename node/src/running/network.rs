//! The node's place in the network: its addresses, its card, and whom it knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ddt_consensus::Introducer;
use ddt_ledger::PublicKey;
use ddt_ledger::codec::{decode, encode};
use ddt_net::card::{ADDRESSES_MAX, Card, SignedCard};
use ddt_net::{Net, NetConfig, NetError};

use super::core::{Core, now};
use super::host::Desk;
use crate::config::NetworkConfig;
use crate::failure::Failure;
use crate::secret_file;

/// Where known routers' cards are kept, so that a node finds its network again although its
/// first peer is gone.
const CARDS_FILE: &str = "routers.cards";
const CARDS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// So often it tries to listen, before somebody else is said to hold its ports.
const LISTEN_TRIES: u32 = 100;
/// Between two tries.
const LISTEN_PAUSE: Duration = Duration::from_millis(100);
/// How often the cards are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A card is signed anew this often, so that it is known to be alive.
const CARD_EVERY: Duration = Duration::from_secs(3_600);
/// Addresses of one router that consensus is told of while the node runs.
const INTRODUCED_MAX: usize = 64;
/// Cards are kept on disk once in so many looks, if they changed.
const KEEP_EVERY: u32 = 30;

/// Joins the network.
///
/// # Errors
/// When it cannot listen.
pub async fn join(core: &Arc<Core>, config: &NetworkConfig, home: PathBuf) -> Result<Net, Failure> {
    let mut net = NetConfig::new(core.book.chain(), core.keys.network_seed());
    net.agent = format!("ddt/{}", env!("CARGO_PKG_VERSION"));
    net.listen = vec![config.network.tcp(), config.network.quic()];
    net.external = config.network.reached(true)?;
    net.peers = config.peers.clone();
    net.relays = config.relays.clone();
    net.relay = config.is_relay;
    // A router whose clock is behind must not take all others for being ahead.
    let head = Arc::downgrade(core);
    net.clock = Arc::new(move || {
        let agreed = head.upgrade().map(|core| core.book.head().0.time);
        agreed.map_or_else(now, |agreed| agreed.max(now()))
    });
    let mut tries = 0_u32;
    let net = loop {
        match ddt_net::start(net.clone(), Arc::new(Desk(core.clone()))).await {
            // A node that starts again in another role may still hold its ports for a moment.
            Err(NetError::Listen { .. }) if tries < LISTEN_TRIES => {
                tries = tries.saturating_add(1);
                tokio::time::sleep(LISTEN_PAUSE).await;
            }
            started => break started,
        }
    };
    let net = net.map_err(|error| no_network(&error))?;
    net.set_routers(core.routers.keys(), core.role.is_router());
    for card in read_cards(&home) {
        for address in &card.card.addresses {
            // An address that was good once; whether it still is shows soon.
            let _ = net.dial(address);
        }
    }
    Ok(net)
}

/// Why there is no network, and which setting to look at.
pub fn no_network(error: &NetError) -> Failure {
    let words = super::chain_of(error);
    let remedy = match error {
        NetError::Listen { .. } => "; choose another network.listen",
        NetError::Address(_) | NetError::Relay(_) => "; correct the settings network.*",
        _ => "",
    };
    Failure::fault(format!("the network: {words}{remedy}"))
}

fn read_cards(home: &std::path::Path) -> Vec<SignedCard> {
    let bytes = std::fs::read(home.join(CARDS_FILE)).unwrap_or_default();
    // What is damaged is known again soon.
    decode(&bytes, CARDS_BYTES_MAX).unwrap_or_default()
}

/// This router's card.
fn card(
    core: &Core,
    net: &Net,
    config: &NetworkConfig,
    api: Option<&String>,
) -> Result<SignedCard, Failure> {
    let mut addresses = config.network.reached(true)?;
    let is_relayed = |address: &String| address.contains("/p2p-circuit");
    let (relayed, direct): (Vec<_>, Vec<_>) = net.addresses().into_iter().partition(is_relayed);
    if addresses.is_empty() {
        addresses = direct;
    }
    let mut consensus = config.consensus.reached_beside(&addresses)?;
    consensus.truncate(ADDRESSES_MAX);
    addresses.truncate(ADDRESSES_MAX.saturating_sub(relayed.len().min(ADDRESSES_MAX / 2)));
    addresses.extend(relayed);
    addresses.truncate(ADDRESSES_MAX);
    let card = Card {
        chain: core.book.chain(),
        router: core.keys.router_public(),
        transport: net.me(),
        addresses,
        consensus,
        api: api.cloned().into_iter().collect(),
        time: now(),
    };
    let digest = card.digest();
    let (signature, transport_signature) =
        (core.keys.sign_as_router(&digest), core.keys.sign_as_network(&digest));
    Ok(SignedCard { card, signature, transport_signature })
}

/// Keeps the own card known, introduces other validators to consensus, and remembers where
/// routers are. Runs until the runtime ends.
pub async fn stay(
    core: Arc<Core>,
    net: Net,
    config: NetworkConfig,
    api: Option<String>,
    home: PathBuf,
    introducer: Option<Introducer>,
) {
    let (mut introduced, mut told, mut turns) = (Introduced::new(), None::<Instant>, 0_u32);
    let (mut kept, mut places) = (Vec::new(), Vec::new());
    loop {
        let is_old = told.is_none_or(|told| told.elapsed() >= CARD_EVERY);
        let now_at = net.addresses();
        if core.role.is_router() && (is_old || now_at != places) {
            places = now_at;
            match card(&core, &net, &config, api.as_ref()) {
                Ok(card) => net.set_card(Some(card)),
                Err(failure) => tracing::error!("{failure}"),
            }
            told = Some(Instant::now());
        }
        let cards = net.cards();
        if let Some(introducer) = &introducer {
            introduce(&core, introducer, &cards, &mut introduced).await;
        }
        turns = turns.wrapping_add(1);
        if turns.checked_rem(KEEP_EVERY) == Some(1) && cards != kept {
            let path = home.join(CARDS_FILE);
            if let Err(failure) = secret_file::replace_bytes(&path, &encode(&cards)) {
                tracing::warn!("{failure}");
            }
            kept = cards;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What consensus was told of each router.
type Introduced = BTreeMap<PublicKey, BTreeSet<String>>;

/// Tells consensus where the other validators are.
async fn introduce(
    core: &Core,
    introducer: &Introducer,
    cards: &[SignedCard],
    introduced: &mut Introduced,
) {
    let (set, me) = (core.routers.validators(), core.keys.router_public());
    for card in cards.iter().map(|signed| &signed.card) {
        let is_other = card.router != me && set.0.iter().any(|other| other.key == card.router);
        if !is_other {
            continue;
        }
        let told = introduced.entry(card.router).or_default();
        for address in &card.consensus {
            if told.len() < INTRODUCED_MAX
                && told.insert(address.clone())
                && let Err(error) = introducer.add_peer(address).await
            {
                tracing::warn!("a router's address: {error}");
            }
        }
    }
}
