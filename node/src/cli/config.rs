//! `ddt config`: which settings are in force, and where each comes from.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::output::{Output, table};
use crate::config::{Origin, SETTINGS, Setting, Settings, unknown_variables};
use crate::failure::Failure;

/// See settings.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print every setting
    Show {
        /// And where each comes from: default, file, environment variable or flag
        #[arg(long)]
        origin: bool,
    },
    /// Say whether the settings are right
    Check,
}

/// `ddt config …`.
pub fn run(settings: &Settings, command: &ConfigCommand, output: &Output) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show { origin } => show(settings, *origin, output),
        ConfigCommand::Check => check(settings, output),
    }
    Ok(())
}

fn origin_words(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_string(),
        Origin::File(path) => path.display().to_string(),
        Origin::Environment(name) => format!("environment: {name}"),
        Origin::Flag(name) => format!("flag: {name}"),
    }
}

fn origin_json(origin: &Origin) -> Json {
    match origin {
        Origin::Default => json!({ "kind": "default" }),
        Origin::File(path) => json!({ "kind": "file", "name": path.display().to_string() }),
        Origin::Environment(name) => json!({ "kind": "environment", "name": name }),
        Origin::Flag(name) => json!({ "kind": "flag", "name": name }),
    }
}

fn show(settings: &Settings, with_origin: bool, output: &Output) {
    let value = |setting: &Setting| settings.shown(setting);
    let width = SETTINGS.iter().filter_map(|s| Some(value(s)?.chars().count())).max();
    let width = width.unwrap_or_default().min(40);
    let row = |setting: &Setting| {
        let shown = value(setting).unwrap_or_else(|| "-".to_string());
        let words = match with_origin {
            true => format!("{shown:width$}  {}", origin_words(&settings.origin(setting))),
            false => format!("{shown:width$}  # {}", setting.doc),
        };
        (setting.key.to_string(), words)
    };
    let rows: Vec<(String, String)> = SETTINGS.iter().map(row).collect();
    let entry = |setting: &Setting| {
        json!({
            "key": setting.key,
            "value": value(setting),
            "origin": origin_json(&settings.origin(setting)),
            "variable": setting.variable,
            "doc": setting.doc,
        })
    };
    let entries: Vec<Json> = SETTINGS.iter().map(entry).collect();
    let file = settings.file.as_ref().map(|path| path.display().to_string());
    output.result(json!({ "file": file, "settings": entries }), table(&rows));
}

fn check(settings: &Settings, output: &Output) {
    let file = settings.file.as_ref().map(|path| path.display().to_string());
    let warnings: Vec<String> = unknown_variables()
        .into_iter()
        .map(|name| format!("{name} is set, but there is no such setting"))
        .collect();
    let read = match &file {
        Some(file) => format!("The settings are right; read from {file}."),
        None => "The settings are right; there is no file.".to_string(),
    };
    let mut words = vec![read];
    words.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    output.result(json!({ "file": file, "warnings": warnings }), words.join("\n"));
}
