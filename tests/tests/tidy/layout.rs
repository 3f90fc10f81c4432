//! Rules on the root folder.

use std::collections::BTreeSet;

use crate::tree::Finding;

/// The entries of the root folder; dotted tool files are free.
const TOP_LEVEL: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "api",
    "contracts",
    "docs",
    "ledger",
    "node",
    "tests",
    "wallet",
];

/// `ls` shows the designed entries, all of them and no other.
pub fn top_level(names: &BTreeSet<String>) -> Vec<Finding> {
    let finding = |name: &str, advice: &str| Finding {
        path: name.to_string(),
        line: 1,
        advice: advice.to_string(),
    };
    let allowed = |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name);
    let strangers = names.iter().filter(|name| !allowed(name)).map(|name| {
        finding(name, "not an entry of the root folder; move it into the room it belongs to")
    });
    let missing = TOP_LEVEL.iter().filter(|name| !names.contains(**name));
    strangers.chain(missing.map(|name| finding(name, "missing from the root folder"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_and_gaps_are_found() {
        let mut names: BTreeSet<String> = TOP_LEVEL.iter().map(ToString::to_string).collect();
        names.insert(".ci".to_string());
        assert_eq!(top_level(&names), []);
        names.insert("scripts".to_string());
        names.remove("docs");
        let found = top_level(&names);
        let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["scripts", "docs"]);
    }
}
