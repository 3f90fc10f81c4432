//! `ddt dev`: a whole network on this machine, with funded test accounts.

mod accounts;
pub mod cluster;
pub mod parameters;
pub mod process;

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ddt_contracts::REGISTRY;
use ddt_ledger::params::Params;
use serde_json::{Value as Json, json};

use crate::cli::{Global, Output};
use crate::config::{Config, Given, Giver, LogFormat};
use crate::data_folder::migration::OldLedger;
use crate::data_folder::{DataFolder, RunningNode};
use crate::failure::Failure;
use crate::log;
use crate::running::{Ending, Listeners, Node, NodeConfig, NodeKeys, bind};
use crate::wallet_ui::child::WalletUi;
use accounts::TestAccount;

/// Where `ddt dev` listens when nothing else does.
pub const PORT: u16 = 8400;

/// Run a whole network on this machine.
#[derive(Args)]
pub struct DevArgs {
    /// Keep everything in this folder, and go on from it next time; without it, all is
    /// forgotten at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where the public API listens; by default 127.0.0.1:8400, or any free port if that is
    /// taken
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Do not start the wallet's pages beside it
    #[arg(long)]
    no_wallet_ui: bool,
    /// How many zones, each with a router in a process and at an address of its own
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    zones: u32,
    /// How many nodes; those that are no routers are full nodes; by default one for each zone
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=200))]
    nodes: Option<u32>,
    /// A parameter of a new network, such as domain_year_ms=20000; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// How much is logged: error, warn (usual), info, debug, or directives
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// How it is logged
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Where the folder holds a ledger that these rules cannot continue: keep it in a copy, and
    /// start a new one
    #[arg(long)]
    set_old_ledger_aside: bool,
    /// Where the folder was restored from a backup: go on from it, and let what came after the
    /// backup count no more
    #[arg(long)]
    continue_restored: bool,
}

impl DevArgs {
    /// What these flags say of settings.
    pub fn given(&self) -> Given {
        let format = self.log_format.and_then(|format| format.to_possible_value());
        let values = [
            ("home", self.state.as_ref().map(|path| path.to_string_lossy().into_owned())),
            ("listen", self.listen.map(|address| address.to_string())),
            ("log.level", self.log.clone()),
            ("log.format", format.map(|format| format.get_name().to_string())),
        ];
        values.into_iter().filter_map(|(key, value)| Some((key, value?, Giver::Flag))).collect()
    }
}

/// `ddt dev`.
pub fn run(global: &Global, args: &DevArgs, output: &Output) -> Result<(), Failure> {
    let config = &global.config;
    log::start(&config.log);
    let temporary = match args.state {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(|error| {
            Failure::fault(format!("no temporary folder: {error}; choose one with --state"))
        })?),
    };
    let home = match (&args.state, &temporary) {
        (Some(state), _) => std::path::absolute(state).unwrap_or_else(|_| state.clone()),
        (None, Some(temporary)) => temporary.path().to_path_buf(),
        (None, None) => PathBuf::from("."),
    };
    let nodes = args.nodes.unwrap_or(args.zones);
    if nodes < args.zones {
        return Err(Failure::usage("every zone needs a node: --nodes cannot be less than --zones"));
    }
    let old = if args.set_old_ledger_aside { OldLedger::SetAside } else { OldLedger::Refuse };
    let folder = DataFolder::open(&home, old, &mut |note| eprintln!("{note}"))?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::fault(format!("no threads: {error}")))?;
    let done = if nodes > 1 || cluster::is_one(&folder) {
        let cluster = cluster::prepare(folder, (args.zones, nodes), &args.param)?;
        runtime.block_on(cluster::live(cluster, config, args, output))
    } else {
        let accounts = prepare(&folder, &args.param)?;
        runtime.block_on(live(folder, config, args, &accounts, output))
    };
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    drop(temporary);
    done
}

/// Makes a new network in an empty folder, or takes up the one that is there.
fn prepare(folder: &DataFolder, asked: &[String]) -> Result<Vec<TestAccount>, Failure> {
    let accounts = accounts::all(1)?;
    match folder.genesis()? {
        Some(genesis) => parameters::check(&genesis.params, asked)?,
        None => {
            accounts::refuse_wallets(folder)?;
            let params = parameters::with(&Params::dev(), asked)?;
            let keys = NodeKeys::make(&folder.path().join("node.key"))?;
            let genesis = accounts::genesis(&accounts, &[keys], params)?;
            // A network that cannot start must not be left behind.
            genesis.state().map_err(|error| Failure::usage(error.to_string()))?;
            accounts::fill_keystore(folder, &accounts)?;
            folder.set_genesis(&genesis)?;
        }
    }
    Ok(accounts)
}

fn listen(wanted: Option<SocketAddr>) -> Result<TcpListener, Failure> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match wanted {
        Some(wanted) => bind(wanted),
        None => bind(local(PORT)).or_else(|_| bind(local(0))),
    }
}

async fn live(
    folder: DataFolder,
    config: &Config,
    args: &DevArgs,
    accounts: &[TestAccount],
    output: &Output,
) -> Result<(), Failure> {
    let listeners = Listeners::of(listen(config.listen)?, config.private_listen)?;
    let home = folder.path().to_path_buf();
    // From here on an interruption ends the network in order.
    let interrupted = interruption()?;
    let operator = NodeConfig {
        limits: config.limits(),
        mempool: config.mempool(),
        continue_restored: args.continue_restored,
        accept_lost_data: false,
        snapshots: None,
        registry: REGISTRY,
        history: None,
        network: None,
    };
    let mut node = Node::start(folder, &listeners, operator).await?;
    let accounts = with_balances(accounts, &node)?;
    let mut wallet_ui = wallet_ui(args, &home, &node.running.api).await;
    let url = wallet_ui.as_ref().map(|wallet_ui| wallet_ui.url.as_str());
    greet(&home, &node.running, &[], &accounts, url, args.state.is_some(), output);
    let failed = tokio::select! {
        () = interrupted => None,
        ending = node.ended() => Some(match ending {
            Ending::Failed(failure) => failure,
            Ending::Again(why) => Failure::fault(format!("the only router {why}")),
        }),
        never = WalletUi::watch(wallet_ui.as_mut()) => match never {},
    };
    output.note("\nEnding…");
    let again = interruption()?;
    if let Some(wallet_ui) = wallet_ui {
        wallet_ui.stop().await;
    }
    let stopped = tokio::select! {
        stopped = node.stop() => stopped,
        () = again => Err(Failure::fault("ended at once; what was promised is on disk")),
    };
    match failed {
        Some(failure) => Err(failure),
        None => {
            output.note("Stopped.");
            stopped
        }
    }
}

/// The wallet's pages, in a process of their own: this one holds no wallet key.
async fn wallet_ui(args: &DevArgs, home: &std::path::Path, api: &str) -> Option<WalletUi> {
    if args.no_wallet_ui {
        return None;
    }
    let started = WalletUi::start(home, api).await;
    // The network is worth having without them.
    started.inspect_err(|error| tracing::warn!(%error, "no pages of the wallet")).ok()
}

/// Resolves on Ctrl-C, or when the system asks the process to end.
pub fn interruption() -> Result<impl Future<Output = ()>, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| Failure::fault(format!("no signals: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The test accounts with what they have now, which a kept network may have changed.
fn with_balances(accounts: &[TestAccount], node: &Node) -> Result<Vec<TestAccount>, Failure> {
    let balance = |test: &TestAccount| {
        let mut test = test.clone();
        test.balance = node.balance(&test.account)?;
        Ok(test)
    };
    accounts.iter().map(balance).collect()
}

fn greet(
    home: &std::path::Path,
    running: &RunningNode,
    nodes: &[Json],
    accounts: &[TestAccount],
    wallet_ui: Option<&str>,
    is_kept: bool,
    output: &Output,
) {
    let file = |name: &str| home.join(name).display().to_string();
    let listed: Vec<_> = accounts
        .iter()
        .map(|test| json!({ "name": test.name, "account": test.account, "balance": test.balance }))
        .collect();
    let data = json!({
        "api": running.api,
        "private_api": running.private_api,
        "gateway": null,
        "wallet_ui": wallet_ui,
        "token_file": file("token"),
        "home": home.display().to_string(),
        "genesis": file("genesis.toml"),
        "password_file": file("password"),
        "accounts": listed,
        "nodes": nodes,
    });
    let mut words = banner(home, &running.api, accounts, wallet_ui, is_kept);
    for node in nodes {
        let of = |path: &str| crate::cli::text(node, path).unwrap_or_default();
        let _ = write!(words, "\n  {:<8} {:<10} {}", of("/name"), of("/role"), of("/api"));
    }
    output.result(data, words);
}

fn banner(
    home: &std::path::Path,
    api: &str,
    accounts: &[TestAccount],
    wallet_ui: Option<&str>,
    is_kept: bool,
) -> String {
    let home = home.display();
    let fate = if is_kept { "kept in" } else { "forgotten at the end, until then in" };
    let mut lines = vec![
        String::new(),
        "  DDT: a network on this machine".to_string(),
        String::new(),
        format!("  Look at it     {api}/"),
        format!("  API            {api}/docs"),
        format!("  State          {fate} {home}"),
        String::new(),
        "  Test accounts: UNSAFE, their keys are public. Never send them anything of worth."
            .to_string(),
    ];
    if let Some(url) = wallet_ui {
        let password = accounts::PASSWORD;
        lines.insert(5, format!("  Wallet         {url}"));
        lines.insert(6, format!("                 (the test wallets' password: {password})"));
    }
    for test in accounts {
        lines.push(format!("    {:<9} {}  {} APT", test.name, test.account, test.balance));
    }
    lines.extend([
        String::new(),
        "  Try, in another terminal:".to_string(),
        format!("    export DDT_HOME={home}"),
        "    ddt wallet send 5 bob --from alice --yes".to_string(),
        "    ddt domain buy hello --from alice --yes".to_string(),
        "    ddt wallet balance".to_string(),
        String::new(),
        "  Ctrl-C ends it.".to_string(),
    ]);
    lines.join("\n")
}
