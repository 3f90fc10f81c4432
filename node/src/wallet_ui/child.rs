//! The wallet's pages beside `ddt dev`: a process of their own, which ends with its parent.

use std::convert::Infallible;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::cli::connection::text;
use crate::failure::Failure;

/// The pages must be there after this.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// They must have ended after this.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest first line, in bytes.
const LINE_BYTES_MAX: u64 = 4_096;

/// The running process.
pub struct WalletUi {
    child: Child,
    /// Held, not used: its end tells the process that this one is gone. Waiting for a child
    /// would close its own.
    pipe: Option<ChildStdin>,
    /// The address to open; it holds the token.
    pub url: String,
}

impl WalletUi {
    /// Starts it on a data folder, with the node at `api`. It holds the reading side of a
    /// pipe, and ends when this process does, by whatever signal.
    pub async fn start(home: &Path, api: &str) -> Result<WalletUi, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::fault(format!("this program has no path: {error}")))?;
        let mut command = Command::new(program);
        command.args(["wallet", "ui", "--json", "--until-stdin-ends", "--api", api, "--home"]);
        command.arg(home).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| Failure::fault(format!("it cannot be started: {error}")))?;
        let line = child.stdout.take().map(first_line);
        let line = match line {
            Some(line) => tokio::time::timeout(START_TIMEOUT, line).await.unwrap_or_default(),
            None => String::new(),
        };
        let envelope: Json = serde_json::from_str(&line).unwrap_or_default();
        match text(&envelope, "/data/url") {
            Some(url) => Ok(WalletUi { pipe: child.stdin.take(), child, url }),
            None => {
                let why = text(&envelope, "/error/detail");
                Err(Failure::fault(why.unwrap_or_else(|| "it said nothing".to_string())))
            }
        }
    }

    /// Waits until it ends by itself, and says so; the network goes on without it.
    pub async fn watch(wallet_ui: Option<&mut WalletUi>) -> Infallible {
        if let Some(wallet_ui) = wallet_ui {
            let ended = wallet_ui.child.wait().await;
            tracing::warn!(?ended, "the wallet's pages ended; ddt wallet ui starts others");
        }
        std::future::pending().await
    }

    /// Ends it.
    pub async fn stop(mut self) {
        drop(self.pipe.take());
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

async fn first_line(stdout: ChildStdout) -> String {
    let mut line = String::new();
    // What is no line of text is no line.
    let _ = BufReader::new(stdout.take(LINE_BYTES_MAX)).read_line(&mut line).await;
    line
}
