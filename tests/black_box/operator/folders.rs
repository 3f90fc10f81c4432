//! Folders of an older layout.

use std::fs;

use crate::files;
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
