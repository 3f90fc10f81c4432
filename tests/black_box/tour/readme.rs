//! The README's commands, run as they stand there.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::cli;
use crate::support::network::{Network, folder};

const MARKER: &str = "<!-- ci: tour -->";

/// The lines of the fenced block right after the marker.
fn block(page: &str) -> Result<String, String> {
    let mut lines = page.lines().skip_while(|line| line.trim() != MARKER).skip(1);
    let opened = lines.find(|line| !line.trim().is_empty());
    if !opened.is_some_and(|line| line.starts_with("```")) {
        return Err(format!("README.md has no fenced block right after {MARKER}"));
    }
    let block: Vec<&str> = lines.take_while(|line| !line.starts_with("```")).collect();
    let is_command = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with('#');
    match block.iter().any(is_command) {
        true => Ok(block.join("\n")),
        false => Err(format!("README.md has no command after {MARKER}")),
    }
}

// Broken by: a README whose commands do not work any more, or that shows none.
#[test]
fn the_readme_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let script = block(&page).unwrap();
    let (network, desk) = (Network::new(), folder());
    let programs = Path::new(cli::DDT).parent().unwrap().to_str().unwrap();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euxo", "pipefail", "-c", &script]).current_dir(desk.path());
    bash.env("PATH", path).env("DDT_HOME", &network.home).stdin(Stdio::null());
    bash.env_remove("DDT_API").env_remove("DDT_PASSWORD_FILE");
    let ending = cli::finish(&mut bash);
    assert_eq!(ending.code, Some(0), "{}\n{}", ending.stdout, ending.stderr);
}

// Broken by: taking a page without the marker, or an empty block, for a success.
#[test]
fn a_readme_without_the_block_fails() {
    for page in [
        "",
        "```sh\nddt\n```",
        "<!-- ci: tour -->",
        "<!-- ci: tour -->\nwords\n```sh\nddt\n```",
        "<!-- ci: tour -->\n```sh\n# nothing\n```\n",
    ] {
        assert!(block(page).is_err(), "{page}");
    }
    let good = "words\n<!-- ci: tour -->\n\n```sh\nddt one\nddt two\n```\n```\nddt three\n```";
    assert_eq!(block(good).unwrap(), "ddt one\nddt two");
}
