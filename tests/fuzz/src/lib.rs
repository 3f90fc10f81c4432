//! Fuzzing: whatever comes from outside is answered, never with a panic, and means one thing.
//!
//! A [`Target`] takes any bytes and holds one decoder, or a few that belong together, to its
//! laws: no panic, no end of memory or time, what is encoded again is what was decoded, what is
//! not refused is right. Two engines feed the targets: [`engine`] changes known inputs at random,
//! on stable Rust in `cargo test`, and keeps what ends in a way not seen before; the example
//! `guided` is libFuzzer, which sees every branch (`.ci/fuzz`). Both start from the same inputs:
//! what [`world`] holds, and the files in `corpus/`.
//!
//! The node is a binary, without a library to use: its parsers are compiled here once more, from
//! its own files, under the paths by which they know each other.

#[cfg(feature = "faces")]
#[allow(dead_code)]
mod backup;
#[cfg(feature = "faces")]
#[allow(dead_code, unused_imports)]
#[path = "../../../node/src/config/mod.rs"]
mod config;
pub mod cursor;
#[cfg(feature = "faces")]
mod data_folder;
pub mod engine;
#[cfg(feature = "faces")]
#[allow(dead_code)]
#[path = "../../../node/src/failure.rs"]
mod failure;
pub mod mutate;
#[cfg(feature = "faces")]
#[allow(dead_code)]
mod node;
#[cfg(feature = "faces")]
#[allow(dead_code)]
#[path = "../../../node/src/secret_file.rs"]
mod secret_file;
pub mod targets;
pub mod world;

use std::hash::{DefaultHasher, Hash, Hasher};

/// How an input ended: two inputs that end alike have the same number.
pub type End = u64;

/// One thing that is fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// One word; also the folder of its inputs.
    pub name: &'static str,
    /// What it does with the bytes, in one sentence.
    pub about: &'static str,
    /// Holds the bytes to the laws; panics where one is broken.
    pub run: fn(&[u8]) -> End,
    /// Inputs that lead deep.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longest input, in bytes.
    pub bytes_max: usize,
    /// Changed inputs that a test tries.
    pub tries: u32,
}

/// The number of an end.
pub fn end(how: impl Hash) -> End {
    let mut hasher = DefaultHasher::new();
    how.hash(&mut hasher);
    hasher.finish()
}

/// The number of an error: its words without the digits that depend on the input.
pub fn end_of(error: impl std::fmt::Display) -> End {
    let words = error.to_string();
    end(words.chars().filter(char::is_ascii_alphabetic).take(60).collect::<String>())
}
