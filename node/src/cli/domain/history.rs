//! What happened to a name: who did what, when, in which anchor, and how it ended.

use serde_json::{Value as Json, json};

use super::super::Global;
use super::super::connection::text;
use super::super::output::Output;
use super::Desk;
use crate::cli::moment;
use crate::cli::plain::plain;
use crate::failure::Failure;

/// Most rows of one page of the API.
const PAGE: u32 = 100;

/// `ddt domain history`.
pub fn run(global: &Global, name: &str, limit: u32, output: &Output) -> Result<(), Failure> {
    let desk = Desk::open(global, name, output)?;
    let name = &desk.name;
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    let has_more = loop {
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX)).min(PAGE);
        let path = format!("/v1/domains/{name}/events?limit={left}{cursor}");
        let answer = desk.connection.get(&path)?;
        rows.extend(answer.pointer("/rows").and_then(Json::as_array).cloned().unwrap_or_default());
        match text(&answer, "/next") {
            Some(next) if u32::try_from(rows.len()).is_ok_and(|count| count < limit) => {
                cursor = format!("&cursor={next}");
            }
            next => break next.is_some(),
        }
    };
    let mut words: Vec<String> = rows.iter().map(line).collect();
    if rows.is_empty() {
        words.push(format!("Nothing has happened to {name}.ddt yet."));
    }
    if has_more {
        words.push("There is more; --limit shows it.".to_string());
    }
    let data = json!({ "name": name.to_string(), "events": rows, "has_more": has_more });
    output.result(data, words.join("\n"));
    Ok(())
}

fn line(row: &Json) -> String {
    let get = |pointer: &str| text(row, pointer).unwrap_or_default();
    let outcome = match text(row, "/refusal/code") {
        Some(code) => format!("{} {code}", get("/outcome")),
        None => get("/outcome"),
    };
    let who = text(row, "/author").unwrap_or_else(|| "the ledger itself".to_string());
    let what = match text(row, "/words") {
        Some(words) => words,
        None => get("/name"),
    };
    let what = plain(&what);
    let (date, anchor) = (moment::show_at(row, "/time"), get("/height"));
    format!("{date}  anchor {anchor}  {outcome}\n    {what}\n    by {who}")
}
