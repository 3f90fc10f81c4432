//! The node's backups: its own files, compiled here once more.

#[path = "../../../node/src/backup/archive.rs"]
pub mod archive;
#[path = "../../../node/src/backup/manifest.rs"]
pub mod manifest;

/// As in the node.
pub const UNDERWAY: &str = "backup-underway";
