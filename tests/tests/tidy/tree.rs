//! The repository's files, as git sees them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
pub struct Source {
    /// From the root, with forward slashes.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// A finding in this file, at a line counted from 1.
    pub fn finding(&self, line: usize, advice: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, advice: advice.into() }
    }

    /// A sample for a rule's own test.
    #[cfg(test)]
    pub fn sample(path: &str, text: &str) -> Source {
        Source { path: path.to_string(), text: text.to_string() }
    }
}

/// Something against the rules.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: the file from the root.
    pub path: String,
    /// Where: the line from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// The repository.
pub struct Tree {
    root: PathBuf,
    paths: Vec<String>,
    /// Every file that is text.
    pub sources: Vec<Source>,
}

impl Tree {
    /// Reads what git tracks or would add; without git, everything but build output.
    pub fn read() -> Tree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the root");
        let mut paths = listed_by_git(root).unwrap_or_else(|| walked(root));
        paths.retain(|path| root.join(path).is_file());
        paths.sort();
        let sources = paths
            .iter()
            .filter_map(|path| {
                let text = std::fs::read_to_string(root.join(path)).ok()?;
                Some(Source { path: path.clone(), text })
            })
            .collect();
        Tree { root: root.to_path_buf(), paths, sources }
    }

    /// The text files with this extension.
    pub fn with_extension(&self, extension: &str) -> impl Iterator<Item = &Source> {
        let ending = format!(".{extension}");
        self.sources.iter().filter(move |source| source.path.ends_with(&ending))
    }

    /// The names in the root folder.
    pub fn top_level(&self) -> BTreeSet<String> {
        let first = |path: &String| path.split('/').next().unwrap_or_default().to_string();
        self.paths.iter().map(first).collect()
    }

    /// Whether a file or folder is there.
    pub fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = text.split_terminator('\0').map(str::to_string).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walked(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if !["target", ".git", "node_modules"].iter().any(|skipped| name == *skipped) {
                    folders.push(path);
                }
            } else if let Ok(inside) = path.strip_prefix(root) {
                files.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files
}

#[test]
fn git_and_walk_see_this_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the root");
    let this = "tests/tests/tidy/tree.rs".to_string();
    assert!(walked(root).contains(&this));
    assert!(listed_by_git(root).is_none_or(|paths| paths.contains(&this)));
    // Mutation: walking into target/ would lint generated code.
    assert!(!walked(root).iter().any(|path| path.starts_with("target/")));
}
