//! The whole state of random histories, compared after every anchor with the model's.
//!
//! `ddt-model` tells from the specification alone what the state is: here are the histories.
//! Events are good and bad, repeated and reordered, in several lanes of several blocks; time
//! jumps, and power fails between anchors and inside of them.
//!
//! Everything follows from a seed. `DDT_MODEL_SEEDS=100..200` lives other histories than the
//! usual ones, `DDT_MODEL_STEPS=1000` longer ones.

mod compare;
mod genesis;
mod letters;
mod life;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::REGISTRY;

use crate::life::Life;

/// Histories that are lived unless told otherwise.
const SEEDS: [u64; 13] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, MERGED];
/// In its history a dead zone is merged into another.
const MERGED: u64 = 25;
/// And how many anchors each has.
const STEPS: u64 = 120;

/// What happened how often, by event and end.
pub type Ends = BTreeMap<(String, String), usize>;

fn seeds() -> Vec<u64> {
    let text = std::env::var("DDT_MODEL_SEEDS").ok();
    let number = |text: &str| text.parse::<u64>().expect("DDT_MODEL_SEEDS=FROM..TO");
    match text.as_deref().map(|text| text.split_once("..").unwrap_or(("0", text))) {
        Some((from, to)) => (number(from)..number(to)).collect(),
        None => SEEDS.to_vec(),
    }
}

fn steps() -> u64 {
    let text = std::env::var("DDT_MODEL_STEPS").ok();
    text.map_or(STEPS, |text| text.parse().expect("DDT_MODEL_STEPS=NUMBER"))
}

/// A difference, at which step it was found, and how many letters had been thought of then.
struct Difference {
    found: String,
    step: u64,
    letters: u64,
}

/// Lives so many steps of a history without some of its letters.
fn live(
    seed: u64,
    steps: u64,
    left_out: &BTreeSet<u64>,
    ends: &mut Ends,
) -> Result<(), Difference> {
    let mut life = Life::of(seed, left_out);
    for step in 0..=steps {
        let lived = if step == 0 { life.compare_rows() } else { life.step(ends) };
        lived.map_err(|found| {
            let found = format!("seed {seed}, step {step}: {found}");
            Difference { found, step, letters: life.thought() }
        })?;
    }
    let cuts = life.cuts();
    for (name, end, often) in [
        ("power cut", "lost", cuts.lost),
        ("power cut", "durable", cuts.durable),
        ("member", "merged", life.merged()),
    ] {
        *ends.entry((name.to_string(), end.to_string())).or_default() += often;
    }
    Ok(())
}

/// The difference in a history that has as few letters as can be, after so many tries.
fn shrink(seed: u64, Difference { mut found, step, letters }: Difference) -> String {
    let (mut left_out, mut tries) = (BTreeSet::new(), 80);
    let mut size = letters.div_ceil(2);
    while size > 0 && tries > 0 {
        for first in (1..=letters).step_by(size as usize) {
            let mut fewer = left_out.clone();
            fewer.extend(first..first + size);
            if fewer.len() > left_out.len() && tries > 0 {
                tries -= 1;
                if let Err(shorter) = live(seed, step, &fewer, &mut Ends::new()) {
                    (found, left_out) = (shorter.found, fewer);
                }
            }
        }
        size /= 2;
    }
    format!("{found}\n(without {} of {letters} letters)", left_out.len())
}

/// Broken by: any difference between what the ledger does and what the specification says of
/// it, such as a transfer that credits its payer, a nonce that is not checked, a deadline that
/// is skipped, a ticket that is used twice, a premium that is left out, a lease that is one
/// millisecond longer, a prepaid renewal that is due before its ten years allow it, records of
/// kind `key` that the buyer of a name keeps; and by a book that forgets or repeats an anchor
/// when power fails.
#[test]
fn the_state_is_what_the_specification_says() {
    let (mut ends, seeds) = (Ends::new(), seeds());
    for seed in seeds.clone() {
        let lived = live(seed, steps(), &BTreeSet::new(), &mut ends);
        lived.unwrap_or_else(|found| panic!("{}", shrink(seed, found)));
    }
    if std::env::var_os("DDT_MODEL_ENDS").is_some() {
        ends.iter().for_each(|((name, end), often)| println!("{often:6} {name} {end}"));
    }
    let is_done = |name: &str| ends.contains_key(&(name.to_string(), "done".to_string()));
    let rows = REGISTRY.rows().map(|row| row.name);
    let deadlines = REGISTRY.programmes.iter().flat_map(|programme| programme.deadlines);
    let names = rows.chain(deadlines.map(|row| row.name));
    let never: Vec<&str> = names.filter(|name| !is_done(name)).collect();
    assert!(seeds != SEEDS || never.is_empty(), "no history ever does {never:?}");
    let often = |name: &str, end: &str| ends[&(name.to_string(), end.to_string())];
    assert!(seeds != SEEDS || often("power cut", "lost") > 9 && often("power cut", "durable") > 0);
    assert!(seeds != SEEDS || often("member", "merged") > 0, "no member of a dead zone is merged");
}

/// Broken by: anything in a network or a history that its seed does not decide.
#[test]
fn a_seed_has_one_history() {
    let last = || {
        let (mut life, mut ends) = (Life::of(2, &BTreeSet::new()), Ends::new());
        (0..20).try_for_each(|_| life.step(&mut ends)).expect("a history");
        (life.last_anchor(), ends)
    };
    assert_eq!(last(), last());
}
