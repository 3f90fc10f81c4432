//! `ddt bench ledger`: events through the ledger's whole path, against what verifying their
//! signatures alone would allow on this machine.
//!
//! Blocks are checked while the anchor before is executed and committed, as in a node, where
//! blocks arrive all the time. Signing and sealing happen in between and are not measured.

pub mod load;
pub mod path;
pub mod reopen;

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
use self::reopen::Reopened;
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
    /// A commit to a domain, or the reveal of one; the ledger itself ends each purchase later
    Domain,
}

/// Domains that one anchor settles at most, by the parameters of a network.
const DOMAINS_PER_ANCHOR: usize = 1_000;

impl Kind {
    /// What somebody wanted, of which an event is so many.
    fn deeds(self) -> (&'static str, f64) {
        match self {
            Kind::Transfer => ("transfers", 1.0),
            Kind::Batch => ("transfers", PAYMENTS_MAX as f64),
            Kind::Domain => ("purchases", 0.5),
        }
    }
}

/// Signatures verified alone, and how long that took.
#[derive(Default)]
pub struct Limit {
    /// How many were verified.
    pub signatures: usize,
    /// How long it took.
    pub seconds: f64,
}

/// `ddt bench ledger`.
pub fn run(args: &LedgerArgs, output: &Output) -> Result<(), Failure> {
    let is_anchor = (1..=BLOCK_EVENTS_MAX).contains(&args.per_anchor);
    if args.accounts < 2 || args.round == 0 || !is_anchor {
        return Err(Failure::usage("want 2 accounts, 1 event, and 1 to 16384 events an anchor"));
    }
    let is_domain = args.kind == Kind::Domain;
    if is_domain && args.per_anchor > 2 * DOMAINS_PER_ANCHOR {
        return Err(Failure::usage("an anchor settles 1,000 domains: lower --per-anchor to 2000"));
    }
    let temporary = tempfile::tempdir().map_err(|e| Failure::fault(e.to_string()))?;
    let folder = args.state.as_deref().unwrap_or(temporary.path());
    output.note(format!("Making {} accounts…", args.accounts));
    // Four anchors of 20 s: a commit is revealed after a minute.
    let mut load = Load::new(args.accounts);
    load.ripe_after = 2 * args.per_anchor;
    let mut through = Through::open(&load, folder)?;
    load.found(&mut through)?;
    if is_domain {
        // Domains want time between their steps: the anchors' time runs ahead.
        through.step = Some(load.genesis.params.clock_step_ms_max);
    }
    let (mut limit, mut events) = (Limit::default(), 0usize);
    let before = stored(folder);
    while events == 0 || through.stages.whole.as_secs() < args.seconds {
        let signed = load.sign(args.kind, args.round, events, through.chain())?;
        limit.measure(&signed);
        through.anchors(&signed, args.per_anchor)?;
        events = events.saturating_add(signed.len());
    }
    let memory = memory_peak();
    let bytes = stored(folder).saturating_sub(before);
    let reopened = reopen::crashed(&load.genesis, folder)?;
    let stages = through.close();
    report(args, &Figures { events, limit, stages, bytes, memory, reopened }, output);
    Ok(())
}

impl Limit {
    /// Verifies the events' signatures in batches on all cores.
    pub fn measure(&mut self, events: &[Checked]) {
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
    reopened: Reopened,
}

fn stored(folder: &std::path::Path) -> u64 {
    std::fs::metadata(folder.join(path::FILE)).map_or(0, |metadata| metadata.len())
}

/// Most memory that this process ever used, in bytes; where the system tells.
fn memory_peak() -> Option<u64> {
    reopen::of_status("VmHWM:")
}

fn report(args: &LedgerArgs, figures: &Figures, output: &Output) {
    let Figures { events, limit, stages, bytes, memory, reopened } = figures;
    let megabytes = |bytes: &Option<u64>| {
        bytes.map_or("unknown".to_string(), |bytes| format!("{} MB", bytes / 1_000_000))
    };
    let whole = stages.whole.as_secs_f64();
    let (rate, limit) = (*events as f64 / whole, limit.signatures as f64 / limit.seconds);
    let (deeds, of_event) = args.kind.deeds();
    let deeds_per_second = rate * of_event;
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
        "{rate:.0} events a second through the whole path, {deeds_per_second:.0} {deeds}; each \
         stage is busy\n\
         {words}{limit:.0} signatures a second on all cores is the limit: ratio {:.3}\n\
         {} accounts, {events} events in {whole:.1} s, {} an anchor; {bytes_per_event:.0} bytes \
         of store an event\n{} of memory at most, with everything signed ahead; after a crash the \
         book opens in {:.1} s and takes {}",
        rate / limit,
        args.accounts,
        args.per_anchor,
        megabytes(memory),
        reopened.seconds,
        megabytes(&reopened.memory),
    );
    let stages: serde_json::Map<String, serde_json::Value> =
        list.iter().map(|(name, _, time)| (name.to_string(), json!(busy(*time)))).collect();
    let data = json!({
        "events_per_second": rate,
        format!("{deeds}_per_second"): deeds_per_second,
        "verification_limit_per_second": limit,
        "ratio_to_verification_limit": rate / limit,
        "accounts": args.accounts,
        "events": events,
        "seconds": whole,
        "per_anchor": args.per_anchor,
        "store_bytes_per_event": bytes_per_event,
        "memory_bytes_max": memory,
        "open_seconds": reopened.seconds,
        "open_memory_bytes": reopened.memory,
        "stages_busy": stages,
    });
    output.result(data, words);
}
