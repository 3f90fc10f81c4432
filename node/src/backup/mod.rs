//! Backups: one file with everything a data folder must not lose, taken while a node runs or
//! not, and folders made from them.
//!
//! The stores are read in an order that keeps the copy safe: first the book, then the lanes,
//! then the agents' tasks, then files. A block is in the lanes before an anchor covers it, so
//! lanes that are as old as the book or newer lack none of its blocks.

pub mod archive;
mod manifest;
pub mod restore;
pub mod restored;
pub mod take;
pub mod verify;

pub use manifest::Manifest;

/// The folder below a data folder in which stores are copied.
pub const UNDERWAY: &str = "backup-underway";
