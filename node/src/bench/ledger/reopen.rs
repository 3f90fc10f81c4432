//! Opening a book as a crash leaves it, in a process that has done nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::Args;
use ddt_contracts::REGISTRY;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::store::{Backend, BookStore};
use serde_json::{Value as Json, json};

use super::path::FILE;
use crate::cli::Output;
use crate::failure::Failure;

const CRASHED: &str = "bench-crashed.redb";
const GENESIS: &str = "bench-genesis.toml";

/// Open the book of a benchmark, as a crash leaves it.
#[derive(Args)]
pub struct OpenArgs {
    /// The benchmark's folder
    folder: PathBuf,
}

/// How long it took, and what the process needs then, in bytes; where the system tells.
pub struct Reopened {
    pub seconds: f64,
    pub memory: Option<u64>,
}

/// Copies the file of a book that is open, as it is on disk in this moment, and lets another
/// process open that.
pub fn crashed(genesis: &Genesis, folder: &Path) -> Result<Reopened, Failure> {
    let io = |error: std::io::Error| Failure::io(folder, &error);
    let text = genesis.to_toml().map_err(|error| Failure::fault(error.to_string()))?;
    std::fs::write(folder.join(GENESIS), text).map_err(io)?;
    std::fs::copy(folder.join(FILE), folder.join(CRASHED)).map_err(io)?;
    let program = std::env::current_exe().map_err(io)?;
    let output = Command::new(program).args(["--json", "bench", "open"]).arg(folder).output();
    let output = output.map_err(io)?;
    std::fs::remove_file(folder.join(CRASHED)).map_err(io)?;
    std::fs::remove_file(folder.join(GENESIS)).map_err(io)?;
    let answer: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let seconds = answer.pointer("/data/seconds").and_then(Json::as_f64);
    let seconds = seconds.ok_or_else(|| {
        let words = String::from_utf8_lossy(&output.stderr);
        Failure::fault(format!("the book does not open after a crash: {words}"))
    })?;
    let memory = answer.pointer("/data/memory_bytes").and_then(Json::as_u64);
    Ok(Reopened { seconds, memory })
}

/// `ddt bench open`.
pub fn run(args: &OpenArgs, output: &Output) -> Result<(), Failure> {
    let path = args.folder.join(GENESIS);
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(&path, &error))?;
    let genesis = Genesis::from_toml(&text).map_err(|error| Failure::fault(error.to_string()))?;
    let begun = Instant::now();
    let file = Backend::File(args.folder.join(CRASHED));
    let book = BookStore::open(file, &genesis, REGISTRY)?;
    let seconds = begun.elapsed().as_secs_f64();
    let memory = of_status("RssAnon:");
    let height = book.head().0.height;
    let words = format!("anchor {height}, open in {seconds:.2} s");
    output.result(json!({ "seconds": seconds, "memory_bytes": memory, "height": height }), words);
    Ok(())
}

/// A figure of this process, in bytes, from the system's words about it.
pub fn of_status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}
