//! Every target over its known inputs and some thousand changed ones.
//!
//! `DDT_FUZZ_SEED=7` tries others, `DDT_FUZZ_TIMES=100` a hundred times as many.

use std::collections::BTreeSet;

use ddt_fuzz::engine::{self, fuzz};
use ddt_fuzz::mutate::mutate;
use ddt_fuzz::targets::{lived, named};
use ddt_tests::random::Random;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Address space of the tests' process: whatever asks for more fails. In bytes.
#[cfg(unix)]
const MEMORY_MAX: u64 = 8 << 30;

/// No input can make a decoder allocate without limit.
#[cfg(unix)]
fn bound_memory() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::As);
    let limit = Rlimit { current: Some(MEMORY_MAX), maximum };
    setrlimit(Resource::As, limit).expect("a limit");
}

#[cfg(not(unix))]
fn bound_memory() {}

fn hold(name: &str) {
    bound_memory();
    let target = named(name).expect("a target");
    let tries = u64::from(target.tries) * number("DDT_FUZZ_TIMES", 1);
    let tally = fuzz(target, number("DDT_FUZZ_SEED", 1), tries);
    println!("{name}: {} inputs, {} ends", tally.tried, tally.ends);
    assert!(tally.ends > 3, "{name}: the inputs lead nowhere: {tally:?}");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                hold(stringify!($name));
            }
        )*

        /// Broken by: a target without a test.
        #[test]
        fn every_target_has_a_test() {
            let tested = [$(stringify!($name)),*];
            let all = ddt_fuzz::targets::ALL.iter().map(|target| target.name);
            assert!(all.eq(tested), "say in this file: {tested:?}");
        }
    };
}

/// Broken by: choices that only make events which nobody executes; then `life` proves nothing.
#[test]
fn histories_get_far() {
    let target = named("life").expect("a target");
    let known = engine::known(target);
    let mut random = Random::of(2);
    let mut done = BTreeSet::new();
    for _ in 0..150 {
        let chosen = random.pick(&known).expect("known inputs");
        let input = mutate(&mut random, &chosen, &known, target.bytes_max);
        let ends = lived(&input);
        done.extend(ends.into_iter().filter(|(_, how)| how == "done").map(|(tag, _)| tag));
    }
    println!("done: {done:?}");
    assert!(done.len() >= 6, "of all events, only these were done: {done:?}");
}

targets! {
    anchors blocks bodies certificates events genesis http keystore lanes life messages
    network node_files peers proofs records rows snapshots stores texts values views wallet_files
}
