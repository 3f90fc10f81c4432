//! `ddt completions`: what a shell offers when the tabulator is pressed.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::failure::Failure;

/// Print completions for a shell.
#[derive(Args)]
pub struct CompletionsArgs {
    /// For this shell
    shell: Shell,
}

/// `ddt completions SHELL`.
pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "ddt", &mut script);
    // A closed pipe is no error of ours.
    let _ = std::io::stdout().lock().write_all(&script);
    Ok(())
}
