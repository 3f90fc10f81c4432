//! A node in a process of its own, which ends with this one.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::cli::text;
use crate::failure::Failure;

/// A node must answer after this.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// It must have ended after this; what was promised is on disk anyway.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest first line of a node, in bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// A node's process.
pub struct Process {
    /// The process.
    pub child: Child,
    /// Held, not used: its end tells the process that this one is gone.
    pipe: Option<ChildStdin>,
    /// What it said when it was ready.
    pub about: Json,
}

/// Starts a node on a data folder, its public API at this address, logging so much, with more
/// flags.
///
/// # Errors
/// What it says itself, or that it says nothing.
pub async fn start(
    home: &Path,
    listen: SocketAddr,
    level: &str,
    flags: &[&str],
) -> Result<Process, Failure> {
    let name = home.display();
    let program = std::env::current_exe()
        .map_err(|error| Failure::fault(format!("this program has no path: {error}")))?;
    let mut command = Command::new(program);
    command.args(["node", "run", "--json", "--until-stdin-ends", "--log", level]);
    command.arg("--listen").arg(listen.to_string()).arg("--home").arg(home).args(flags);
    // What is meant for this command is not meant for the nodes.
    for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("DDT_")) {
        command.env_remove(variable);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::fault(format!("{name}: it cannot be started: {error}")))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout.take(LINE_BYTES_MAX));
        let read = tokio::time::timeout(START_TIMEOUT, reader.read_line(&mut line)).await;
        // What is no line of text is no line.
        let _ = read;
    }
    let envelope: Json = serde_json::from_str(&line).unwrap_or_default();
    match envelope.pointer("/data") {
        Some(about) => {
            let about = about.clone();
            Ok(Process { pipe: child.stdin.take(), child, about })
        }
        None => {
            let why = text(&envelope, "/error/detail");
            let why = why.unwrap_or_else(|| "it said nothing".to_string());
            Err(Failure::fault(format!("{name}: {why}")))
        }
    }
}

impl Process {
    /// Ends it in order, or at once if it takes too long.
    pub async fn stop(mut self) {
        drop(self.pipe.take());
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}
