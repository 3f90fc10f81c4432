//! The command line: flags, commands, and how each ends.

mod backup;
mod batch;
mod completions;
mod config;
pub mod connection;
mod doctor;
mod domain;
mod ledger;
mod man;
mod moment;
pub mod network;
pub mod node;
mod output;
pub mod plain;
mod progress;
pub mod proposal;
mod query;
pub mod request;
mod router;
pub mod send;
mod signup;
pub mod stamping;
mod submit;
mod swap;
mod ui;
pub mod username;
mod verify;
pub mod wallet;
pub mod wallets;
mod zone;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use connection::{DEFAULT_API, home, text};
pub use output::Output;
pub use ui::UiArgs;

use crate::config::{Config, Given, Giver, Settings};
use crate::failure::Failure;

/// Version, commit and protocol, as `--version` shows them.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (protocol 1)");

/// DDT: a ledger, a wallet, domains and storage without a server.
#[derive(Parser)]
#[command(name = "ddt", version = VERSION, arg_required_else_help = true)]
#[command(after_help = "Start with: ddt dev")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Args, Clone)]
pub struct Global {
    /// URL of the node's public API; by default the node that runs on --home, else
    /// http://127.0.0.1:8400
    #[arg(long, env = "DDT_API", global = true, value_name = "URL")]
    pub api: Option<String>,
    /// Data folder
    #[arg(long, env = "DDT_HOME", global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// File whose first line is the keystore's password
    #[arg(long, env = "DDT_PASSWORD_FILE", global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Answer with one line of JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask before signing
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Settings file; by default config.toml in the data folder, if there is one
    #[arg(long = "config", env = "DDT_CONFIG", global = true, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// The settings in force.
    #[arg(skip)]
    pub config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Run a whole network on this machine, with funded test accounts
    Dev(crate::dev::DevArgs),
    /// Become a member of a zone, with an address at random
    Signup(signup::SignupArgs),
    /// Make wallets, see what is in them, pay
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Find, buy and look up names under .ddt
    #[command(subcommand)]
    Domain(domain::DomainCommand),
    /// Have a username, which only whoever knows it can look up
    #[command(subcommand)]
    Username(username::UsernameCommand),
    /// Whose is a username
    Lookup(username::LookupArgs),
    /// Make many payments in one event: lines of "account,amount" in a file
    Batch(batch::BatchArgs),
    /// Ask for money: prints a payment request and its QR code
    Request(request::RequestArgs),
    /// Pay what a request asks for: ddt pay ddt:apt1… --from alice
    Pay(request::PayArgs),
    /// Swap coins with another network, neither side trusting the other
    #[command(subcommand)]
    Swap(swap::SwapCommand),
    /// Sign and submit any event: ddt send bank.transfer to=apt1… amount=5
    Send(send::SendArgs),
    /// Submit an event that was signed before: ddt submit FILE
    Submit(submit::SubmitArgs),
    /// Ask any view: ddt query domains.price name=alice years=1
    Query(query::QueryArgs),
    /// Look at events and anchors, fetch proofs
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Run a node, see how it is
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Put a bond down for a router, move it, end it
    #[command(subcommand)]
    Router(router::RouterCommand),
    /// See zones: their routers, lanes, terms and members
    #[command(subcommand)]
    Zone(zone::ZoneCommand),
    /// Make a network with other operators
    #[command(subcommand)]
    Network(network::NetworkCommand),
    /// Check a proof offline, with nothing but the genesis file
    Verify(verify::VerifyArgs),
    /// See which settings are in force, and where each comes from
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Look for what is wrong on this machine, and say what to do about it
    Doctor(doctor::DoctorArgs),
    /// Copy a node's data folder into one file, while the node runs or not
    Backup(backup::BackupArgs),
    /// Make a data folder from a backup
    Restore(backup::RestoreArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print or write manual pages
    Man(man::ManArgs),
    /// Measure
    #[command(subcommand)]
    Bench(crate::bench::BenchCommand),
}

/// Parses, runs, and ends with the command's exit code.
pub fn main() -> ExitCode {
    let parsed = Cli::command().try_get_matches().and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, matches))
    });
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::new(cli.global.json, !cli.global.yes);
    let settings = Settings::load(&given(&cli, &matches), cli.global.config_file.as_deref());
    match run(cli, settings, &output) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.kind as u8)
        }
    }
}

/// The whole command line, for completions and manual pages.
fn command() -> clap::Command {
    Cli::command()
}

/// What the command line says of settings.
fn given(cli: &Cli, matches: &ArgMatches) -> Given {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let global = &cli.global;
    let values = [
        ("home", global.home.as_ref().map(text)),
        ("api", global.api.clone()),
        ("password_file", global.password_file.as_ref().map(text)),
    ];
    let giver = |key: &str| match matches.value_source(key) {
        Some(ValueSource::EnvVariable) => Giver::Environment,
        _ => Giver::Flag,
    };
    let values = values.into_iter().filter_map(|(key, value)| Some((key, value?, giver(key))));
    let mut given: Given = values.collect();
    if let Command::Dev(args) = &cli.command {
        // Its data folder is that of --state alone.
        given.retain(|(key, ..)| *key != "home");
        given.extend(args.given());
    }
    if let Command::Node(command) = &cli.command {
        given.extend(command.given());
    }
    given
}

type Loaded = Result<Settings, Failure>;

fn run(mut cli: Cli, settings: Loaded, output: &Output) -> Result<ExitCode, Failure> {
    let settings = match (&cli.command, settings) {
        (Command::Doctor(args) | Command::Node(node::NodeCommand::Doctor(args)), settings) => {
            if let Ok(settings) = &settings {
                cli.global.adopt(settings);
            }
            return Ok(doctor::run(&cli.global, settings.map(drop), args, output));
        }
        // These depend on no setting, so that a wrong one is not in their way.
        (Command::Completions(_) | Command::Man(_), Err(_)) => Settings::usual()?,
        (_, settings) => settings?,
    };
    cli.global.adopt(&settings);
    let global = &cli.global;
    match cli.command {
        Command::Dev(args) => crate::dev::run(global, &args, output),
        Command::Signup(args) => signup::run(global, &args, output),
        Command::Wallet(command) => wallet::run(global, command, output),
        Command::Domain(command) => domain::run(global, command, output),
        Command::Username(command) => username::run(global, command, output),
        Command::Lookup(args) => username::lookup(global, &args, output),
        Command::Batch(args) => batch::run(global, &args, output),
        Command::Request(args) => request::request(global, &args, output),
        Command::Pay(args) => request::pay(global, &args, output),
        Command::Swap(command) => swap::run(global, command, output),
        Command::Send(args) => send::run(global, &args, output),
        Command::Submit(args) => submit::run(global, &args, output),
        Command::Query(args) => query::run(global, &args, output),
        Command::Ledger(command) => ledger::run(global, command, output),
        Command::Node(command) => node::run(global, &command, output),
        Command::Router(command) => router::run(global, &command, output),
        Command::Zone(command) => zone::run(global, &command, output),
        Command::Network(command) => network::run(global, &command, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Config(command) => config::run(&settings, &command, output),
        Command::Backup(args) => backup::run(global, &args, output),
        Command::Restore(args) => backup::restore(&args, output),
        Command::Bench(command) => crate::bench::run(command, output),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args, output),
        Command::Doctor(_) => Ok(()),
    }
    .map(|()| ExitCode::SUCCESS)
}

impl Global {
    /// Takes the settings over, where neither flag nor variable said otherwise.
    fn adopt(&mut self, settings: &Settings) {
        let config = settings.config.clone();
        self.home.get_or_insert_with(|| config.home.clone());
        self.api = self.api.take().or_else(|| config.api.clone());
        self.password_file = self.password_file.take().or_else(|| config.password_file.clone());
        self.config = config;
    }
}
