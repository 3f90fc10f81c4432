//! No decoder is forgotten: whatever in the crates' code looks like one stands in
//! `tests/fuzz/decoders.txt`, with the target that feeds it or the reason why none does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ddt_fuzz::targets::ALL;

const CRATES: [&str; 8] =
    ["ledger", "contracts", "wallet", "api", "node", "node/core", "node/consensus", "node/net"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All files of Rust below a folder; tests and the door for fuzzing aside.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            files(&path, found);
        } else if name.to_string_lossy().ends_with(".rs") && name != "tests.rs" && name != "fuzz.rs"
        {
            found.push(path);
        }
    }
}

/// The word at the start of a text.
fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && !"_$".contains(letter));
    &text[..end.unwrap_or(text.len())]
}

/// Names of what decodes in a file: types that derive or implement it, and functions that are
/// called so.
fn decoders(code: &str) -> BTreeSet<String> {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    for derived in code.split("#[derive(").skip(1) {
        let Some((list, rest)) = derived.split_once(")]") else { continue };
        let mut traits = list.split(',').map(str::trim);
        if traits.any(|name| name.ends_with("Deserialize")) {
            let mut words = rest.split_inclusive([' ', '\n']).map(str::trim);
            let named = words.find(|word| ["struct", "enum"].contains(word));
            found.extend(named.and_then(|_| words.next()).map(|name| word(name).to_string()));
        }
    }
    for mark in ["BorshDeserialize for ", "Deserialize<'de> for ", "FromStr for "] {
        found.extend(code.split(mark).skip(1).map(|rest| word(rest).to_string()));
    }
    for rest in code.split("fn ").skip(1) {
        let name = word(rest);
        let is_one = name == "decode" || name.starts_with("parse") || name.starts_with("from_");
        // What is made from other values is no decoder.
        let takes = rest.split(['{', ';']).next().unwrap_or_default();
        let takes = takes.split(')').next().unwrap_or_default();
        if is_one && ["&str", "&[u8", "Json", "Bytes"].iter().any(|kind| takes.contains(kind)) {
            found.insert(name.to_string());
        }
    }
    found.remove("");
    found
}

/// Lines `path: names -> target target`, or `path: names, because REASON`.
fn listed() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("tests/fuzz/decoders.txt")).expect("a list");
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_line = |line: &&str| !line.is_empty() && !line.starts_with('#');
    for line in text.lines().filter(is_line) {
        let (path, rest) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
        let names = match (rest.split_once(" -> "), rest.split_once(", because ")) {
            (Some((names, targets)), _) => {
                for target in targets.split(' ') {
                    assert!(ALL.iter().any(|known| known.name == target), "{line}: {target}?");
                }
                names
            }
            (None, Some((names, reason))) if !reason.is_empty() => names,
            _ => panic!("{line}: neither -> a target nor , because a reason"),
        };
        let entry = listed.entry(path.to_string()).or_default();
        entry.extend(names.split(' ').map(str::to_string));
    }
    listed
}

/// Broken by: a new type that is decoded, or a new function that parses, which nobody thought
/// of feeding with nonsense.
#[test]
fn every_decoder_has_a_target_or_a_reason() {
    let mut found = BTreeMap::new();
    for name in CRATES {
        let mut paths = Vec::new();
        files(&root().join(name).join("src"), &mut paths);
        for path in paths {
            let names = decoders(&std::fs::read_to_string(&path).expect("a file"));
            let path = path.strip_prefix(root()).expect("below the root").to_owned();
            if !names.is_empty() {
                found.insert(path.to_string_lossy().replace('\\', "/"), names);
            }
        }
    }
    let listed = listed();
    let mut wrong = Vec::new();
    for (path, names) in &found {
        let known = listed.get(path).cloned().unwrap_or_default();
        wrong.extend(names.difference(&known).map(|name| format!("{path}: {name} is not listed")));
    }
    for (path, names) in &listed {
        let there = found.get(path).cloned().unwrap_or_default();
        wrong.extend(names.difference(&there).map(|name| format!("{path}: {name} is not there")));
    }
    assert!(wrong.is_empty(), "tests/fuzz/decoders.txt:\n{}\n", wrong.join("\n"));
}

#[test]
fn decoders_are_found() {
    let code = "#[derive(Debug, BorshDeserialize)]\npub struct One;\nimpl FromStr for Two {\n\
        fn from_str(text: &str) {}\nfn parse_all(words: &[u8]) {}\nfn from_seed(seed: u64) {}\n\
        #[derive(Clone)]\nstruct Three;\nimpl BorshDeserialize for $four {}\nfn decoded() {}\n";
    let found: Vec<String> = decoders(code).into_iter().collect();
    assert_eq!(found, ["$four", "One", "Two", "from_str", "parse_all"]);
}
