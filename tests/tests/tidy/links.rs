//! Rules on Markdown pages.

use crate::tree::{Finding, Source};

/// Whether a page's links are checked.
pub fn is_ours(path: &str) -> bool {
    path == "README.md" || path.starts_with("docs/")
}

/// Links inside the project lead to something that is there.
pub fn broken(page: &Source, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_fence = false;
    for (line, number) in page.text.lines().zip(1..) {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
            continue;
        }
        if in_fence {
            continue;
        }
        for target in targets(&without_code(line)) {
            let found = resolve(&page.path, &target).is_none_or(|path| exists(&path));
            if !found {
                findings.push(page.finding(number, format!("{target}: nothing is there")));
            }
        }
    }
    findings
}

/// The line without its `code`.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Targets of `[text](target)` and `[label]: target`.
fn targets(line: &str) -> Vec<String> {
    let mut inline: Vec<String> = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(str::to_string)
        .collect();
    if let Some((label, target)) = line.split_once("]: ")
        && label.starts_with('[')
    {
        inline.extend(target.split_whitespace().next().map(str::to_string));
    }
    inline
}

/// The path a link names from the root; none if it leaves the project or stays in the page.
fn resolve(page: &str, target: &str) -> Option<String> {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            // Above the root nothing is ours: the empty name fails the look-up.
            ".." if parts.is_empty() => parts.push("\u{0}"),
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_links_are_found() {
        let text = "[a](adr/1.md#x) [b](https://x.org/y) [c](#here)\n\
                    [d](gone.md) and [e](../README.md) and [f](../../out.md)\n\
                    ```\n[g](gone.md)\n```\n`[h](gone.md)`\n\
                    [i]: gone.md\n[j](/README.md)\n";
        let exists = |path: &str| ["docs/adr/1.md", "README.md"].contains(&path);
        let found = broken(&Source::sample("docs/a.md", text), exists);
        let places: Vec<(usize, &str)> = found
            .iter()
            .map(|finding| (finding.line, finding.advice.split(':').next().unwrap_or("")))
            .collect();
        assert_eq!(
            places,
            [(2, "gone.md"), (2, "../../out.md"), (7, "gone.md"), (8, "/README.md")]
        );
    }
}
