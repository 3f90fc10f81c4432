//! Rules on the settings that keep the pure crates pure.

use crate::tree::{Finding, Source};

/// Crates that compute the same on every machine, every time.
pub const PURE_CRATES: [&str; 3] = ["ledger", "contracts", "node/core"];

/// What their code, tests aside, must deny.
const DENIED: [&str; 8] = [
    "arithmetic_side_effects",
    "expect_used",
    "float_arithmetic",
    "indexing_slicing",
    "panic",
    "todo",
    "unimplemented",
    "unwrap_used",
];

/// Each pure crate denies the lints in its `lib.rs` and has the same `.clippy.toml`, which
/// repeats the limits of the root's: clippy reads only the nearest file.
pub fn loose_settings(sources: &[Source]) -> Vec<Finding> {
    let text = |path: &str| {
        let source = sources.iter().find(|source| source.path == path);
        source.map_or("", |source| source.text.as_str())
    };
    let limits: Vec<&str> =
        text(".clippy.toml").lines().filter(|line| line.contains("-threshold = ")).collect();
    let model_path = format!("{}/.clippy.toml", PURE_CRATES[0]);
    let model = text(&model_path);
    let mut findings = Vec::new();
    for name in PURE_CRATES {
        let mut find = |file: &str, advice: String| {
            findings.push(Finding { path: format!("{name}/{file}"), line: 1, advice });
        };
        let library = text(&format!("{name}/src/lib.rs"));
        for lint in DENIED.iter().filter(|lint| !denies(library, lint)) {
            find("src/lib.rs", format!("deny clippy::{lint} in #![cfg_attr(not(test), deny(…))]"));
        }
        let settings = text(&format!("{name}/.clippy.toml"));
        if settings.is_empty() || settings != model {
            find(".clippy.toml", format!("make it the same as {model_path}"));
        }
        for limit in limits.iter().filter(|limit| !settings.lines().any(|line| line == **limit)) {
            find(".clippy.toml", format!("repeat the root's {limit}"));
        }
    }
    findings
}

/// Whether the crate's `deny(…)` attribute names the lint.
fn denies(library: &str, lint: &str) -> bool {
    let attribute = library.split_once("deny(").and_then(|(_, rest)| rest.split_once(')'));
    let names = attribute.map_or("", |(names, _)| names);
    names.split(',').any(|name| name.trim() == format!("clippy::{lint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(lints: &[&str]) -> String {
        let names: Vec<String> = lints.iter().map(|lint| format!("clippy::{lint}")).collect();
        format!("//! x\n#![cfg_attr(not(test), deny({}))]\n", names.join(", "))
    }

    #[test]
    fn loose_settings_are_found() {
        let mut sources = vec![Source::sample(".clippy.toml", "a-threshold = 7\n")];
        for name in PURE_CRATES {
            let settings = "a-threshold = 7\nb = []\n";
            sources.push(Source::sample(&format!("{name}/.clippy.toml"), settings));
            sources.push(Source::sample(&format!("{name}/src/lib.rs"), &library(&DENIED)));
        }
        assert_eq!(loose_settings(&sources), []);
        for (path, text, findings) in [
            ("contracts/.clippy.toml", "a-threshold = 7\n".to_string(), 1),
            (".clippy.toml", "a-threshold = 8\n".to_string(), 3),
            ("node/core/src/lib.rs", library(&DENIED[1..]), 1),
            ("ledger/src/lib.rs", String::new(), DENIED.len()),
        ] {
            let mut worse: Vec<Source> =
                sources.iter().map(|good| Source::sample(&good.path, &good.text)).collect();
            worse.retain(|source| source.path != path);
            worse.push(Source::sample(path, &text));
            assert_eq!(loose_settings(&worse).len(), findings, "{path}");
        }
    }
}
