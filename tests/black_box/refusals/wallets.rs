//! Wallets that do not open, and commands that make no sense.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};

fn secret(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_string()
}

fn pay(network: &Network, more: &[&str]) -> Ending {
    network.ddt(&[&["wallet", "send", "1", "bob", "--from", "alice"], more].concat())
}

fn wallet_file(home: &Path, name: &str) -> PathBuf {
    let files = fs::read_dir(home.join("keystore")).unwrap();
    let mut files = files.map(|entry| entry.unwrap().path());
    files.find(|path| path.file_stem().unwrap().to_str() == Some(name)).unwrap()
}

// Broken by: signing with a wallet that did not open, or not saying what to do.
#[test]
fn a_wallet_that_does_not_open_signs_nothing() {
    let network = Network::new();
    let desk = folder();
    let wrong = secret(desk.path(), "wrong", "not the password");
    let ending = pay(&network, &["--password-file", &wrong]);
    assert_eq!(ending.refusal(), (6, "wallet".to_string()));
    assert!(ending.words().contains("password is wrong"), "{ending:#?}");

    let open = secret(desk.path(), "open", "unsafe-test-password");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let ending = pay(&network, &["--password-file", &open]);
    assert_eq!(ending.refusal().0, 1);
    assert!(ending.words().contains("chmod 600"), "{ending:#?}");
    let missing = desk.path().join("missing");
    let ending = pay(&network, &["--password-file", missing.to_str().unwrap()]);
    assert_eq!(ending.refusal().0, 2);

    let file = wallet_file(&network.home, "alice");
    let good = fs::read(&file).unwrap();
    let middle = good.len() / 2;
    let flipped: Vec<u8> =
        good.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at == middle)).collect();
    for damaged in [flipped.as_slice(), &good[..middle], b"", b"{}", b"\xff\xfe"] {
        fs::write(&file, damaged).unwrap();
        let ending = pay(&network, &[]);
        assert_eq!(ending.refusal().0, 6, "{ending:#?}");
        let listed = network.ddt(&["wallet", "list"]).data();
        let others = listed["wallets"].as_array().unwrap().iter();
        assert!(others.filter(|wallet| wallet["name"] != "alice").count() == 3, "{listed}");
    }
    assert_eq!(network.json("/v1/status")["events"], 0);
    fs::write(&file, good).unwrap();
    assert_eq!(pay(&network, &[]).code, Some(0));
}

// Broken by: importing what is no backup, or showing a word of it in JSON.
#[test]
fn wrong_words_bring_no_wallet() {
    let desk = folder();
    let home = desk.path().join("home");
    let password = secret(desk.path(), "password", "a password");
    let test = "test test test test test test test test test test test junk";
    for (words, says) in [
        (test.replacen("junk", "jnuk", 1), "word 12 "),
        (test.replacen("test", "tset", 1), "word 1 "),
        (test.replacen("junk", "test", 1), "checksum"),
        ("test ".repeat(11), "11 words"),
        (String::new(), "0 words"),
    ] {
        let file = secret(desk.path(), "words", &words);
        let import = ["wallet", "import", "back", "--words-file", &file];
        let ending = cli::ddt(&home, &[&import[..], &["--password-file", &password]].concat());
        assert_eq!(ending.refusal(), (6, "wallet.words".to_string()), "{words}");
        assert!(ending.words().contains(says), "{says}: {ending:#?}");
        let told = format!("{}{}", ending.stdout, ending.stderr);
        assert!(!told.contains("junk") && !told.contains("test"), "no word is shown: {told}");
    }
    let listed = cli::ddt(&home, &["wallet", "list"]).data();
    assert_eq!(listed["wallets"].as_array().unwrap().len(), 0);
}

// Broken by: guessing what was meant, or another exit code than the documented one.
#[test]
fn commands_end_with_their_exit_codes() {
    let network = Network::new();
    let home = &network.home;
    for (arguments, code) in [
        (vec!["wallet", "send", "1", "bob"], 6),
        (vec!["wallet", "send", "1", "bob", "--from", "nobody"], 6),
        (vec!["wallet", "new", "Bad Name"], 6),
        (vec!["wallet", "watch", "friend", "apt1wrong"], 2),
        (vec!["wallet", "send", "-1", "bob", "--from", "alice"], 2),
        (vec!["wallet", "send", "0", "bob", "--from", "alice"], 3),
        (vec!["domain", "resolve", "nobody-has-it"], 4),
        (vec!["ledger", "event", "0:999"], 4),
        (vec!["ledger", "anchor", "999999999"], 4),
        (vec!["node", "status", "--api", "http://127.0.0.1:1"], 5),
        (vec!["wallet", "balance", "alice", "--api", "http://127.0.0.1:1"], 5),
        (vec!["nonsense"], 2),
        (vec!["wallet", "send"], 2),
        (vec!["wallet", "send", "1", "bob", "--wait", "soon"], 2),
    ] {
        let ending = cli::ddt(home, &arguments);
        assert_eq!(ending.code, Some(code), "{arguments:?}: {ending:#?}");
    }
    let asked = ["wallet", "send", "1", "bob", "--from", "alice", "--json"];
    let declined = cli::finish(cli::command(home).args(asked));
    assert_eq!(declined.refusal(), (8, "declined".to_string()));
    assert_eq!(network.json("/v1/status")["events"], 0);
}
