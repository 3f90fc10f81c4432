//! `ddt bench`: measuring whole paths under production settings.

mod api;
mod ledger;

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
}

/// `ddt bench …`.
pub fn run(command: BenchCommand, output: &Output) -> Result<(), Failure> {
    match command {
        BenchCommand::Ledger(args) => ledger::run(&args, output),
        BenchCommand::Api(args) => api::run(&args, output),
    }
}
