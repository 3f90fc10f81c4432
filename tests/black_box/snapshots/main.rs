//! Nodes that begin with a snapshot instead of all history, and nodes that forget it.

mod holding;
mod joining;
mod process;
mod pruned;
mod resuming;
mod routers;
mod source;
#[path = "../support/mod.rs"]
mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use support::cluster::Cluster;
use support::eventually;

/// A network of one router with short epochs and small pieces.
fn network() -> Cluster {
    let quick = ["epoch_ms=6000", "clock_step_ms_max=6000", "anchor_idle_ms=6000"];
    let mut cluster = Cluster::of(1, &quick);
    set(&cluster.nodes[0].home, "[snapshots]\npiece_bytes = 200\n");
    cluster.start_all();
    cluster
}

/// Adds settings to a node's file.
fn set(home: &Path, settings: &str) {
    let file = home.join("config.toml");
    let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
    write!(file, "\n{settings}").unwrap();
}

/// The newest snapshot of a node that is whole and not older than this height, and its height.
fn newest(home: &Path, height: u64) -> (u64, PathBuf) {
    eventually("a snapshot", || {
        let entries = std::fs::read_dir(home.join("snapshots")).ok()?.flatten();
        let heights = entries.filter_map(|e| e.file_name().to_str()?.parse::<u64>().ok());
        let newest = heights.max().filter(|newest| *newest >= height)?;
        Some((newest, home.join("snapshots").join(newest.to_string())))
    })
}
