//! Fuzzing without instruments: known inputs, then changed ones; an end not seen before joins
//! the known ones. One seed says everything that is tried.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use ddt_tests::random::Random;

use crate::mutate::mutate;
use crate::{End, Target};

/// Most inputs that are kept to be changed.
const KEPT_MAX: usize = 2_000;
/// Bytes of a failing input that are printed.
const SHOWN_MAX: usize = 4_096;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs tried.
    pub tried: u64,
    /// Ways in which they ended.
    pub ends: usize,
}

/// The folder of a target's inputs.
pub fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

/// A target's known inputs: those of the code, then the files, by name.
pub fn known(target: &Target) -> Vec<Vec<u8>> {
    let mut inputs = (target.seeds)();
    inputs.push(Vec::new());
    let files = std::fs::read_dir(corpus(target.name)).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
    files.sort();
    inputs.extend(files.iter().filter_map(|path| std::fs::read(path).ok()));
    inputs.retain(|input| input.len() <= target.bytes_max);
    inputs
}

/// Tries all known inputs and `tries` changed ones; panics with the first input that breaks
/// a law.
pub fn fuzz(target: &Target, seed: u64, tries: u64) -> Tally {
    let (mut kept, mut ends) = (known(target), BTreeSet::new());
    for input in &kept {
        ends.insert(attempt(target, input));
    }
    let mut random = Random::of(seed);
    for _ in 0..tries {
        let Some(chosen) = kept.get(random.below(kept.len())) else { break };
        let input = mutate(&mut random, chosen, &kept, target.bytes_max);
        if ends.insert(attempt(target, &input)) && kept.len() < KEPT_MAX {
            kept.push(input);
        }
    }
    Tally { tried: kept.len() as u64 + tries, ends: ends.len() }
}

/// Runs one input; where a law is broken, says which input it was.
fn attempt(target: &Target, input: &[u8]) -> End {
    match catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        Ok(end) => end,
        Err(panic) => {
            let shown = hex::encode(&input[..input.len().min(SHOWN_MAX)]);
            eprintln!("{}: this input of {} bytes broke it:", target.name, input.len());
            eprintln!("{shown}");
            eprintln!("give it a file in {} once it is mended", corpus(target.name).display());
            resume_unwind(panic)
        }
    }
}
