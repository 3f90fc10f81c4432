//! The DDT ledger: nouns, book, executor and store.
//!
//! Pure and deterministic: no clock, no network, no randomness in anything the network
//! agrees on. Everything that changes the agreed history goes through this crate.

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

extern crate self as ddt_ledger;

pub mod accounts;
pub mod admit;
pub mod amount;
pub mod anchor;
pub mod arguments;
pub mod audit;
pub mod book;
pub mod certificate;
pub mod codec;
pub mod context;
pub mod describe;
pub mod event;
pub mod execute;
pub mod fault;
pub mod fees;
pub mod genesis;
mod guard;
pub mod hash;
pub mod ids;
pub mod key;
pub mod lane;
pub mod merkle;
pub mod mint;
pub mod names;
pub mod params;
pub mod proof;
pub mod receipt;
pub mod refusal;
pub mod registry;
pub mod routers;
pub mod schema;
pub mod stamp;
pub mod state;
pub mod store;
pub mod system;
pub mod table;
pub mod tickets;
pub mod trust;
pub mod view;
pub mod vrf;

pub use borsh;

pub use amount::Amount;
pub use hash::{Domain, Hash};
pub use ids::{AccountId, Address, ChainId, Millis, Zone};
pub use key::{PublicKey, Signature};
pub use refusal::Refusal;
