//! `cargo cluster --seed N --minutes M`: real networks under load to which anything happens, in
//! an order that the seed decides. Without arguments it does nothing: `cargo test` runs it so.

#[path = "../cluster/load.rs"]
mod load;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod troubles;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use steps::History;

const USAGE: &str = "cargo cluster --seed N [--minutes M | --endless] [--steps S]";

struct Wish {
    seed: u64,
    minutes: Option<u64>,
    steps: usize,
}

fn read(mut words: impl Iterator<Item = String>) -> Option<Wish> {
    let mut wish = Wish { seed: 1, minutes: Some(2), steps: 20 };
    while let Some(word) = words.next() {
        let mut number = || words.next()?.replace('_', "").parse().ok();
        match word.as_str() {
            "--seed" => wish.seed = number()?,
            "--minutes" => wish.minutes = Some(number()?),
            "--steps" => wish.steps = number()? as usize,
            "--endless" => wish.minutes = None,
            _ => return None,
        }
    }
    Some(wish)
}

fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let words = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    words.unwrap_or_else(|_| "unknown".to_string())
}

/// Lives one network; whether everything held.
fn live(seed: u64, steps: usize, until: Option<Instant>) -> bool {
    let Ok(mut history) = catch_unwind(|| History::new(seed)) else {
        println!("seed {seed} failed at its start, commit {}", commit());
        println!("again: cargo cluster --seed {seed} --steps {steps}");
        return false;
    };
    let lived = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..steps {
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            history.step();
        }
        history.end();
    }));
    let (step, finals) = (history.steps, history.finals.len());
    match lived {
        Ok(()) => println!("seed {seed}: {step} steps, {finals} payments final, all is well"),
        Err(_) => {
            println!("seed {seed} failed at step {step}, commit {}", commit());
            println!("  the folders: {}", history.cluster.keep().display());
            println!("again: cargo cluster --seed {seed} --steps {steps}");
            return false;
        }
    }
    true
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--seed") {
        println!("nothing to do: {USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(wish) = read(words.into_iter()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let until = wish.minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    for seed in wish.seed.. {
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        if !live(seed, wish.steps, until) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
