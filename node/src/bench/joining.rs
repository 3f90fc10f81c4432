//! A full node that joins a network of many accounts: routers in processes of their own take
//! what opens the accounts, make a snapshot at an epoch's end, and a node that has the genesis
//! alone fetches it from them and answers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ddt_ledger::{AccountId, Millis};
use serde_json::{Value as Json, json};

use super::client::Connection;
use super::latency::{failed, press};
use super::ledger::load::Load;
use super::zones::measuring::address;
use super::zones::{prepare, start_all};
use crate::cli::Output;
use crate::dev::cluster::free_port;
use crate::dev::process::{Process, start};
use crate::failure::Failure;

/// Real epochs are a day long.
const EPOCH_MS: Millis = Millis(30_000);
/// How long each part of the founding may take, and the snapshot.
const WITHIN: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Makes such a network in a folder, and lets a full node join it.
///
/// # Errors
/// A node that does not start or answer.
pub fn join(accounts: usize, zones: u32, home: &Path, output: &Output) -> Result<Json, Failure> {
    output.note(format!("A network of {zones} router(s)…"));
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::fault(e.to_string()))?;
    runtime.block_on(network(accounts, zones, home, output))
}

async fn network(
    accounts: usize,
    zones: u32,
    home: &Path,
    output: &Output,
) -> Result<Json, Failure> {
    let mut load = Load::new(accounts);
    load.genesis.params.epoch_ms = EPOCH_MS;
    let load = prepare(home, zones, load)?;
    let folder = |number: u32| home.join(number.to_string());
    let folders: Vec<PathBuf> = (1..=zones).map(folder).collect();
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let routers = start_all(&folders, &[]).await?;
    let (first, new) = (folder(1), folder(zones + 1));
    let joined = joined(&load, accounts, &routers, (&first, &new), zones, output).await;
    for router in routers {
        router.stop().await;
    }
    joined
}

async fn joined(
    load: &Load,
    accounts: usize,
    routers: &[Process],
    (first, new): (&Path, &Path),
    zones: u32,
    output: &Output,
) -> Result<Json, Failure> {
    let router = address(routers.first().ok_or_else(|| Failure::fault("no router"))?)?;
    let last = load.account(accounts.saturating_sub(1));
    let last = last.ok_or_else(|| Failure::fault("no account"))?;
    for events in load.founding(load.genesis.chain()) {
        let events = events?;
        let count = events.len();
        if press(router, events, None, WITHIN).await? < count {
            return Err(Failure::fault("the accounts are not opened in time"));
        }
    }
    until("the accounts are opened", || has(router, last)).await?;
    let opened = height(router).await?;
    output.note("  a snapshot…");
    let snapshots = first.join(crate::running::SNAPSHOTS);
    let anchor = until("a snapshot", async || Ok(newest(&snapshots).filter(|at| *at >= opened)));
    let anchor = anchor.await?;
    output.note("  a full node that joins…");
    let settings = new.join(crate::config::FILE);
    let text = std::fs::read_to_string(&settings).map_err(|e| Failure::io(&settings, &e))?;
    crate::secret_file::replace(&settings, &format!("{text}[sync]\nahead_min = 1\n"))?;
    let begun = Instant::now();
    let node = start(new, free_port(zones + 1)?, "error", &[]).await?;
    let at = address(&node)?;
    until("the new node answers", || has(at, last)).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let lowest = status(at).await?["lowest"].clone();
    node.stop().await;
    Ok(json!({ "seconds": seconds, "snapshot": anchor, "lowest": lowest, "routers": zones }))
}

/// Waits until there is one.
async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < WITHIN {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::fault(format!("in vain: {what}")))
}

/// Whether a node knows an account.
async fn has(node: SocketAddr, account: AccountId) -> Result<Option<()>, Failure> {
    let mut connection = Connection::open(node).await.map_err(failed)?;
    let status = connection.get(&format!("/v1/accounts/{account}")).await.map_err(failed)?;
    Ok((status == 200).then_some(()))
}

async fn status(node: SocketAddr) -> Result<Json, Failure> {
    let mut connection = Connection::open(node).await.map_err(failed)?;
    connection.get("/v1/status").await.map_err(failed)?;
    serde_json::from_slice(connection.body()).map_err(|error| Failure::fault(error.to_string()))
}

async fn height(node: SocketAddr) -> Result<u64, Failure> {
    let status = status(node).await?;
    status["anchor"].as_u64().ok_or_else(|| Failure::fault("a node says no height"))
}

/// The newest snapshot that is whole.
fn newest(folder: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).max()
}
