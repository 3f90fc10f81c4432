//! Backups of running and of resting nodes, and folders made from them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::files;
use crate::support::cli::{self, DDT, Ending};
use crate::support::eventually;
use crate::support::network::{Network, folder, submit};

pub fn restore(home: &Path, backup: &Path, arguments: &[&str]) -> Ending {
    let (home, backup) = (home.to_str().unwrap(), backup.to_str().unwrap());
    cli::ddt(Path::new("/nowhere"), &[&["restore", home, "--from", backup], arguments].concat())
}

/// All receipts up to a height, oldest first.
fn receipts(network: &Network, height: u64) -> Vec<Json> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = network.json(&format!("/v1/events?subject=all&limit=100{cursor}"));
        rows.extend(page["rows"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    rows.retain(|row| row["height"].as_u64().unwrap() <= height);
    let settled = |row: &Json| {
        let names = ["height", "index", "id", "number", "outcome", "fee", "postings"];
        names.into_iter().map(|name| (name.to_string(), row[name].clone())).collect()
    };
    rows.iter().rev().map(settled).collect()
}

/// A balance as the postings of these receipts make it.
fn counted(account: &str, receipts: &[Json]) -> Amount {
    let mut balance = Amount::from_apt(1_000_000);
    for posting in receipts.iter().flat_map(|row| row["postings"].as_array().unwrap()) {
        let amount: Amount = posting["amount"].as_str().unwrap().parse().unwrap();
        let is =
            |side: &str| posting[side]["kind"] == "account" && posting[side]["account"] == account;
        if is("from") {
            balance = balance.minus(amount).unwrap();
        }
        if is("to") {
            balance = balance.plus(amount).unwrap();
        }
    }
    balance
}

/// The promised numbers of events, by id.
type Promised = Mutex<Vec<(String, u64)>>;

fn pay_until(network: &Network, is_over: &AtomicBool, promised: &Promised) {
    let (alice, bob) = (network.signer("alice"), network.signer("bob"));
    while !is_over.load(Ordering::Relaxed) {
        let bytes = alice.pay(&bob.account, "0.001");
        let answer = submit(network.public(), "sequenced", &bytes).unwrap().json(200);
        let number = answer["soft_receipt"]["number"].as_u64();
        let number = number.or(answer["receipt"]["number"].as_u64()).unwrap();
        promised.lock().unwrap().push((answer["event"].as_str().unwrap().to_string(), number));
    }
}

// Broken by: copying the lanes before the book; copying files that are being written; a
// restored router that signs unasked; a root that is not the certified one.
#[test]
fn a_backup_taken_under_load_is_the_network_of_that_moment() {
    let folder = folder();
    let (home, file) = (folder.path().join("state"), folder.path().join("copy.backup"));
    let network = Network::start(&home);
    let (is_over, promised) = (AtomicBool::new(false), Promised::default());
    let (backup, before) = std::thread::scope(|scope| {
        scope.spawn(|| pay_until(&network, &is_over, &promised));
        eventually("events flow", || (promised.lock().unwrap().len() >= 20).then_some(()));
        let before = promised.lock().unwrap().clone();
        let backup = network.ddt(&["backup", file.to_str().unwrap(), "--with-wallets"]);
        let more = before.len() + 20;
        eventually("they flow on", || (promised.lock().unwrap().len() >= more).then_some(()));
        is_over.store(true, Ordering::Relaxed);
        (backup.data(), before)
    });
    assert_eq!(backup["node_was_running"], true);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!home.join("backup-underway").exists(), "nothing is left behind");
    let height = backup["manifest"]["height"].as_u64().unwrap();
    let path = format!("/v1/anchors/{height}");
    let (anchor, known) = (network.json(&path), receipts(&network, height));
    assert_eq!(anchor["state_root"], backup["manifest"]["root"]);
    assert_eq!(network.interrupt(), Some(0));

    let other = folder.path().join("restored");
    let restored = restore(&other, &file, &["--verify"]).data();
    assert_eq!(restored["verified"]["height"], height - 1);
    assert_eq!(restored["manifest"], backup["manifest"]);
    let ending = Network::try_start(&other).err().expect("a restored router signs nothing unasked");
    assert_eq!(ending.refusal(), (1, "restored.sealed_off".to_string()));
    assert!(ending.words().contains("--continue-restored"), "{ending:#?}");

    let network = Network::try_start_with(&other, &["--continue-restored"]).unwrap();
    let stable = |json: &Json| (json["id"].clone(), json["state_root"].clone());
    assert_eq!(stable(&network.json(&path)), stable(&anchor));
    assert_eq!(receipts(&network, height), known);
    // What was promised before the backup began keeps its number.
    for (id, number) in &before {
        eventually("a promise is kept", || {
            let answer = network.get(&format!("/v1/events/{id}"));
            let row = (answer.status == 200).then(|| answer.json(200))?;
            assert_eq!(row["number"], *number);
            row["height"].is_u64().then_some(())
        });
    }
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    let all = receipts(&network, u64::MAX);
    for account in network.data["accounts"].as_array().unwrap() {
        let id = account["account"].as_str().unwrap();
        assert_eq!(network.balance(id).parse(), Ok(counted(id, &all)), "{account}");
    }
    assert_eq!(network.json("/v1/economy")["is_conserved"], true);
    assert_eq!(network.interrupt(), Some(0));
    // Said once, it is said.
    assert_eq!(Network::start(&other).interrupt(), Some(0));
}

// Broken by: a backup of a resting node that differs, wallets that come unasked, a file that
// is replaced, or a backup while something else holds the folder.
#[test]
fn a_resting_node_is_backed_up_by_the_command_itself() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    let status = network.json("/v1/status");
    assert_eq!(network.interrupt(), Some(0));
    let backup = cli::ddt(&home, &["backup", folder.path().to_str().unwrap()]).data();
    assert_eq!(backup["node_was_running"], false);
    let file = backup["file"].as_str().unwrap().to_string();
    let height = backup["manifest"]["height"].as_u64().unwrap();
    assert!(height >= status["anchor"].as_u64().unwrap());
    assert!(file.ends_with(&format!("ddt-dev-{height}.backup")), "{file}");
    let again = cli::ddt(&home, &["backup", &file]);
    assert_eq!(again.refusal().0, 2, "{again:#?}");

    let other = folder.path().join("restored");
    restore(&other, Path::new(&file), &["--verify"]).data();
    assert!(!other.join("keystore").exists() && !other.join("password").exists());
    assert!(other.join("node.key").exists());
    let full = restore(&other, Path::new(&file), &[]);
    assert_eq!(full.refusal().0, 2);
    assert!(full.words().contains("not empty"), "{full:#?}");
    let nowhere = cli::ddt(&folder.path().join("nowhere"), &["backup", "x.backup"]);
    assert_eq!(nowhere.refusal().0, 2, "{nowhere:#?}");
}

// Broken by: leaving half a backup, or calling it one, when the disk takes no more.
#[test]
fn a_full_disk_leaves_no_half_backup() {
    let folder = folder();
    let (home, file) = (folder.path().join("state"), folder.path().join("copy.backup"));
    let network = Network::start(&home);
    // A limit on the length of files is a disk that is full for this process alone.
    let script =
        format!("trap '' XFSZ; ulimit -f 8; exec '{DDT}' backup '{}' --json", file.display());
    let mut command = std::process::Command::new("bash");
    command.arg("-c").arg(script).env("DDT_HOME", &home);
    let ending = cli::finish(&mut command);
    assert_eq!(ending.refusal().0, 1, "{ending:#?}");
    assert!(ending.words().contains("copy.backup"), "{ending:#?}");
    let left: Vec<_> = files(folder.path()).into_keys().filter(|n| n.contains("copy")).collect();
    assert!(left.is_empty(), "{left:?}");
    let made = network.ddt(&["backup", file.to_str().unwrap()]);
    assert_eq!(made.data()["node_was_running"], true, "the node took no harm");
}
