//! How a new node begins: with the newest snapshot that certificates prove, or with genesis.
//!
//! Nothing is trusted but the genesis file. Manifest and pieces are checked before they reach
//! the disk, and again when they are read from it; verified pieces stay there, so that a node
//! which is killed goes on where it was (spec SNP-7 … SNP-11).

mod building;
mod choosing;
mod fetching;
mod kept;
mod peers;
mod progress;
mod proving;
mod sources;

use std::time::Duration;

use ddt_ledger::PublicKey;
use ddt_ledger::genesis::Genesis;
use ddt_net::Net;

use crate::config::{NetworkConfig, SyncFrom, SyncSettings};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::running::{NodeKeys, Records};

use choosing::Candidate;
use peers::Peers;
pub use progress::{Progress, told};

/// The folder of what was fetched, in the data folder.
const FOLDER: &str = "sync";
/// How long it looks for a peer before it begins with genesis.
const PEERS_PATIENCE: Duration = Duration::from_secs(15);
/// How long it waits for more peers after the first, and how many are enough.
const MORE_PEERS: Duration = Duration::from_secs(5);
const PEERS_ENOUGH: usize = 3;
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
    // Before there are new files, which would be taken for those that were lost.
    let knows_all = !is_new || Records::of(folder).without_book(&keys.router_public())?;
    let is_router = genesis.zones.iter().any(|zone| zone.key == keys.router_public());
    let is_wanted = settings.from == SyncFrom::Snapshot;
    if !is_new || is_router || !is_wanted || network.peers.is_empty() {
        return Ok(());
    }
    let enough = network.peers.len().min(PEERS_ENOUGH);
    let net = peers::join(genesis.chain(), &keys, network).await?;
    let newcomer = Newcomer {
        folder,
        genesis: &genesis,
        router: (keys.router_public(), knows_all),
        ahead_min: settings.ahead_min,
        enough,
    };
    let synced = newcomer.begin(&net, notes).await;
    Net::stop(net).await;
    if matches!(synced, Ok(true)) {
        notes("The snapshot is verified and in place; the node follows from there.".to_string());
    }
    Progress::forget(folder.path());
    synced.map(drop)
}

/// A node that begins.
struct Newcomer<'a> {
    folder: &'a DataFolder,
    genesis: &'a Genesis,
    /// Its router key, and whether the folder knows all that this key signed.
    router: (PublicKey, bool),
    ahead_min: u64,
    /// So many peers are enough to hear how far the network is.
    enough: usize,
}

impl Newcomer<'_> {
    /// Answers whether the folder has a book now.
    async fn begin(
        &self,
        net: &Net,
        notes: &mut (dyn FnMut(String) + Send),
    ) -> Result<bool, Failure> {
        let (home, mut peers) = (self.folder.path(), Peers::new(net.clone()));
        let mut more = MORE_PEERS;
        for _ in 0..CHOICES {
            if peers.honest().is_empty() {
                peers.forgive();
            }
            while !peers.wait(self.enough, PEERS_PATIENCE, more).await {
                if !kept::has_begun(home) {
                    notes("No peer answers: beginning with genesis.".to_string());
                    return Ok(false);
                }
                tracing::warn!("no peer answers: what is here of a snapshot waits for one");
                peers.forgive();
            }
            more = Duration::ZERO;
            // A young network: whatever anybody says is not far.
            if peers.highest() < self.ahead_min {
                return Ok(false);
            }
            for candidate in choosing::candidates(&mut peers, home, self.ahead_min).await {
                if self.take(&mut peers, candidate, notes).await? {
                    return Ok(true);
                }
            }
        }
        let words = "No peer has a snapshot, or none gives it whole: beginning with genesis.";
        notes(words.to_string());
        Ok(false)
    }

    /// Proves, fetches and builds one snapshot; `false` if peers do not let it.
    async fn take(
        &self,
        peers: &mut Peers,
        candidate: Candidate,
        notes: &mut (dyn FnMut(String) + Send),
    ) -> Result<bool, Failure> {
        let Some(proven) = proving::prove(peers, self.genesis, &candidate).await? else {
            return Ok(false);
        };
        let (height, pieces) = (candidate.height, proven.manifest.pieces());
        notes(format!("Fetching the snapshot of anchor {height}: {pieces} pieces."));
        let home = self.folder.path().to_path_buf();
        if !fetching::fetch(peers, &home, &candidate, &proven).await? {
            notes("Its pieces do not come: it is given up.".to_string());
            kept::give_up(&home, &candidate.snapshot)?;
            return Ok(false);
        }
        let (genesis, (key, knows_all)) = (self.genesis.clone(), self.router);
        let build =
            move || building::build(&home, &genesis, (&key, knows_all), &candidate, &proven);
        let built = tokio::task::spawn_blocking(build).await;
        let built = built.map_err(|error| Failure::fault(format!("building the book: {error}")))?;
        built.map(|()| true)
    }
}
