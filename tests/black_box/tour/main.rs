//! A newcomer's way through a network of their own: what the first hour must deliver.

mod lives;
mod names;
mod proofs;
mod readme;
#[path = "../support/mod.rs"]
mod support;
mod terminals;
mod usernames;
mod wallets;
