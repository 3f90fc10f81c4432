//! Completions and manual pages.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::cli;
use crate::support::network::folder;

fn completions(shell: &str) -> String {
    let folder = folder();
    let ending = cli::finish(cli::command(folder.path()).args(["completions", shell]));
    assert_eq!(ending.code, Some(0), "{ending:#?}");
    ending.stdout
}

// Broken by: completions of another program, or a script that its shell cannot read.
#[test]
fn completions_are_made() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = completions(shell);
        for word in ["ddt", "wallet", "backup", "doctor"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(completions("bash").as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success(), "bash reads it");
    let folder = folder();
    assert_eq!(cli::finish(cli::command(folder.path()).args(["completions", "sh"])).code, Some(2));
}

// Broken by: a command without its page.
#[test]
fn every_command_has_its_page() {
    let folder = folder();
    let pages = folder.path().join("man");
    let ending = cli::ddt(folder.path(), &["man", "--out", pages.to_str().unwrap()]);
    let named = ending.data()["pages"].as_array().unwrap().len();
    let found = fs::read_dir(&pages).unwrap().count();
    assert_eq!(named, found);
    for name in ["ddt", "ddt-dev", "ddt-wallet", "ddt-wallet-send", "ddt-config-show", "ddt-man"] {
        let page = fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}:\n{page}");
    }
    let page = cli::finish(cli::command(folder.path()).arg("man")).stdout;
    assert!(page.contains(".SH NAME"), "{page}");
}
