//! `cargo sim --seed N --steps M`, `cargo sim --endless`: runs the simulation.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use ddt_sim::run;

const USAGE: &str = "cargo sim [--seed N] [--steps M] [--count C | --endless] [--trace]";

struct Wish {
    seed: u64,
    steps: u64,
    count: u64,
    is_loud: bool,
}

fn read(mut words: impl Iterator<Item = String>) -> Option<Wish> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = now.as_nanos() as u64 % 1_000_000_000;
    let mut wish = Wish { seed, steps: 20_000, count: 1, is_loud: false };
    while let Some(word) = words.next() {
        let mut number = || words.next()?.replace('_', "").parse().ok();
        match word.as_str() {
            "--seed" => wish.seed = number()?,
            "--steps" => wish.steps = number()?,
            "--count" => wish.count = number()?,
            "--endless" => wish.count = u64::MAX,
            "--trace" => wish.is_loud = true,
            _ => return None,
        }
    }
    Some(wish)
}

fn main() -> ExitCode {
    let Some(wish) = read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let (mut total, first) = (0, wish.seed);
    for seed in first..first.saturating_add(wish.count) {
        match run(seed, wish.steps, wish.is_loud) {
            Ok(report) => {
                total += report.steps;
                let counts: Vec<String> =
                    report.counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
                let seconds = report.virtual_ms / 1_000;
                println!("seed {seed}: {total} steps, {seconds} s; {}", counts.join(", "));
                println!("  trace {}", report.trace);
            }
            Err(failure) => {
                println!("{failure}");
                println!("again: cargo sim --seed {seed} --steps {}", wish.steps);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
