//! Coins between networks, requests and batches, with the real `ddt`.

mod page;
mod refunds;
mod requests;
#[path = "../support/mod.rs"]
mod support;
