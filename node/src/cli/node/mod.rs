//! `ddt node …`: a node of one's own.

mod catching_up;
mod init;
mod peers;
mod run;
pub mod settings_file;
mod status;

use clap::Subcommand;

use super::doctor::DoctorArgs;
use super::{Global, Output};
use crate::config::Given;
use crate::failure::Failure;

/// Run a node, see how it is.
#[derive(Subcommand)]
pub enum NodeCommand {
    /// Make a data folder for a network
    Init(init::InitArgs),
    /// Run the node: a router if the network knows its key, else a full node
    Run(run::RunArgs),
    /// Height, time, supply, mempool
    Status,
    /// Who is connected to the node that runs on the data folder
    Peers,
    /// Look for what is wrong; the same as ddt doctor
    Doctor(DoctorArgs),
}

impl NodeCommand {
    /// What the flags say of settings.
    pub fn given(&self) -> Given {
        match self {
            NodeCommand::Run(args) => args.given(),
            _ => Given::new(),
        }
    }
}

/// `ddt node …`.
///
/// # Errors
/// What the commands say.
pub fn run(global: &Global, command: &NodeCommand, output: &Output) -> Result<(), Failure> {
    match command {
        NodeCommand::Init(args) => init::run(global, args, output),
        NodeCommand::Run(args) => run::run(global, args, output),
        NodeCommand::Status => status::run(global, output),
        NodeCommand::Peers => peers::run(global, output),
        // Runs before the settings are known to be right.
        NodeCommand::Doctor(_) => Ok(()),
    }
}
