//! What happens when a swap does not go through.

use serde_json::Value as Json;

use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};

fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("{pointer}: {json}"))
}

fn offer(network: &Network, more: &[&str]) -> Ending {
    let first = ["swap", "offer", "5", "bob", "--from", "alice"];
    network.ddt(&[first.as_slice(), more].concat())
}

fn lock(network: &Network, deadline: &str) -> String {
    text(&offer(network, &["--deadline", deadline]).data(), "/lock").to_string()
}

fn refusal(ending: &Ending) -> (i32, String) {
    ending.refusal()
}

// Broken by: a refund that never comes, or that can be claimed afterwards.
#[test]
fn the_ledger_refunds_by_itself() {
    let network = Network::new();
    let lock = lock(&network, "1s");
    let secret = network.ddt(&["swap", "secret", &lock, "--from", "alice"]).data();
    let told = network.ddt(&["swap", "refund", &lock, "--from", "alice"]).data();
    assert!(["open", "refunded"].contains(&text(&told, "/status")));
    let ended = network.ddt(&["swap", "refund", &lock, "--from", "alice", "--wait"]).data();
    assert_eq!(text(&ended, "/status"), "refunded");
    let late = ["swap", "claim", &lock, "--secret", text(&secret, "/secret"), "--from", "bob"];
    assert_eq!(refusal(&network.ddt(&late)), (3, "bank.lock_ended".to_string()));
    let bob = network.signer("bob").account.to_string();
    assert_eq!(network.balance(&bob), "1000000");
    let status = network.ddt(&["swap", "status", &lock]).data();
    assert_eq!(text(&status, "/status"), "refunded");
    assert_eq!(status["secret"], Json::Null);
}

// Broken by: a receiver who cannot decline, or anybody else who can.
#[test]
fn the_receiver_gives_back() {
    let network = Network::new();
    let lock = lock(&network, "1h");
    let stranger = network.ddt(&["swap", "refund", &lock, "--from", "carol"]);
    assert_eq!(refusal(&stranger), (6, "swap.not_ours".to_string()));
    let given = network.ddt(&["swap", "refund", &lock, "--from", "bob"]).data();
    assert_eq!(text(&given, "/status"), "given_back");
    let again = network.ddt(&["swap", "refund", &lock, "--from", "bob"]).data();
    assert_eq!(text(&again, "/status"), "given_back");
}

// Broken by: signing what the ledger would refuse, or showing a secret too early.
#[test]
fn wrong_secrets_and_wrong_times_are_refused() {
    let (one, two) = (Network::new(), Network::new());
    let lock = lock(&one, "1h");
    let guess = "7".repeat(64);
    let wrong = ["swap", "claim", &lock, "--secret", &guess, "--from", "bob"];
    assert_eq!(refusal(&one.ddt(&wrong)), (3, "bank.secret".to_string()));
    let unknown = ["swap", "claim", &guess, "--secret", &guess, "--from", "bob"];
    assert_eq!(refusal(&one.ddt(&unknown)), (4, "bank.no_lock".to_string()));
    let seen = ["swap", "claim", &lock, "--seen-on", two.text("api"), "--from", "bob"];
    assert_eq!(refusal(&one.ddt(&seen)), (4, "swap.not_claimed".to_string()));
    let others = one.ddt(&["swap", "secret", &lock, "--from", "bob"]);
    assert_eq!(refusal(&others), (6, "swap.not_ours".to_string()));

    let answer = |more: &[&str]| {
        let first = ["swap", "offer", "3", "alice", "--from", "bob"];
        let whose = ["--answers", &lock, "--seen-on", one.text("api")];
        two.ddt(&[first.as_slice(), &whose, more].concat())
    };
    assert_eq!(refusal(&answer(&["--hours", "2"])), (2, "swap.deadline".to_string()));
    let long = answer(&["--deadline", "45m"]);
    assert!(long.stderr.contains("warning: this lock lasts"), "{long:#?}");
    assert_eq!(long.data()["warnings"].as_array().unwrap().len(), 1);
    let half = answer(&[]);
    assert_eq!(half.stderr, "");
    let hash = text(&half.data(), "/hash").to_string();
    let blind = offer(&two, &["--hash", &hash]);
    assert!(blind.stderr.contains("is not known here"), "{blind:#?}");
    assert_eq!(blind.data()["hash"], hash.as_str());
    let fast = offer(&two, &["--hash", &hash, "--their-deadline", "30m", "--hours", "1"]);
    assert_eq!(refusal(&fast), (2, "swap.deadline".to_string()));
    for bad in ["soon", "2023-02-29T00:00Z"] {
        assert_eq!(refusal(&offer(&one, &["--deadline", bad])), (2, "usage".to_string()));
    }
    assert_eq!(refusal(&offer(&one, &["--deadline", "91d"])), (3, "bank.deadline_far".to_string()));
}

// Broken by: a person who locks coins without reading for whom, until when and for what fee.
#[test]
fn people_read_what_they_lock() {
    let network = Network::new();
    let offer = ["swap", "offer", "5", "bob", "--from", "alice"];
    let asked = cli::finish(cli::command(&network.home).args(offer));
    assert_eq!(asked.code, Some(8), "{asked:#?}");
    for part in ["Lock 5 APT", "The deadline is 2", "in 1 d 0 h", "fee"] {
        assert!(asked.stderr.contains(part), "{part}: {asked:#?}");
    }
    let agreed = cli::finish(cli::command(&network.home).args(offer).arg("--yes"));
    assert!(agreed.stdout.contains("Locked."), "{agreed:#?}");
    let list = network.ddt(&["swap", "list", "bob"]).data();
    let lock = text(&list, "/locks/0/lock");
    let shown = network.ddt(&["swap", "secret", lock, "--from", "alice"]).data();
    let secret = text(&shown, "/secret");
    assert!(!agreed.stdout.contains(secret), "the secret is shown only when asked for");
    let desk = folder();
    let file = desk.path().join("secret");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    // Whoever claims, the receiver is paid, and the claim costs its author nothing.
    let claim = ["swap", "claim", lock, "--secret-file", file.to_str().unwrap(), "--from", "carol"];
    network.ddt(&claim).data();
    let balance = |name: &str| network.balance(&network.signer(name).account.to_string());
    assert_eq!((balance("bob"), balance("carol")), ("1000004.999004".into(), "1000000".into()));
}
