//! The node's machines: pure, deterministic, driven by a shell.
//!
//! Each machine takes the time and an input and answers with effects, in the order in which
//! the shell must carry them out. Nothing here reads a clock, a file or a socket, so the same
//! inputs give the same effects on every machine, every time.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::float_arithmetic,
        clippy::todo,
        clippy::unimplemented
    )
)]

pub mod agents;
pub mod availability;
pub mod follower;
pub mod mempool;
pub mod pacer;
pub mod sequencer;
mod signers;
