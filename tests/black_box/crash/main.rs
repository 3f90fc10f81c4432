//! `kill -9`, again and again, under load: nothing promised is lost, nothing happens twice.
//!
//! A killed process leaves its written pages to the system, so this finds what was promised
//! before it was written, not what was written without a sync; that is for the store's own
//! tests on a faulty disk.

mod books;
mod load;
mod purchases;
mod rounds;
#[path = "../support/mod.rs"]
mod support;
