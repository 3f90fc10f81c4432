//! Folders of an older layout.

use std::fs;

use crate::files;
use crate::support::cli;
use crate::support::network::{Network, folder};

// Broken by: starting a new ledger unasked, losing a wallet or the old ledger, or touching
// anything before refusing.
#[test]
fn an_old_ledger_is_kept_whole() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["wallet", "new", "savings"]).data();
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    assert_eq!(network.interrupt(), Some(0));
    // As the release before wrote it.
    fs::write(home.join("VERSION"), "1\n").unwrap();
    let genesis = fs::read_to_string(home.join("genesis.toml")).unwrap();
    let genesis = genesis.replacen("version = 2", "version = 1", 1);
    fs::write(home.join("genesis.toml"), genesis).unwrap();
    let mut before = files(&home);
    before.remove("LOCK");

    let ending = Network::try_start(&home).err().expect("an old ledger is not continued");
    assert_eq!(ending.refusal(), (1, "folder.old_ledger".to_string()));
    assert!(ending.words().contains("--set-old-ledger-aside"), "{ending:#?}");
    let mut after = files(&home);
    after.remove("LOCK");
    assert!(after == before, "nothing was changed");

    let network = Network::try_start_with(&home, &["--set-old-ledger-aside"]).unwrap();
    assert_eq!(network.json("/v1/status")["events"], 0, "a new ledger");
    let wallets = network.ddt(&["wallet", "list"]).data().to_string();
    assert!(wallets.contains("savings"), "{wallets}");
    let log = fs::read_to_string(home.with_extension("log")).unwrap();
    assert!(log.contains("A NEW LEDGER STARTS") && log.contains("before-migration-1"), "{log}");
    assert_eq!(fs::read_to_string(home.join("VERSION")).unwrap(), "2\n");
    let kept = files(&home.join("before-migration-1"));
    for (name, bytes) in &before {
        assert!(kept.get(name) == Some(bytes), "{name} is kept as it was");
    }
    assert_eq!(home.join("node.key").exists(), before.contains_key("node.key"));
    assert_eq!(network.interrupt(), Some(0));
    // The flag is needed once.
    assert_eq!(Network::start(&home).interrupt(), Some(0));
}

// Broken by: setting a ledger aside that can go on.
#[test]
fn a_ledger_that_can_go_on_goes_on() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    assert_eq!(network.interrupt(), Some(0));
    fs::write(home.join("VERSION"), "1\n").unwrap();
    let network = Network::start(&home);
    assert_eq!(network.json("/v1/status")["events"], 1);
    assert!(home.join("before-migration-1").join("book.redb").exists());
}

// Broken by: taking a folder with an operator's wallets, or with nothing but a saved key, for
// somebody else's; taking one that is somebody else's; another key in the place of the saved one;
// a development network in a folder with wallets, whose password it replaces.
#[test]
fn a_node_may_begin_where_its_operators_wallets_are() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let word = |name: &str| path(name).to_str().unwrap().to_string();
    fs::write(path("password"), "correct horse").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path("password"), private).unwrap();
    let (password, home) = (word("password"), path("north"));
    cli::ddt(&home, &["wallet", "new", "owner", "--password-file", &password]).data();
    let key = ["network", "key", "--name", "north", "--owner", "owner", "--host", "192.0.2.1"];
    let part = cli::ddt(&home, &key).data();
    let part = part["file"].as_str().unwrap();
    let assemble = ["network", "assemble", "--name", "test", "--out", &word("public"), part];
    cli::ddt(&home, &assemble).data();
    let genesis = path("public").join("genesis.toml");
    let init = ["node", "init", "--genesis", genesis.to_str().unwrap()];
    let router = cli::ddt(&home, &init).data();
    assert_eq!(router["role"], "router");

    // A development network would put its public password in the place of theirs.
    let wallets = path("wallets");
    cli::ddt(&wallets, &["wallet", "new", "mine", "--password-file", &password]).data();
    fs::copy(path("password"), wallets.join("password")).unwrap();
    assert_eq!(cli::ddt(&wallets, &["node", "run"]).refusal(), (2, "usage".to_string()));
    let ending = Network::try_start(&wallets).err().expect("these wallets are somebody's");
    assert_eq!(ending.refusal(), (2, "usage".to_string()));
    assert_eq!(fs::read_to_string(wallets.join("password")).unwrap(), "correct horse");

    let saved = path("saved");
    fs::create_dir(&saved).unwrap();
    fs::copy(home.join("node.key"), saved.join("node.key")).unwrap();
    let again = cli::ddt(&saved, &init).data();
    assert_eq!((&again["router_key"], &again["role"]), (&router["router_key"], &router["role"]));

    let other = path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.txt"), "mine").unwrap();
    assert_eq!(cli::ddt(&other, &init).refusal(), (2, "usage".to_string()));
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1, "nothing was written there");
}
