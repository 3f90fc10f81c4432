//! A network's life: ended, taken up again, several at once, never two on one folder.

use std::fs;
use std::path::Path;

use crate::support::cli;
use crate::support::network::{Network, folder};

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

// Broken by: leaving run.json behind, another exit code, or beginning a new history.
#[test]
fn a_kept_network_goes_on_where_it_ended() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["domain", "buy", "kept-name", "--from", "bob"]).data();
    network.ddt(&["wallet", "send", "3", "carol", "--from", "bob", "--wait", "proven"]).data();
    let read = |network: &Network| {
        let bob = network.signer("bob").account.to_string();
        let status = network.json("/v1/status");
        let events = network.json("/v1/events?limit=100")["rows"].clone();
        let owner = network.json("/v1/domains/kept-name")["rows"][0]["owner"].clone();
        (network.balance(&bob), status["chain"].clone(), events, owner)
    };
    let before = read(&network);
    let height = network.json("/v1/status")["anchor"].as_u64().unwrap();
    let first_anchor = network.json("/v1/anchors/1")["body"].clone();
    assert_eq!(mode(&home), 0o700);
    for file in ["token", "run.json", "node.key", "password"] {
        assert_eq!(mode(&home.join(file)), 0o600, "{file}");
    }
    assert_eq!(network.interrupt(), Some(0));
    assert!(!home.join("run.json").exists(), "nothing says that a node runs here");
    let gone = cli::ddt(&home, &["node", "status", "--api", "http://127.0.0.1:9"]);
    assert_eq!(gone.refusal().0, 5);

    let network = Network::start(&home);
    assert_eq!(read(&network), before);
    assert!(network.json("/v1/status")["anchor"].as_u64().unwrap() >= height);
    assert_eq!(network.json("/v1/anchors/1")["body"], first_anchor);
    let sent = network.ddt(&["wallet", "send", "1", "alice", "--from", "bob"]).data();
    assert!(sent["receipt"]["height"].as_u64().unwrap() > height);
    assert_eq!(sent["receipt"]["number"], before.2.as_array().unwrap().len() + 1);
}

// Broken by: sharing ports, folders or keys between networks.
#[test]
fn networks_live_side_by_side() {
    let (one, two) = (Network::new(), Network::new());
    let chain = |network: &Network| network.json("/v1/status")["chain"].clone();
    assert_ne!(chain(&one), chain(&two));
    one.ddt(&["wallet", "send", "5", "bob", "--from", "alice"]).data();
    assert_eq!(one.json("/v1/status")["events"], 1);
    assert_eq!(two.json("/v1/status")["events"], 0);
    // A folder's wallets sign for its own network only.
    let pay = ["wallet", "send", "5", "bob", "--from", "alice", "--api", two.text("api")];
    let astray = one.ddt(&pay);
    assert_eq!(astray.code, Some(1), "{astray:#?}");
    assert!(astray.words().contains("another network"), "{astray:#?}");
    assert_eq!(two.json("/v1/status")["events"], 0);
}

// Broken by: opening a folder that another process writes.
#[test]
fn a_folder_belongs_to_one_process() {
    let network = Network::new();
    let ending = Network::try_start(&network.home).err().expect("the folder is in use");
    assert_eq!(ending.refusal().0, 1);
    let words = ending.words();
    assert!(words.contains("in use") && words.contains(&network.pid().to_string()), "{words}");
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice"]).data();
}

// Broken by: keeping what was to be forgotten.
#[test]
fn a_network_without_a_folder_leaves_nothing() {
    let folder = folder();
    let log = folder.path().join("state");
    let network = Network::start_forgetful(&log);
    let home = network.home.clone();
    assert!(home.join("book.redb").exists());
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice"]).data();
    assert_eq!(network.interrupt(), Some(0));
    assert!(!home.exists());
}
