//! The programmes of DDT: rules and events with one purpose each.
//!
//! A programme is a folder: its purpose and rows in `mod.rs`, its tables in `record.rs`, one
//! file for each event, its views, and its audit. It depends on the ledger, never on a
//! sibling, and moves money only through the book.

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

pub mod accounts;
pub mod bank;
pub mod domains;
pub mod usernames;
pub mod zones;

use ddt_ledger::registry::Registry;

/// Every programme of a DDT network.
pub const REGISTRY: Registry = Registry {
    programmes: &[
        &accounts::PROGRAMME,
        &bank::PROGRAMME,
        &domains::PROGRAMME,
        &zones::PROGRAMME,
        &usernames::PROGRAMME,
    ],
};
