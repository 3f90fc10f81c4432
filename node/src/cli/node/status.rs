//! `ddt node status`.

use serde_json::json;

use crate::cli::connection::Connection;
use crate::cli::query::show;
use crate::cli::{Global, Output, home, text};
use crate::failure::Failure;
use crate::syncing::told;

/// How the node is.
///
/// # Errors
/// No node answers.
pub fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    let note = if global.api.is_none() { told(&home(global)) } else { None };
    if let Some(note) = note {
        let count = |name: &str| note[name].as_u64().unwrap_or_default();
        let words = format!(
            "The node syncs from the snapshot of anchor {}: {} of {} pieces are here.",
            count("anchor"),
            count("here"),
            count("pieces")
        );
        output.result(json!({ "syncing": note }), words);
        return Ok(());
    }
    let status = Connection::open(global)?.get("/v1/status")?;
    let height = text(&status, "/anchor").unwrap_or_default();
    output.result(status.clone(), format!("The node is at anchor {height}.\n{}", show(&status)));
    Ok(())
}
