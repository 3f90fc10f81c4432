//! The wallet's pages: who may come in, what is signed and how often, when they lock, and that
//! they end with whoever started them.

mod browser;
mod doors;
mod events;
mod lives;
mod locking;
mod paying;
#[path = "../support/mod.rs"]
mod support;
