//! A deterministic simulation of a whole network, in one thread, on virtual time.
//!
//! Real are the machines of `ddt-core`, the executor and the stores of `ddt-ledger`; the
//! shells between them are thin and live here. Not real are time, the [`network`], the
//! [`disk`]s below the stores, the clients, and the engine of consensus: a [stand-in](engine)
//! that asks what the real one asks. A seed says everything that happens, so a failure is a
//! seed and a commit.

mod agents_shell;
mod anchors_shell;
mod blocks_shell;
mod chaos;
mod chores_shell;
pub mod clients;
mod closing;
pub mod disk;
pub mod engine;
pub mod facts;
mod lane_shell;
mod liar;
pub mod message;
pub mod network;
pub mod random;
pub mod router;
pub mod town;
pub mod trace;
mod traitor;
pub mod truth;
pub mod voting;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ddt_ledger::Hash;

pub use world::{Counts, World};

/// After so many steps of chaos comes a calm.
const CHAOS_STEPS: u64 = 4_000;

/// What a run saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Steps taken.
    pub steps: u64,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
    /// Of everything that happened.
    pub trace: Hash,
    /// How often what happened.
    pub counts: Counts,
}

/// A broken promise, with all that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The step.
    pub step: u64,
    /// Which promise.
    pub words: String,
    /// What happened last.
    pub trace: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { seed, step, words, trace } = self;
        write!(f, "{trace}\nseed {seed}, step {step}, commit {}: {words}", commit())
    }
}

/// Runs a seed for about this many steps; ends in a calm.
pub fn run(seed: u64, steps: u64, is_loud: bool) -> Result<Report, Box<Failure>> {
    let fail = |step, words: String, trace: String| Box::new(Failure { seed, step, words, trace });
    let mut world = World::new(seed).map_err(|words| fail(0, words, String::new()))?;
    world.trace.is_loud = is_loud;
    let mut taken = 0;
    while taken < steps {
        let chaos = CHAOS_STEPS.min(steps - taken);
        let round = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..chaos {
                taken += 1;
                world.step()?;
            }
            world.settle()
        }));
        let done = round.unwrap_or_else(|panic| Err(format!("a panic: {}", words_of(&*panic))));
        done.map_err(|words| fail(taken, words, world.trace.to_string()))?;
    }
    Ok(world.report(taken))
}

/// The commit that is tested, if git can tell.
pub fn commit() -> String {
    let command = ["describe", "--always", "--dirty"];
    let output = std::process::Command::new("git").args(command).output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    text.unwrap_or_default().trim().to_string()
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or(panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
