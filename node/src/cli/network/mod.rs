//! `ddt network …`: making a network of several operators, none of whom sees another's keys.

mod assemble;
mod key;
mod part;

use clap::Subcommand;

pub use part::RouterPart;

use super::{Global, Output};
use crate::failure::Failure;

/// Make a network with other operators.
#[derive(Subcommand)]
pub enum NetworkCommand {
    /// Make this machine's router keys, and print their public part for the genesis file
    Key(key::KeyArgs),
    /// Make the genesis file from the routers' public parts
    Assemble(assemble::AssembleArgs),
}

/// `ddt network …`.
///
/// # Errors
/// What the commands say.
pub fn run(global: &Global, command: &NetworkCommand, output: &Output) -> Result<(), Failure> {
    match command {
        NetworkCommand::Key(args) => key::run(global, args, output),
        NetworkCommand::Assemble(args) => assemble::run(args, output),
    }
}
