//! Every way to be refused, one per row: its stable code, and that nothing else changed.

mod domains;
mod events;
mod folders;
mod http;
mod keys;
mod scene;
#[path = "../support/mod.rs"]
mod support;
mod wallets;
