//! Every verb of the wallet: what it does, what it refuses, and what it says when the world
//! around it is broken.

mod accounts;
mod backup;
mod book;
mod desk;
mod history;
mod messages;
mod offline;
mod removal;
mod rotation;
#[path = "../support/mod.rs"]
mod support;
mod watched;
