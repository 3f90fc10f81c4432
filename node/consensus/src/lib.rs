//! Consensus among routers: which anchor comes next (spec CON).
//!
//! The only crate that knows the engine, Malachite (a Tendermint). The node implements
//! [`Application`], which builds, judges, keeps and commits anchor bodies, and calls
//! [`start`]. What comes back in [`Application::decided`] is a
//! [`Certificate`](ddt_ledger::certificate::Certificate) that anybody can verify with the
//! ledger alone.
//!
//! The routers' mesh of this crate is for routers only. Everybody else follows by
//! certificates, on the node's own network.
//!
//! What must hold for a router to be safe: its WAL is never deleted, its key never runs
//! twice, and when [`Running::failed`] resolves the process exits.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented
    )
)]

mod application;
mod callers;
mod codec;
mod config;
mod context;
mod deciding;
mod engine_loop;
mod error;
mod evidence;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
#[cfg(debug_assertions)]
mod lying;
mod members;
mod proposals;
mod proposing;
mod signing;
mod start;
mod talk;
mod wal;
mod watchdog;
mod wire;

pub use application::{
    Application, BODY_BYTES_MAX, BoxFuture, PROPOSALS_MAX, StoredProposal, Verdict,
};
pub use config::{ConsensusConfig, Timeouts};
pub use error::{ConsensusError, Fault};
pub use evidence::DoubleVote;
pub use signing::ConsensusKeys;
pub use start::{Introducer, Running, UnderWay, start};
pub use talk::is_mere_talk;
pub use wal::{begin_log, logged_height};
