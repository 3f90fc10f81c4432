//! Rules on the lines of a file.
//!
//! What is searched for is put together from pieces, so that this file does not hold it.

use crate::tree::{Finding, Source};

/// Longest line of Rust, in characters.
const LINE_CHARACTERS_MAX: usize = 100;

/// Rust lines fit on a screen.
pub fn long_lines(source: &Source) -> Vec<Finding> {
    lines(source, |line| {
        let length = line.chars().count();
        (length > LINE_CHARACTERS_MAX)
            .then(|| format!("{length} characters; break it at {LINE_CHARACTERS_MAX}"))
    })
}

/// A Rust file opens with what it is.
pub fn no_file_doc(source: &Source) -> Vec<Finding> {
    if source.text.starts_with("//!") {
        return Vec::new();
    }
    vec![source.finding(1, "open the file with a //! sentence saying what it is")]
}

/// Code says what it does, not what it will do some day.
pub fn open_markers(source: &Source) -> Vec<Finding> {
    let is_code = [".rs", ".toml", ".py", ".sh"].iter().any(|end| source.path.ends_with(end));
    if !is_code && !source.path.starts_with(".ci/") {
        return Vec::new();
    }
    let markers = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    lines(source, |line| {
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let marker = words.find(|word| markers.contains(word))?;
        Some(format!("{marker}: do it now, or describe what holds today"))
    })
}

/// The project stands alone: nothing points at somebody's machine.
pub fn foreign_paths(source: &Source) -> Vec<Finding> {
    let foreign = [
        concat!("../", "shared"),
        concat!("/t", "mp/"),
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
    ];
    lines(source, |line| {
        let path = foreign.iter().find(|path| line.contains(**path))?;
        Some(format!("{path}: use a path inside the project, or a temporary folder by API"))
    })
}

/// Packages come by each package manager's own default, which an operator may have replaced.
pub fn registry_hosts(source: &Source) -> Vec<Finding> {
    // Cargo writes its default registry's name into the lock file by itself.
    if source.path == "Cargo.lock" {
        return Vec::new();
    }
    let hosts = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("npm", "js.org"),
        concat!("npm", "js.com"),
        concat!("yarn", "pkg.com"),
        concat!("proxy.", "golang.org"),
        concat!("ruby", "gems.org"),
        concat!("deb.", "debian.org"),
    ];
    lines(source, |line| {
        let host = hosts.iter().find(|host| line.contains(**host))?;
        Some(format!("{host}: leave the registry to the package manager's default"))
    })
}

fn lines(source: &Source, rule: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let numbered = source.text.lines().zip(1..);
    numbered.filter_map(|(line, number)| Some(source.finding(number, rule(line)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of `text` at which `rule` finds something.
    fn found(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::sample(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_line_of_101_is_long() {
        let text = format!("//!\n{}\n{}\n", "x".repeat(100), "é".repeat(101));
        assert_eq!(found(long_lines, "a.rs", &text), [3]);
    }

    #[test]
    fn a_file_without_doc_is_found() {
        assert_eq!(found(no_file_doc, "a.rs", "fn a() {}\n"), [1]);
        assert_eq!(found(no_file_doc, "a.rs", "//! A.\n"), []);
    }

    #[test]
    fn markers_are_found_as_words() {
        let text = concat!("// TO", "DO: x\nlet a_TO", "DO_b = 1;\n# FIX", "ME\n");
        assert_eq!(found(open_markers, "a.rs", text), [1, 3]);
        assert_eq!(found(open_markers, ".ci/run", text), [1, 3]);
        assert_eq!(found(open_markers, "docs/a.md", text), []);
    }

    #[test]
    fn foreign_paths_are_found() {
        let text = concat!("a\nx /t", "mp/y\nsee ../", "shared\n/wo", "rk/\n");
        assert_eq!(found(foreign_paths, "docs/a.md", text), [2, 3, 4]);
    }

    #[test]
    fn registries_are_found_outside_the_lock_file() {
        let text = concat!("x\nhttps://crates", ".io/crates/x\nhttps://py", "pi.org/simple\n");
        assert_eq!(found(registry_hosts, "docs/a.md", text), [2, 3]);
        assert_eq!(found(registry_hosts, "Cargo.lock", text), []);
    }
}
