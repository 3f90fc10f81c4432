//! `ddt bench snapshot`: making a snapshot of a large state, and a book from it, each in a
//! process of its own, so that their memory is theirs; then a full node that joins a network of
//! so many accounts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::{Args, ValueEnum};
use ddt_contracts::REGISTRY;
use ddt_ledger::anchor::Roots;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::genesis::Genesis;
use ddt_ledger::proof::{CertifiedAnchor, Hex};
use ddt_ledger::state::{Manifest, PIECE_BYTES, Piece};
use ddt_ledger::store::{
    Backend, BookStore, MANIFEST_FILE, Restoring, Spread, Standing, piece_file,
};
use serde_json::{Value as Json, json};

use super::joining::join;
use super::ledger::load::{FOUNDERS, Load};
use super::ledger::path::{FILE, Through};
use super::ledger::reopen::of_status;
use super::zones::ZONES_MAX;
use crate::cli::Output;
use crate::failure::Failure;

const GENESIS: &str = "bench-genesis.toml";
const SNAPSHOT: &str = "bench-snapshot";
const STANDING: &str = "bench-standing";
const STANDING_BYTES_MAX: usize = 1024 * 1024;
const RESTORED: &str = "bench-restored.redb";

/// Measure making a snapshot, and beginning with one.
#[derive(Args)]
pub struct SnapshotArgs {
    /// Accounts of the state
    #[arg(long, default_value_t = 1_000_000)]
    accounts: usize,
    /// Folder for everything, empty; a temporary one without it
    #[arg(long)]
    state: Option<PathBuf>,
    /// Routers of the network that a full node joins
    #[arg(long, default_value_t = 4)]
    zones: u32,
    /// One step, in a process of its own
    #[arg(long, value_enum, hide = true)]
    step: Option<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    Make,
    Restore,
}

/// `ddt bench snapshot`.
///
/// # Errors
/// The disk failed.
pub fn run(args: &SnapshotArgs, output: &Output) -> Result<(), Failure> {
    let temporary = tempfile::tempdir().map_err(|e| Failure::fault(e.to_string()))?;
    let folder = args.state.as_deref().unwrap_or(temporary.path());
    match args.step {
        Some(Step::Make) => return make(folder, output),
        Some(Step::Restore) => return restore(folder, output),
        None => {}
    }
    if args.accounts <= FOUNDERS || !(1..=ZONES_MAX).contains(&args.zones) {
        return Err(Failure::usage("want more than 1,000 accounts, and 1 to 16 zones"));
    }
    output.note(format!("Making {} accounts…", args.accounts));
    let load = Load::new(args.accounts);
    let mut through = Through::open(&load, folder)?;
    load.found(&mut through)?;
    drop(through.into_book());
    let text = load.genesis.to_toml().map_err(|error| Failure::fault(error.to_string()))?;
    let path = folder.join(GENESIS);
    std::fs::write(&path, text).map_err(|error| Failure::io(&path, &error))?;
    let made = step(folder, "make")?;
    let restored = step(folder, "restore")?;
    let joined = join(args.accounts, args.zones, &folder.join("bench-network"), output)?;
    let words = format!("made: {made}\nrestored: {restored}\njoined: {joined}");
    let data = json!({
        "accounts": args.accounts,
        "made": made,
        "restored": restored,
        "joined": joined,
    });
    output.result(data, words);
    Ok(())
}

fn step(folder: &Path, name: &str) -> Result<Json, Failure> {
    let io = |error: std::io::Error| Failure::io(folder, &error);
    let mut command = Command::new(std::env::current_exe().map_err(io)?);
    command.args(["--json", "bench", "snapshot", "--step", name, "--state"]).arg(folder);
    let ended = command.output().map_err(io)?;
    let answer: Json = serde_json::from_slice(&ended.stdout).unwrap_or_default();
    match answer.pointer("/data") {
        Some(data) => Ok(data.clone()),
        None => Err(Failure::fault(String::from_utf8_lossy(&ended.stderr).into_owned())),
    }
}

fn genesis(folder: &Path) -> Result<Genesis, Failure> {
    let path = folder.join(GENESIS);
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(&path, &error))?;
    Genesis::from_toml(&text).map_err(|error| Failure::fault(error.to_string()))
}

fn make(folder: &Path, output: &Output) -> Result<(), Failure> {
    let into = folder.join(SNAPSHOT);
    std::fs::create_dir(&into).map_err(|error| Failure::io(&into, &error))?;
    let book = BookStore::open(Backend::File(folder.join(FILE)), &genesis(folder)?, REGISTRY)?;
    let (head, roots) = book.head();
    let snapshot = book.snapshot()?;
    let record = snapshot.anchor(head.height)?;
    let record = record.ok_or_else(|| Failure::fault("the book has no anchor"))?;
    let anchor = CertifiedAnchor { body: Hex(record.body), certificate: record.certificate };
    let path = folder.join(STANDING);
    std::fs::write(&path, encode(&(anchor, record.roots))).map_err(|e| Failure::io(&path, &e))?;
    let before = of_status("RssAnon:").unwrap_or_default();
    let (begun, mut most) = (Instant::now(), before);
    let mut watch = || {
        most = most.max(of_status("RssAnon:").unwrap_or_default());
        true
    };
    let whole = || Failure::fault("it was stopped");
    let spread = Spread::of(&snapshot, &into, &mut watch)?.ok_or_else(whole)?;
    let about = (book.chain(), head.height, roots.state);
    let manifest = spread.cut(about, PIECE_BYTES, &mut watch)?.ok_or_else(whole)?;
    let seconds = begun.elapsed().as_secs_f64();
    let pieces = manifest.pieces();
    let files = (0..u32::try_from(pieces).unwrap_or(u32::MAX)).map(|at| into.join(piece_file(at)));
    let bytes: u64 = files.map(|file| std::fs::metadata(file).map_or(0, |m| m.len())).sum();
    let data = json!({
        "seconds": seconds,
        "memory_bytes": most.saturating_sub(before),
        "pieces": pieces,
        "bytes": bytes,
    });
    output.result(data.clone(), data.to_string());
    Ok(())
}

fn restore(folder: &Path, output: &Output) -> Result<(), Failure> {
    let genesis = genesis(folder)?;
    let path = folder.join(STANDING);
    let bytes = std::fs::read(&path).map_err(|error| Failure::io(&path, &error))?;
    let standing: Option<(CertifiedAnchor, Roots)> = decode(&bytes, STANDING_BYTES_MAX).ok();
    let (anchor, roots) = standing.ok_or_else(|| Failure::fault("no anchor: make it first"))?;
    let standing = Standing { anchor, roots, handovers: Vec::new() };
    let from = folder.join(SNAPSHOT);
    let read = |name: &str| {
        let path = from.join(name);
        std::fs::read(&path).map_err(|error| Failure::io(&path, &error))
    };
    let wrong = |error: ddt_ledger::state::PieceError| Failure::fault(error.to_string());
    let begun = Instant::now();
    let manifest = Manifest::decode(&read(MANIFEST_FILE)?).map_err(wrong)?;
    let file = Backend::File(folder.join(RESTORED));
    let mut restoring = Restoring::begin(file, &genesis, REGISTRY, &folder.join("bench-runs"))?;
    for index in 0..u32::try_from(manifest.pieces()).unwrap_or(u32::MAX) {
        let piece = Piece::check(&read(&piece_file(index))?, &manifest, index).map_err(wrong)?;
        restoring.add(piece.rows)?;
    }
    let sorted = begun.elapsed().as_secs_f64();
    let book = restoring.finish(&standing)?;
    let seconds = begun.elapsed().as_secs_f64();
    let data = json!({
        "seconds": seconds,
        "checking_seconds": sorted,
        "memory_bytes": of_status("VmHWM:"),
        "height": book.head().0.height,
    });
    output.result(data.clone(), data.to_string());
    Ok(())
}
