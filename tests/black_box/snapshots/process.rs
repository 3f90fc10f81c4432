//! A node that begins, run by hand.

use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::cli;

/// Runs the node of a folder with these peers, on ports that nobody knows.
pub fn run(home: &Path, ip: &str, peers: &[String]) -> Child {
    let mut command = cli::command(home);
    command.args(["node", "run", "--json", "--log", "info", "--listen", &format!("{ip}:0")]);
    command.env("DDT_NETWORK_LISTEN", format!("{ip}:0"));
    command.env("DDT_NETWORK_PEERS", peers.join(","));
    let log = std::fs::File::create(home.with_extension("sync.log")).unwrap();
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// How many pieces are in a folder.
pub fn pieces_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "piece")).count()
}

/// `kill -9`.
pub fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}
