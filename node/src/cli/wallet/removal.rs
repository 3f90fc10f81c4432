//! Deleting a wallet's file, only when nothing is lost with it or its owner says so.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::backup::{open, same_words};
use super::make::typed_words;
use super::{Global, Output};
use crate::cli::output::confirm;
use crate::cli::wallets;
use crate::failure::Failure;

/// `ddt wallet remove`.
#[derive(Args)]
pub struct Remove {
    /// The wallet
    name: String,
    /// File with its words; asked for without it
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// Delete it without its words: if they are nowhere else, its money is lost
    #[arg(long, conflicts_with = "words_file")]
    yes_lose_it: bool,
}

/// Deletes a wallet's file.
pub fn run(global: &Global, args: &Remove, output: &Output) -> Result<(), Failure> {
    let name = &args.name;
    let keystore = wallets::keystore(global)?;
    // A damaged file has no other use: only for it is the wallet not looked into.
    let is_watched = match wallets::choose(&keystore, Some(name)) {
        Ok(entry) => entry.watch_only,
        Err(failure) if !args.yes_lose_it => return Err(failure),
        Err(_) => false,
    };
    if !is_watched && !args.yes_lose_it {
        let unlocked = open(global, name)?;
        let typed = typed_words(args.words_file.as_deref()).map_err(|failure| Failure {
            words: format!(
                "the wallet's words are wanted before its file is deleted; {} (or \
                 --yes-lose-it, which may lose its money)",
                failure.words
            ),
            ..failure
        })?;
        same_words(&unlocked, &typed)?;
    }
    if !global.yes {
        eprintln!("The file of {name} is deleted for ever.");
        confirm("Delete it?")?;
    }
    keystore.remove(name).map_err(wallets::failure)?;
    output.result(json!({ "name": name, "removed": true }), format!("{name} is deleted."));
    Ok(())
}
