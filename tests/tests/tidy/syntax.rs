//! Rules on the tokens of a Rust file: comments and strings do not count, macros do.

mod tokens;

use crate::purity::PURE_CRATES;
use crate::tree::{Finding, Source};
use tokens::{Level, code_lines, function_lines, levels};

/// Longest file without its trailing tests, in lines.
const FILE_LINES_MAX: usize = 500;
/// Longest function, in lines.
const FUNCTION_LINES_MAX: usize = 70;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["common", "helper", "helpers", "manager", "misc", "types", "util", "utils"];

/// The file is Rust.
pub fn unreadable(source: &Source) -> Vec<Finding> {
    match levels(&source.text) {
        Some(_) => Vec::new(),
        None => vec![source.finding(1, "brackets or literals do not close")],
    }
}

/// A file fits in a head.
pub fn long_files(source: &Source) -> Vec<Finding> {
    let lines = code_lines(&source.text);
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![source.finding(1, format!("{lines} lines; split it by purpose, {FILE_LINES_MAX} at most"))]
}

/// A function fits on a screen.
pub fn long_functions(source: &Source) -> Vec<Finding> {
    each(source, |level, place| {
        let lines = function_lines(level, place)?;
        (lines > FUNCTION_LINES_MAX).then(|| {
            format!("a function of {lines} lines; name its parts, {FUNCTION_LINES_MAX} at most")
        })
    })
}

/// A module's name says what is inside.
pub fn empty_names(source: &Source) -> Vec<Finding> {
    let is_empty = |name: &str| {
        EMPTY_NAMES.iter().any(|word| name == *word || name.ends_with(&format!("_{word}")))
    };
    let advice = |name: &str| format!("{name}: name the module after what it holds");
    let file = source.path.trim_end_matches(".rs").split('/').find(|name| is_empty(name));
    let mut findings: Vec<Finding> =
        file.map(|name| source.finding(1, advice(name))).into_iter().collect();
    findings.extend(each(source, |level, place| {
        let name = level.text(place.checked_add(1)?);
        (level.text(place) == "mod" && is_empty(name)).then(|| advice(name))
    }));
    findings
}

/// No unfinished, debugging or treacherous code.
pub fn banned_code(source: &Source) -> Vec<Finding> {
    each(source, |level, place| {
        let word = level.text(place);
        let replacement = match word {
            "todo" | "unimplemented" => "write it, or leave out what promises it",
            "dbg" => "use tracing, or an assertion",
            // It may accept what single verification refuses, so nodes could disagree.
            "verify_batch" => return Some("verify_batch: use ddt_ledger::key::all_verify".into()),
            _ => return None,
        };
        (level.text(place + 1) == "!").then(|| format!("{word}!: {replacement}"))
    })
}

/// A test that does not run says why, and how it is run.
pub fn silent_ignores(source: &Source) -> Vec<Finding> {
    each(source, |level, place| {
        let is_attribute = level.text(place) == "#" && level.group(place + 1) == "ignore";
        is_attribute.then(|| "give the reason: #[ignore = \"…; run with …\"]".to_string())
    })
}

/// What input can reach in the pure crates refuses, it does not panic.
pub fn panics_in_pure_crates(source: &Source) -> Vec<Finding> {
    let is_pure = PURE_CRATES.iter().any(|name| source.path.starts_with(&format!("{name}/src/")));
    let is_test = source.path.split('/').any(|name| name == "tests" || name == "tests.rs");
    if !is_pure || is_test {
        return Vec::new();
    }
    each(source, |level, place| {
        if level.is_test(place) {
            return None;
        }
        let word = level.text(place);
        let is_panic = match word {
            "unwrap" | "expect" | "unwrap_err" | "expect_err" => {
                place > 0 && [".", ":"].contains(&level.text(place - 1))
            }
            "panic" | "unreachable" => level.text(place + 1) == "!",
            _ => false,
        };
        is_panic.then(|| format!("{word}: return a refusal or a fault instead"))
    })
}

/// Applies a rule at each token; it sees the token's neighbours inside the same brackets.
fn each(source: &Source, rule: impl Fn(&Level, usize) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for level in levels(&source.text).unwrap_or_default() {
        for place in 0..level.len() {
            let advice = rule(&level, place);
            findings.extend(advice.map(|advice| source.finding(level.line(place), advice)));
        }
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of `text` at which `rule` finds something.
    fn found(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::sample(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn unclosed_brackets_are_found() {
        assert_eq!(found(unreadable, "a.rs", "fn a() {"), [1]);
    }

    #[test]
    fn a_file_of_501_is_long_but_trailing_tests_are_free() {
        let code = "const A: u8 = 0;\n".repeat(500);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        assert_eq!(found(long_files, "a.rs", &code), []);
        assert_eq!(found(long_files, "a.rs", &format!("{code}{tests}")), []);
        assert_eq!(found(long_files, "a.rs", &format!("{code}const B: u8 = 0;\n")), [1]);
        // Mutation: counting any test module, not only a trailing one, would free this file.
        assert_eq!(found(long_files, "a.rs", &format!("{tests}const B: u8 = 0;\n")), [1]);
    }

    #[test]
    fn a_function_of_71_is_long() {
        let body = "    a();\n".repeat(68);
        assert_eq!(found(long_functions, "a.rs", &format!("fn a() {{\n{body}}}\n")), []);
        let text = format!("impl A {{\nfn a() where A: B {{\n{body}a();\n}}\n}}\n");
        assert_eq!(found(long_functions, "a.rs", &text), [2]);
        let text = format!("macro_rules! m {{ () => {{\nfn $a() {{\n{body}a();\n}}\n}} }}\n");
        assert_eq!(found(long_functions, "a.rs", &text), [2]);
        assert_eq!(found(long_functions, "a.rs", "trait A {\nfn a(b: fn(u8));\n}\n"), []);
    }

    #[test]
    fn empty_names_are_found() {
        assert_eq!(found(empty_names, "api/src/utils/mod.rs", "//! x\n"), [1]);
        assert_eq!(found(empty_names, "a.rs", "mod peer_manager;\nmod typesetting;\n"), [1]);
    }

    #[test]
    fn banned_code_is_found() {
        let text = "fn a() { let todo = 1; }\nfn b() { todo!() }\nfn c() { vec![dbg!(1)]; }\n\
                    fn d() { \"todo!()\"; /* todo!() */ }\nfn e() { x::verify_batch(m); }\n";
        assert_eq!(found(banned_code, "a.rs", text), [2, 3, 5]);
    }

    #[test]
    fn silent_ignores_are_found() {
        let text = "#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn b() {}\n";
        assert_eq!(found(silent_ignores, "a.rs", text), [2]);
    }

    #[test]
    fn panics_are_found_in_pure_code_only() {
        let text = "fn a() { b.unwrap(); }\nfn c() { vec![d.expect(\"e\")]; }\n\
                    fn f() { g.map(Option::unwrap); }\n#[expect(dead_code)]\n\
                    fn h() { panic!() }\n#[cfg(test)]\nmod i {\nfn j() { k.unwrap() }\n}\n\
                    fn l() { m.unwrap_or(1); unreachable!() }\n#[test]\nfn n() { o.unwrap() }\n";
        assert_eq!(found(panics_in_pure_crates, "ledger/src/a.rs", text), [1, 2, 3, 5, 10]);
        assert_eq!(found(panics_in_pure_crates, "ledger/src/a/tests.rs", text), []);
        assert_eq!(found(panics_in_pure_crates, "node/src/a.rs", text), []);
        let text = "#![cfg(test)]\nfn a() { b.unwrap() }\n";
        assert_eq!(found(panics_in_pure_crates, "contracts/src/a.rs", text), []);
    }
}
