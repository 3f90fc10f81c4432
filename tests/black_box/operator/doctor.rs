//! `ddt doctor`: it finds what is wrong, says what to do, and changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value as Json;

use crate::files;
use crate::support::cli;
use crate::support::network::{Network, folder};

/// The exit code, and each check's findings.
fn examine(home: &Path, arguments: &[&str]) -> (i32, Json) {
    let ending = cli::ddt(home, &[&["doctor"], arguments].concat());
    let envelope = ending.envelope();
    assert_eq!(envelope["ok"], true, "{ending:#?}");
    (ending.code.unwrap(), envelope["data"].clone())
}

/// Whether a check found something of this level with these words.
fn found(data: &Json, check: &str, level: &str, words: &str) -> bool {
    let checks = data["checks"].as_array().unwrap();
    let is_it = |finding: &&Json| {
        finding["check"] == check
            && finding["level"] == level
            && finding["words"].as_str().unwrap().contains(words)
    };
    let found = checks.iter().find(is_it);
    // Whoever is told that something is wrong is told what to do.
    assert!(found.is_none_or(|finding| level == "ok" || finding["advice"].is_string()));
    found.is_some()
}

// Broken by: problems where there are none, or a check that is not made.
#[test]
fn a_healthy_node_is_well() {
    let network = Network::new();
    let (code, data) = examine(&network.home, &[]);
    assert_eq!((code, &data["problems"]), (0, &Json::from(0)), "{data:#}");
    for (check, words) in [
        ("settings", "right"),
        ("clock", "plausible"),
        ("folder", "is there"),
        ("lock", "holds the folder"),
        ("layout", "this release"),
        ("mode", "700"),
        ("secrets", "0600"),
        ("wallets", "4 can be read"),
        ("node", "ready"),
        ("chain", "this folder's network"),
        ("anchors", "s old"),
        ("peers", "alone"),
        ("stores", "conserved"),
    ] {
        assert!(found(&data, check, "ok", words), "{check} {words} in {data:#}");
    }
}

// Broken by: opening stores so that they are written, also after a crash; or passing over
// damage, open files, a missing store or a wrong node.
#[test]
fn what_is_wrong_is_found_and_left_alone() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    network.kill();
    let before = files(&home);
    let (code, data) = examine(&home, &["--deep"]);
    assert_eq!(code, 0, "{data:#}");
    assert!(found(&data, "node", "warning", "does not answer"), "{data:#}");
    assert!(found(&data, "lock", "ok", "no process"), "{data:#}");
    assert!(found(&data, "stores", "ok", "book.redb opens"), "{data:#}");
    assert!(found(&data, "audit", "ok", "1 of 1 validators signed"), "{data:#}");
    assert!(files(&home) == before, "nothing was changed");

    let spoil = |file: &str, bytes: &[u8], check: &str, words: &str| {
        let path = home.join(file);
        let kept = fs::read(&path).ok();
        fs::write(&path, bytes).unwrap();
        let (code, data) = examine(&home, &["--deep"]);
        assert_eq!(code, 1, "{file}: {data:#}");
        assert!(found(&data, check, "problem", words), "{file}: {data:#}");
        match kept {
            Some(kept) => fs::write(&path, kept).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    };
    spoil("book.redb", &[0x5a; 8192], "stores", "book.redb");
    spoil("VERSION", b"9\n", "layout", "newer release");
    spoil("genesis.toml", b"nothing", "stores", "genesis");
    spoil("config.toml", b"listen = 5\n", "settings", "listen");
    spoil("keystore/alice.json", b"{}", "wallets", "alice");
    fs::set_permissions(home.join("node.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, data) = examine(&home, &[]);
    assert!(code == 1 && found(&data, "secrets", "problem", "chmod 600"), "{data:#}");
    fs::set_permissions(home.join("node.key"), fs::Permissions::from_mode(0o600)).unwrap();

    let lanes = fs::read(home.join("lanes.redb")).unwrap();
    fs::remove_file(home.join("lanes.redb")).unwrap();
    let (code, data) = examine(&home, &[]);
    assert!(code == 1 && found(&data, "stores", "problem", "lanes.redb is missing"), "{data:#}");
    fs::write(home.join("lanes.redb"), lanes).unwrap();

    let (code, data) = examine(&home, &["--api", "http://127.0.0.1:9"]);
    assert!(code == 1 && found(&data, "node", "problem", "127.0.0.1:9"), "{data:#}");
    let other = Network::new();
    let (code, data) = examine(&home, &["--api", other.text("api")]);
    assert!(code == 1 && found(&data, "chain", "problem", "the folder is of"), "{data:#}");
    let listen = other.public();
    let mut command = cli::command(&home);
    command.env("DDT_LISTEN", listen).args(["doctor", "--json"]);
    let ending = cli::finish(&mut command);
    assert!(found(&ending.envelope()["data"], "ports", "problem", listen), "{ending:#?}");
    assert!(files(&home) == before, "nothing was changed");
}
