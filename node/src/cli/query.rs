//! `ddt query`: asking.

use clap::Args;
use ddt_contracts::REGISTRY;
use serde_json::{Value as Json, json};

use super::Global;
use super::connection::{Connection, view_path};
use super::output::{Output, table};
use crate::failure::Failure;

/// Ask any view of the registry.
#[derive(Args)]
pub struct QueryArgs {
    /// The view, programme.view; without one, all are listed
    view: Option<String>,
    /// Its query, name=value
    fields: Vec<String>,
}

/// `ddt query`.
pub fn run(global: &Global, args: &QueryArgs, output: &Output) -> Result<(), Failure> {
    let Some(name) = &args.view else { return list(output) };
    let view = REGISTRY.view(name).ok_or_else(|| {
        Failure::usage(format!("there is no view {name}: ddt query lists all there are"))
    })?;
    let mut query = Vec::new();
    for argument in &args.fields {
        let Some((field, value)) = argument.split_once('=') else {
            return Err(Failure::usage(format!("{argument}: want name=value")));
        };
        query.push((field, value.to_string()));
    }
    let answer = Connection::open(global)?.get(&view_path(view.name, &query))?;
    let rows = answer.pointer("/rows").and_then(Json::as_array).cloned().unwrap_or_default();
    let words: Vec<String> = rows.iter().map(show).collect();
    output.result(answer, words.join("\n"));
    Ok(())
}

fn list(output: &Output) -> Result<(), Failure> {
    let rows: Vec<(String, String)> = REGISTRY
        .views()
        .map(|view| {
            let fields: Vec<&str> = view.query.iter().map(|field| field.name).collect();
            (format!("{} {}", view.name, fields.join(" ")), view.doc.to_string())
        })
        .collect();
    let names: Vec<&str> = REGISTRY.views().map(|view| view.name).collect();
    output.result(json!({ "views": names }), table(&rows));
    Ok(())
}

/// A JSON object as two columns.
pub fn show(row: &Json) -> String {
    if !row.is_object() {
        return row.to_string();
    }
    let mut rows = Vec::new();
    flatten("", row, &mut rows);
    table(&rows)
}

/// A line for each value, named by the way to it: `node.role`.
fn flatten(name: &str, value: &Json, rows: &mut Vec<(String, String)>) {
    let cell = match value {
        Json::Object(object) if !object.is_empty() => {
            for (part, value) in object {
                let is_inner = !name.is_empty();
                let name = if is_inner { format!("{name}.{part}") } else { part.clone() };
                flatten(&name, value, rows);
            }
            return;
        }
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    rows.push((name.to_string(), cell));
}
