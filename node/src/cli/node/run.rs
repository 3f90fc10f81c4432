//! `ddt node run`: a router, or a full node, until it is stopped.

use std::net::{Ipv4Addr, SocketAddr};

use clap::{Args, ValueEnum};
use ddt_contracts::REGISTRY;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::registry::Registry;
use serde_json::json;

use super::catching_up;
use crate::bench::opaque;
use crate::cli::{Global, Output, home};
use crate::config::{Config, Given, Giver, LogFormat};
use crate::data_folder::DataFolder;
use crate::dev::{PORT, interruption};
use crate::failure::Failure;
use crate::log;
use crate::running::{Ending, Listeners, Node, NodeConfig};
use crate::syncing::{self, Progress};

/// Run the node.
#[derive(Args)]
pub struct RunArgs {
    /// Where the public API listens; by default 127.0.0.1:8400
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// How much is logged: error, warn (usual), info, debug, or directives
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// How it is logged
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Where the folder was restored from a backup: go on from it, and let what came after the
    /// backup count no more
    #[arg(long)]
    continue_restored: bool,
    /// Where this router lost the records of what it signed: let it vote again once it has
    /// caught up. Only after the others have gone on without it
    #[arg(long)]
    accept_lost_data: bool,
    /// End when standard input does: then whoever started it is gone
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
    /// Take payloads that mean nothing, in the network of a bench
    #[arg(long, hide = true)]
    bench_opaque: bool,
}

impl RunArgs {
    /// What these flags say of settings.
    pub fn given(&self) -> Given {
        let format = self.log_format.and_then(|format| format.to_possible_value());
        let values = [
            ("listen", self.listen.map(|address| address.to_string())),
            ("log.level", self.log.clone()),
            ("log.format", format.map(|format| format.get_name().to_string())),
        ];
        values.into_iter().filter_map(|(key, value)| Some((key, value?, Giver::Flag))).collect()
    }
}

/// `ddt node run`.
///
/// # Errors
/// What keeps the node from running.
pub fn run(global: &Global, args: &RunArgs, output: &Output) -> Result<(), Failure> {
    let config = &global.config;
    let home = home(global);
    let home = std::path::absolute(&home).unwrap_or(home);
    let folder = DataFolder::open_for_node(&home, &mut |note| output.note(&note))?;
    let genesis = folder.genesis()?.ok_or_else(|| {
        Failure::usage(format!(
            "{} belongs to no network yet: ddt node init --genesis FILE",
            home.display()
        ))
    })?;
    let registry = registry(args, &genesis)?;
    log::start(&config.log);
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::fault(format!("no threads: {error}")))?;
    let done = runtime.block_on(live(folder, config, (args, registry), output));
    if let Err(failure) = &done {
        // Whoever reads the log alone must find it there.
        tracing::error!("{failure}");
    }
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    done
}

/// What the network's events are: those of every network, but in that of a bench.
fn registry(args: &RunArgs, genesis: &Genesis) -> Result<Registry, Failure> {
    match args.bench_opaque {
        false => Ok(REGISTRY),
        true if genesis.name == opaque::NETWORK => Ok(opaque::REGISTRY),
        true => Err(Failure::usage("--bench-opaque is for the network of a bench alone")),
    }
}

/// Syncs from a snapshot, if that is due. `false` if it was interrupted.
async fn sync_first(
    folder: &DataFolder,
    config: &Config,
    args: &RunArgs,
    output: &Output,
) -> Result<bool, Failure> {
    let (network, mut notes) = (config.network(), |words: String| output.note(&words));
    tokio::select! {
        synced = syncing::sync(folder, &config.sync, &network, &mut notes) => {
            return synced.map(|_| true);
        }
        () = interruption()? => output.note("Stopped; what was fetched and verified stays."),
        () = crate::wallet_ui::stdin_ended(args.until_stdin_ends) => {}
    }
    Progress::forget(folder.path());
    Ok(false)
}

/// Runs until interrupted; starts again when the node asks for it, as with another role.
async fn live(
    mut folder: DataFolder,
    config: &Config,
    (args, registry): (&RunArgs, Registry),
    output: &Output,
) -> Result<(), Failure> {
    let mut continue_restored = args.continue_restored;
    let mut accept_lost_data = args.accept_lost_data;
    let listen = config.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
    if !sync_first(&folder, config, args, output).await? {
        return Ok(());
    }
    let listeners = Listeners::bind(listen, config.private_listen)?;
    loop {
        let interrupted = interruption()?;
        let operator = NodeConfig {
            limits: config.limits(),
            mempool: config.mempool(),
            continue_restored,
            accept_lost_data,
            snapshots: config.piece_bytes(),
            registry,
            history: config.history_epochs(),
            network: Some(config.network()),
        };
        let mut node = Node::start(folder, &listeners, operator).await?;
        greet(&node, output);
        let heights = node.heights();
        let ending = tokio::select! {
            never = catching_up::show(heights) => match never {},
            () = interrupted => None,
            () = crate::wallet_ui::stdin_ended(args.until_stdin_ends) => None,
            ending = node.ended() => Some(ending),
        };
        let again = interruption()?;
        let ended = async {
            match ending {
                Some(Ending::Again(why)) => Ok(Some((node.pause().await?.released().await?, why))),
                Some(Ending::Failed(failure)) => {
                    // What failed first says more.
                    let _ = node.stop().await;
                    Err(failure)
                }
                None => node.stop().await.map(|()| None),
            }
        };
        let ended = tokio::select! {
            ended = ended => ended?,
            () = again => {
                return Err(Failure::fault("ended at once; what was promised is on disk"));
            }
        };
        let Some((released, why)) = ended else {
            output.note("Stopped.");
            return Ok(());
        };
        folder = released;
        output.note(format!("This node {why}: starting again."));
        // What an operator says counts for one start.
        (continue_restored, accept_lost_data) = (false, false);
    }
}

fn greet(node: &Node, output: &Output) {
    let running = &node.running;
    let data = json!({
        "role": node.role(),
        "api": running.api,
        "private_api": running.private_api,
        "pid": running.pid,
        "network": node.addresses(),
    });
    let words = format!(
        "This node is a {}.\n  Look at it  {}/\n  Network     {}\nCtrl-C ends it.",
        node.role(),
        running.api,
        node.addresses().join(" ")
    );
    output.result(data, words);
}
