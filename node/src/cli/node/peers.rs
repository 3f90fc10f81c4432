//! `ddt node peers`.

use serde_json::Value as Json;

use crate::cli::connection::Connection;
use crate::cli::output::table;
use crate::cli::{Global, Output, text};
use crate::failure::Failure;

/// Who is connected to the node that runs on the data folder.
///
/// # Errors
/// No node runs there.
pub fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    let node = Connection::open(global)?.get_private("/v1/node")?;
    let peers = node.pointer("/peers").and_then(Json::as_array).cloned().unwrap_or_default();
    let rows: Vec<(String, String)> = peers
        .iter()
        .map(|peer| {
            let of = |path: &str| text(peer, path).unwrap_or_default();
            let about = ["/role", "/address", "/agent", "/height", "/rtt_ms"].map(of);
            (of("/key"), about.join("  "))
        })
        .collect();
    let words = match rows.is_empty() {
        true => "Nobody is connected: check network.peers in config.toml".to_string(),
        false => table(&rows),
    };
    output.result(Json::Array(peers), words);
    Ok(())
}
