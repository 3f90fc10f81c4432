//! `ddt bench ledger`: events through the ledger's whole path, against what verifying their
//! signatures alone would allow on this machine.
//!
//! Blocks are checked while the anchor before is executed and committed, as in a node, where
//! blocks arrive all the time. Signing and sealing happen in between and are not measured.

pub mod load;
pub mod path;

use std::time::Instant;

use clap::{Args, ValueEnum};
use ddt_contracts::bank::PAYMENTS_MAX;
use ddt_ledger::event::Checked;
use ddt_ledger::key::all_verify;
use ddt_ledger::lane::BLOCK_EVENTS_MAX;
use ddt_ledger::{Hash, PublicKey, Signature};
use rayon::prelude::*;
use serde_json::json;

use self::load::Load;
use self::path::{Stages, Through};
use crate::cli::Output;
use crate::failure::Failure;

/// Larger batches hardly cost less for each signature.
const BATCH: usize = 4_096;

/// Measure events through the ledger's whole path.
#[derive(Args)]
pub struct LedgerArgs {
    /// Accounts that pay each other at random
    #[arg(long, default_value_t = 100_000)]
    accounts: usize,
    /// How long to measure, at least
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Events signed ahead at a time, which is not measured
    #[arg(long, default_value_t = 400_000)]
    round: usize,
    /// Events of one anchor, at most 16384
    #[arg(long, default_value_t = 10_000)]
    per_anchor: usize,
    /// What the events are
    #[arg(long, value_enum, default_value_t = Kind::Transfer)]
    kind: Kind,
    /// Folder for the store; a temporary one without it
    #[arg(long)]
    state: Option<std::path::PathBuf>,
}

/// What the events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// One payment
    Transfer,
    /// As many payments as one event may hold
    Batch,
}

impl Kind {
    fn payments(self) -> usize {
        match self {
            Kind::Transfer => 1,
            Kind::Batch => PAYMENTS_MAX,
        }
    }
}

/// Signatures verified alone, and how long that took.
#[derive(Default)]
struct Limit {
    signatures: usize,
    seconds: f64,
}

/// `ddt bench ledger`.
pub fn run(args: &LedgerArgs, output: &Output) -> Result<(), Failure> {
    let is_anchor = (1..=BLOCK_EVENTS_MAX).contains(&args.per_anchor);
    if args.accounts < 2 || args.round == 0 || !is_anchor {
        return Err(Failure::usage("want 2 accounts, 1 event, and 1 to 16384 events an anchor"));
    }
    let temporary = tempfile::tempdir().map_err(|e| Failure::fault(e.to_string()))?;
    let folder = args.state.as_deref().unwrap_or(temporary.path());
    output.note(format!("Making {} accounts…", args.accounts));
    let load = Load::new(args.accounts);
    let mut through = Through::open(&load, folder)?;
    let (mut limit, mut events) = (Limit::default(), 0usize);
    let before = stored(folder);
    while events == 0 || through.stages.whole.as_secs() < args.seconds {
        let signed = load.sign(args.kind, args.round, events, &through)?;
        limit.measure(&signed);
        through.anchors(&signed, args.per_anchor)?;
        events = events.saturating_add(signed.len());
    }
    let memory = memory_peak();
    let bytes = stored(folder).saturating_sub(before);
    let (stages, begun) = (through.close(), Instant::now());
    drop(Through::open(&load, folder)?);
    let opened = begun.elapsed().as_secs_f64();
    report(args, &Figures { events, limit, stages, bytes, memory, opened }, output);
    Ok(())
}

impl Limit {
    /// Verifies the events' signatures in batches on all cores.
    fn measure(&mut self, events: &[Checked]) {
        let items: Vec<(PublicKey, Hash, Signature)> = events
            .iter()
            .filter_map(|event| {
                let signed = ddt_ledger::event::Signed::decode(event.bytes()).ok()?;
                Some((signed.draft.key, signed.draft.digest(), signed.signature))
            })
            .collect();
        let start = Instant::now();
        if items.par_chunks(BATCH).all(all_verify) {
            self.seconds += start.elapsed().as_secs_f64();
            self.signatures += items.len();
        }
    }
}

struct Figures {
    events: usize,
    limit: Limit,
    stages: Stages,
    bytes: u64,
    memory: Option<u64>,
    opened: f64,
}

fn stored(folder: &std::path::Path) -> u64 {
    std::fs::metadata(folder.join(path::FILE)).map_or(0, |metadata| metadata.len())
}

/// Most memory that this process ever used, in bytes; where the system tells.
fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

fn report(args: &LedgerArgs, figures: &Figures, output: &Output) {
    let Figures { events, limit, stages, bytes, memory, opened } = figures;
    let whole = stages.whole.as_secs_f64();
    let (rate, limit) = (*events as f64 / whole, limit.signatures as f64 / limit.seconds);
    let payments = args.kind.payments() as f64;
    let busy = |stage: std::time::Duration| stage.as_secs_f64() / whole;
    let list = [
        ("check", "check the blocks and their signatures, beside the rest", stages.check),
        ("agree", "check the anchors", stages.agree),
        ("execute", "execute", stages.execute),
        ("commit", "state root, journal, receipts, tables, sync", stages.commit),
    ];
    let words: String = list
        .iter()
        .map(|(_, words, time)| format!("  {:>5.1} %  {words}\n", busy(*time) * 100.0))
        .collect();
    let bytes_per_event = *bytes as f64 / *events as f64;
    let words = format!(
        "{rate:.0} events a second through the whole path, {:.0} transfers; each stage is busy\n\
         {words}{limit:.0} signatures a second on all cores is the limit: ratio {:.3}\n\
         {} accounts, {events} events in {whole:.1} s, {} an anchor; {bytes_per_event:.0} bytes \
         of store an event\n{} of memory at most, with everything signed ahead; opened again in \
         {opened:.1} s",
        rate * payments,
        rate / limit,
        args.accounts,
        args.per_anchor,
        memory.map_or("unknown".to_string(), |bytes| format!("{} MB", bytes / 1_000_000)),
    );
    let stages: serde_json::Map<String, serde_json::Value> =
        list.iter().map(|(name, _, time)| (name.to_string(), json!(busy(*time)))).collect();
    let data = json!({
        "events_per_second": rate,
        "transfers_per_second": rate * payments,
        "verification_limit_per_second": limit,
        "ratio_to_verification_limit": rate / limit,
        "accounts": args.accounts,
        "events": events,
        "seconds": whole,
        "per_anchor": args.per_anchor,
        "store_bytes_per_event": bytes_per_event,
        "memory_bytes_max": memory,
        "open_seconds": opened,
        "stages_busy": stages,
    });
    output.result(data, words);
}
