//! A network of several nodes on this machine: real processes, each at an address of its own,
//! supervised by this one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ddt_ledger::genesis::Genesis;
use ddt_ledger::params::Params;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::accounts::{self, TestAccount};
use super::process::{Process, start};
use super::{DevArgs, PORT, greet, interruption, parameters, wallet_ui};
use crate::cli::node::settings_file::{self, Rule};
use crate::cli::{Output, text};
use crate::config::Config;
use crate::data_folder::migration::OldLedger;
use crate::data_folder::{DataFolder, RunningNode};
use crate::failure::Failure;
use crate::running::NodeKeys;
use crate::secret_file;
use crate::wallet_ui::child::WalletUi;

/// Where the nodes' folders are.
const NODES: &str = "nodes";
/// A node that ended by itself is started again after this, then after twice as long, …
const RESTART_AFTER: Duration = Duration::from_secs(1);
const RESTART_AFTER_MAX: Duration = Duration::from_secs(30);

/// Ports from 16,384 to 32,767: registered for hardly anything, and systems give away higher ones.
const PORT_FIRST: u16 = 0x4000;
const PORT_MASK: u16 = 0x3fff;
/// How many are tried.
const PORT_TRIES: u32 = 64;

/// A network that is ready to be started.
pub struct Cluster {
    folder: Arc<DataFolder>,
    nodes: Vec<PathBuf>,
    accounts: Vec<TestAccount>,
}

/// Whether a folder holds a network of several nodes.
pub fn is_one(folder: &DataFolder) -> bool {
    folder.path().join(NODES).is_dir()
}

/// Makes a new network in an empty folder, or takes up the one that is there.
///
/// # Errors
/// A folder with another network, or a disk that fails.
pub fn prepare(
    folder: DataFolder,
    (zones, nodes): (u32, u32),
    asked: &[String],
) -> Result<Cluster, Failure> {
    let accounts = accounts::all(zones)?;
    let path = |number: u32| folder.path().join(NODES).join(number.to_string());
    let paths: Vec<PathBuf> = (1..=nodes).map(path).collect();
    match folder.genesis()? {
        Some(genesis) => {
            parameters::check(&genesis.params, asked)?;
            let there = std::fs::read_dir(folder.path().join(NODES)).map(Iterator::count);
            let wanted = (genesis.zones.len(), there.unwrap_or_default());
            if wanted != (zones as usize, nodes as usize) {
                return Err(Failure::usage(format!(
                    "the network in {} was made with --zones {} --nodes {}: say so again, or \
                     choose another --state",
                    folder.path().display(),
                    wanted.0,
                    wanted.1.max(1)
                )));
            }
        }
        None => make(&folder, &accounts, &paths, zones, asked)?,
    }
    Ok(Cluster { nodes: paths, folder: Arc::new(folder), accounts })
}

fn make(
    folder: &DataFolder,
    accounts: &[TestAccount],
    paths: &[PathBuf],
    zones: u32,
    asked: &[String],
) -> Result<(), Failure> {
    accounts::refuse_wallets(folder)?;
    let params = parameters::with(&Params::dev(), asked)?;
    let (mut keys, mut folders) = (Vec::new(), Vec::new());
    for path in paths {
        let node = DataFolder::open(path, OldLedger::Refuse, &mut |_| {})?;
        keys.push(NodeKeys::make(&node.path().join("node.key"))?);
        folders.push(node);
    }
    let routers = keys.get(..zones as usize).unwrap_or_default();
    let genesis = accounts::genesis(accounts, routers, params)?;
    genesis.state().map_err(|error| Failure::usage(error.to_string()))?;
    settle(&folders, zones, &genesis)?;
    accounts::fill_keystore(folder, accounts)?;
    folder.set_genesis(&genesis)
}

/// Gives each node its addresses, and the genesis.
///
/// # Errors
/// No free port, or a disk that fails.
pub fn settle(folders: &[DataFolder], zones: u32, genesis: &Genesis) -> Result<(), Failure> {
    let mut peers: Vec<String> = Vec::new();
    for (node, number) in folders.iter().zip(1_u32..) {
        let network = free_port(number)?;
        // What a start that was cut short left behind has other ports.
        let mut settings = vec![
            ("network", "listen", network.to_string(), Rule::Replace),
            ("network", "peers", peers.join(","), Rule::Replace),
        ];
        if number <= zones {
            settings.push(("consensus", "listen", free_port(number)?.to_string(), Rule::Replace));
            peers.push(format!("/ip4/{}/tcp/{}", network.ip(), network.port()));
        }
        settings_file::set(node.path(), &settings)?;
        node.set_genesis(genesis)?;
    }
    Ok(())
}

/// A node's own address on loopback, as if it were another operator's machine.
fn address_of(number: u32) -> IpAddr {
    let (high, low) = (number / 256, number % 256);
    let part = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, part(high), part(low), 1).into()
}

/// A port that is free now, at the node's own address where the system has it. The node must find
/// it free when it comes back, so it is none of those that the system gives away by itself, if
/// there is another.
///
/// # Errors
/// There is none.
pub fn free_port(number: u32) -> Result<SocketAddr, Failure> {
    let at = |port| TcpListener::bind((address_of(number), port));
    let mut drawn = (0..PORT_TRIES).filter_map(|_| {
        let mut bytes = [0; 2];
        getrandom::fill(&mut bytes).ok()?;
        at(u16::from_le_bytes(bytes) & PORT_MASK | PORT_FIRST).ok()
    });
    let bound = drawn.next().map_or_else(|| at(0), Ok);
    let bound = bound.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let address = bound.and_then(|listener| listener.local_addr());
    address.map_err(|error| Failure::fault(format!("no free port on loopback: {error}")))
}

async fn told(stop: &mut tokio::sync::watch::Receiver<bool>) {
    // Nobody is there to tell any more: that is an end, too.
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}

/// What is needed to start a node again.
struct Restart {
    home: PathBuf,
    listen: SocketAddr,
    level: String,
    /// The network's folder, if it is the node that commands on that folder reach.
    network: Option<Arc<DataFolder>>,
}

impl Restart {
    async fn start(&self) -> Result<Process, Failure> {
        let process = start(&self.home, self.listen, &self.level, &[]).await?;
        if let Some(network) = &self.network {
            announce(network, &self.home, &process.about)?;
        }
        Ok(process)
    }
}

/// Keeps a node running until told to stop.
async fn supervise(
    mut process: Process,
    restart: Restart,
    mut stop: tokio::sync::watch::Receiver<bool>,
) {
    let mut pause = RESTART_AFTER;
    loop {
        tokio::select! {
            ended = process.child.wait() => {
                let home = restart.home.display();
                tracing::warn!(node = %home, ?ended, "a node ended: starting it again");
            }
            () = told(&mut stop) => {
                process.stop().await;
                return;
            }
        }
        process = loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told(&mut stop) => return,
            }
            match restart.start().await {
                Ok(process) => break process,
                Err(failure) => tracing::error!("{failure}"),
            }
            pause = pause.saturating_mul(2).min(RESTART_AFTER_MAX);
        };
        pause = RESTART_AFTER;
    }
}

/// Runs the network until it is interrupted.
///
/// # Errors
/// A node that does not start.
pub async fn live(
    cluster: Cluster,
    config: &Config,
    args: &DevArgs,
    output: &Output,
) -> Result<(), Failure> {
    let interrupted = interruption()?;
    let home = cluster.folder.path().to_path_buf();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut listens = Vec::new();
    for number in 1..=cluster.nodes.len() {
        listens.push(api_address(number, config.listen)?);
    }
    let started = cluster
        .nodes
        .iter()
        .zip(&listens)
        .map(|(home, at)| start(home, *at, &config.log.level, &[]));
    let mut started = futures_util::future::try_join_all(started).await?.into_iter();
    let (mut processes, mut abouts) = (JoinSet::new(), Vec::new());
    for (path, listen) in cluster.nodes.iter().zip(&listens) {
        let Some(process) = started.next() else { break };
        let number = abouts.len().saturating_add(1);
        let mut about = process.about.clone();
        if let Some(object) = about.as_object_mut() {
            object.insert("name".to_string(), json!(format!("node {number}")));
            object.insert("home".to_string(), json!(path.display().to_string()));
        }
        abouts.push(about);
        let restart = Restart {
            home: path.clone(),
            listen: *listen,
            level: config.log.level.clone(),
            network: (number == 1).then(|| cluster.folder.clone()),
        };
        processes.spawn(supervise(process, restart, stopping.clone()));
    }
    let (path, about) = cluster.nodes.first().zip(abouts.first()).ok_or_else(nobody)?;
    let running = announce(&cluster.folder, path, about)?;
    let mut wallet_ui = wallet_ui(args, &home, &running.api).await;
    let url = wallet_ui.as_ref().map(|wallet_ui| wallet_ui.url.as_str());
    greet(&home, &running, &abouts, &cluster.accounts, url, args.state.is_some(), output);
    tokio::select! {
        () = interrupted => {}
        never = WalletUi::watch(wallet_ui.as_mut()) => match never {},
    }
    output.note("\nEnding…");
    let again = interruption()?;
    // First, so that no node that ends by the same interruption is started again.
    let _ = stop.send(true);
    if let Some(wallet_ui) = wallet_ui {
        wallet_ui.stop().await;
    }
    let all = async { while processes.join_next().await.is_some() {} };
    tokio::select! {
        () = all => output.note("Stopped."),
        () = again => return Err(Failure::fault("ended at once; what was promised is on disk")),
    }
    cluster.folder.withdraw();
    Ok(())
}

/// Where a node's API listens: the first where anybody would look for it.
fn api_address(number: usize, wanted: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    match (number, wanted) {
        (1, Some(wanted)) => Ok(wanted),
        (1, None) if TcpListener::bind(usual).is_ok() => Ok(usual),
        (1, None) => free_port(0).map(|free| (Ipv4Addr::LOCALHOST, free.port()).into()),
        _ => free_port(u32::try_from(number).unwrap_or_default()),
    }
}

fn nobody() -> Failure {
    Failure::usage("a network needs a node")
}

/// Lets commands find a node by the network's folder.
fn announce(network: &DataFolder, node: &Path, about: &Json) -> Result<RunningNode, Failure> {
    let of = |path: &str| text(about, path).unwrap_or_default();
    let (api, private_api) = (of("/api"), of("/private_api"));
    let running = RunningNode { pid: std::process::id(), api, private_api };
    if let Some(token) = secret_file::read(&node.join("token"))? {
        secret_file::replace(&network.path().join("token"), &token)?;
    }
    network.announce(&running)?;
    Ok(running)
}
