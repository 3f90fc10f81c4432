//! How a new node begins: with the newest snapshot that certificates prove, or with genesis.
//!
//! Nothing is trusted but the genesis file. Manifest and pieces are checked before they reach
//! the disk, and again when they are read from it; verified pieces stay there, so that a node
//! which is killed goes on where it was (spec SNP-7 … SNP-11).

mod building;
mod choosing;
mod fetching;
mod peers;
mod progress;
mod proving;

use std::time::Duration;

use ddt_ledger::genesis::Genesis;
use ddt_net::Net;

use crate::config::{NetworkConfig, SyncFrom, SyncSettings};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::running::NodeKeys;

use choosing::Candidate;
use fetching::Fetched;
use peers::Peers;
use progress::Progress;
pub use progress::told;

/// The folder of what was fetched, in the data folder.
const FOLDER: &str = "sync";
/// How long it looks for a peer before it begins with genesis.
const PEERS_PATIENCE: Duration = Duration::from_secs(15);
/// How long it listens for more peers after the first.
const MORE_PEERS: Duration = Duration::from_secs(1);
/// How often it chooses anew before it begins with genesis.
const CHOICES: u32 = 20;

/// Brings a folder without a book to the newest proven snapshot, if its settings want that and
/// it saves much. A folder that has a book, or whose key is a router's of the genesis, is left
/// as it is.
///
/// # Errors
/// The disk failed, or it cannot listen. What peers do is no error.
pub async fn sync(
    folder: &DataFolder,
    settings: &SyncSettings,
    network: &NetworkConfig,
    notes: &mut (dyn FnMut(String) + Send),
) -> Result<(), Failure> {
    building::clear(folder.path())?;
    Progress::forget(folder.path());
    let Some(genesis) = folder.genesis()? else { return Ok(()) };
    let is_new = !folder.path().join("book.redb").exists();
    let keys = NodeKeys::read(&folder.path().join("node.key"))?;
    let is_router = genesis.zones.iter().any(|zone| zone.key == keys.router_public());
    let is_wanted = settings.from == SyncFrom::Snapshot;
    if !is_new || is_router || !is_wanted || network.peers.is_empty() {
        return Ok(());
    }
    let net = peers::join(genesis.chain(), &keys, network).await?;
    let synced = begin(folder, &genesis, (settings.ahead_min, &keys), &net, notes).await;
    Net::stop(net).await;
    if matches!(synced, Ok(true)) {
        notes("The snapshot is verified and in place; the node follows from there.".to_string());
    }
    Progress::forget(folder.path());
    synced.map(drop)
}

/// Answers whether the folder has a book now.
async fn begin(
    folder: &DataFolder,
    genesis: &Genesis,
    (ahead_min, keys): (u64, &NodeKeys),
    net: &Net,
    notes: &mut (dyn FnMut(String) + Send),
) -> Result<bool, Failure> {
    let mut peers = Peers::new(net.clone());
    if !peers.wait(PEERS_PATIENCE, MORE_PEERS).await {
        notes("No peer answers: beginning with genesis.".to_string());
        return Ok(false);
    }
    for choice in 0..CHOICES {
        if peers.highest() < ahead_min {
            return Ok(false);
        }
        let candidates = choosing::candidates(&peers, folder.path(), ahead_min).await;
        if candidates.is_empty() && choice == 0 {
            notes("No peer has a snapshot: beginning with genesis.".to_string());
            return Ok(false);
        }
        for candidate in candidates {
            if take(folder, genesis, keys, &mut peers, candidate, notes).await? {
                return Ok(true);
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    notes("No snapshot could be had whole: beginning with genesis.".to_string());
    Ok(false)
}

/// Proves, fetches and builds one snapshot; `false` if peers do not let it.
async fn take(
    folder: &DataFolder,
    genesis: &Genesis,
    keys: &NodeKeys,
    peers: &mut Peers,
    candidate: Candidate,
    notes: &mut (dyn FnMut(String) + Send),
) -> Result<bool, Failure> {
    let Some(proven) = proving::prove(peers, genesis, &candidate).await? else {
        return Ok(false);
    };
    let (height, pieces) = (candidate.height, proven.manifest.pieces());
    notes(format!("Fetching the snapshot of anchor {height}: {pieces} pieces."));
    let home = folder.path().to_path_buf();
    match fetching::fetch(peers, &home, &candidate, &proven).await? {
        Fetched::All => {}
        Fetched::Sources => return Ok(false),
    }
    let (genesis, router) = (genesis.clone(), keys.router_public());
    let built = move || building::build(&home, &genesis, &router, &candidate, &proven);
    let built = tokio::task::spawn_blocking(built).await;
    let built = built.map_err(|error| Failure::fault(format!("building the book: {error}")))?;
    built.map(|()| true)
}
