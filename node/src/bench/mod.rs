//! `ddt bench`: measuring whole paths under production settings.

mod ledger;

use clap::Subcommand;

use crate::cli::Output;
use crate::failure::Failure;

/// Measure.
#[derive(Subcommand)]
pub enum BenchCommand {
    /// Transfers through check, execution, state root and synced commit
    Ledger(ledger::LedgerArgs),
}

/// `ddt bench …`.
pub fn run(command: BenchCommand, output: &Output) -> Result<(), Failure> {
    match command {
        BenchCommand::Ledger(args) => ledger::run(&args, output),
    }
}
