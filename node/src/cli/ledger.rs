//! `ddt ledger`: events, anchors, and proofs to take away.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value as Json;

use super::connection::{Connection, text};
use super::output::Output;
use super::query::show;
use super::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// Look at events and anchors, fetch proofs.
#[derive(Subcommand)]
pub enum LedgerCommand {
    /// The newest events
    Events {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One event, by id or zone:number
    Event {
        /// Its id, or zone:number
        id: String,
    },
    /// One anchor
    Anchor {
        /// Its height; the newest without one
        height: Option<u64>,
    },
    /// Write a proof for ddt verify
    #[command(subcommand)]
    Proof(ProofCommand),
}

/// What to prove.
#[derive(Subcommand)]
pub enum ProofCommand {
    /// An account's row: its balance and key, or that it has none
    Account {
        /// A wallet's name or an account id
        account: String,
        /// Where to write the proof
        #[arg(long, short, default_value = "proof.json")]
        output: PathBuf,
    },
    /// A domain's record, or that there is none
    Domain {
        /// The name
        name: String,
        /// Where to write the proof
        #[arg(long, short, default_value = "proof.json")]
        output: PathBuf,
    },
    /// What an event did
    Receipt {
        /// The event's id
        event: String,
        /// Where to write the proof
        #[arg(long, short, default_value = "proof.json")]
        output: PathBuf,
    },
}

/// `ddt ledger …`.
pub fn run(global: &Global, command: LedgerCommand, output: &Output) -> Result<(), Failure> {
    match command {
        LedgerCommand::Events { limit } => {
            let answer = Connection::open(global)?.get(&format!("/v1/events?limit={limit}"))?;
            let rows = answer.pointer("/rows").and_then(Json::as_array).cloned();
            let words: Vec<String> = rows.unwrap_or_default().iter().map(event_line).collect();
            output.result(answer, words.join("\n"));
        }
        LedgerCommand::Event { id } => {
            let answer = Connection::open(global)?.get(&format!("/v1/events/{id}"))?;
            output.result(answer.clone(), show(&answer));
        }
        LedgerCommand::Anchor { height } => {
            let connection = Connection::open(global)?;
            let height = match height {
                Some(height) => height.to_string(),
                None => text(&connection.get("/v1/status")?, "/anchor").unwrap_or_default(),
            };
            let answer = connection.get(&format!("/v1/anchors/{height}"))?;
            output.result(answer.clone(), show(&answer));
        }
        LedgerCommand::Proof(command) => prove(global, command, output)?,
    }
    Ok(())
}

fn event_line(row: &Json) -> String {
    let get = |pointer: &str| text(row, pointer).unwrap_or_default();
    let number = format!("{}:{}", get("/zone"), get("/number"));
    let outcome = get("/outcome");
    format!("{number:>10}  {:<24} {outcome:<8} {}", get("/name"), get("/id"))
}

fn prove(global: &Global, command: ProofCommand, output: &Output) -> Result<(), Failure> {
    let (path, file) = match command {
        ProofCommand::Account { account, output } => {
            let account = wallets::account(global, &account)?;
            (format!("/v1/accounts/{account}?proof=1"), output)
        }
        ProofCommand::Domain { name, output } => (format!("/v1/domains/{name}?proof=1"), output),
        ProofCommand::Receipt { event, output } => (format!("/v1/events/{event}?proof=1"), output),
    };
    let answer = Connection::open(global)?.get(&path)?;
    let proof = write_proof(&file, &answer)?;
    let words = format!(
        "Wrote {}. Check it anywhere, offline:\n  ddt verify {} --genesis genesis.toml",
        file.display(),
        file.display()
    );
    output.result(proof, words);
    Ok(())
}

/// Writes the proof in an answer to a file.
pub fn write_proof(path: &Path, answer: &Json) -> Result<Json, Failure> {
    let proof = answer.pointer("/proof").filter(|proof| !proof.is_null()).cloned();
    let proof = proof.ok_or_else(|| {
        let words = "not certified yet: the next anchor proves it; try again in a moment";
        Failure::new(FailureKind::NotFound, "proof.not_yet", words)
    })?;
    let text = format!("{proof:#}\n");
    std::fs::write(path, text).map_err(|error| Failure::io(path, &error))?;
    Ok(proof)
}
