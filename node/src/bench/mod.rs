//! `ddt bench`: measuring whole paths under production settings.

mod api;
mod client;
mod joining;
mod latency;
pub mod ledger;
pub mod opaque;
mod snapshot;
mod zones;

use clap::Subcommand;

use crate::cli::Output;
use crate::failure::Failure;

/// Measure.
#[derive(Subcommand)]
pub enum BenchCommand {
    /// Transfers through check, execution, state root and synced commit
    Ledger(ledger::LedgerArgs),
    /// Answers of the API over a large ledger, and proofs
    Api(api::ApiArgs),
    /// How long a payment takes until it is sequenced, final and proven, idle and under load
    Latency(latency::LatencyArgs),
    /// Several routers on this machine against one: events and latency, work and bytes
    Zones(zones::ZonesArgs),
    /// Making a snapshot of a large state, a book from it, and a full node that joins with one
    #[command(hide = true)]
    Snapshot(snapshot::SnapshotArgs),
    #[command(hide = true)]
    Open(ledger::reopen::OpenArgs),
}

/// `ddt bench …`.
pub fn run(command: BenchCommand, output: &Output) -> Result<(), Failure> {
    match command {
        BenchCommand::Ledger(args) => ledger::run(&args, output),
        BenchCommand::Api(args) => api::run(&args, output),
        BenchCommand::Latency(args) => latency::run(&args, output),
        BenchCommand::Zones(args) => zones::run(&args, output),
        BenchCommand::Snapshot(args) => snapshot::run(&args, output),
        BenchCommand::Open(args) => ledger::reopen::run(&args, output),
    }
}
