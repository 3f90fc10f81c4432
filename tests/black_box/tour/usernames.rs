//! Usernames: taken without coins, found by their names, kept, handed on and given up.

use std::process::Stdio;

use serde_json::Value as Json;

use crate::support::network::Network;
use crate::support::{cli, eventually};

const NAME: &str = "margaret";

/// Stamps that take no time, years that pass.
fn network() -> Network {
    let year = ["stamp_bits=6", "anchor_idle_ms=500", "username_year_ms=8000"];
    Network::with_parameters(&year)
}

fn code(network: &Network, arguments: &[&str]) -> (i32, String) {
    network.ddt(arguments).refusal()
}

fn error(exit: i32, code: &str) -> (i32, String) {
    (exit, code.to_string())
}

/// How many events of this name there are.
fn count(network: &Network, name: &str) -> usize {
    let events = network.json("/v1/events?limit=100");
    let rows = events["rows"].as_array().cloned().unwrap_or_default();
    rows.iter().filter(|row| row["name"] == name).count()
}

// Broken by: a claim that pays, a lookup that believes an unsigned row, a holder that is
// looked for in another wallet, a name that leaves the process.
#[test]
fn a_username_is_taken_found_kept_and_given_up() {
    let network = network();
    let alice = network.signer("alice").account.to_string();
    let from = |verb: &'static str, who: &'static str| ["username", verb, NAME, "--from", who];
    assert_eq!(code(&network, &["lookup", NAME]), error(4, "usernames.unknown"));
    let bad = network.ddt(&["lookup", "Not-A-Name"]);
    assert_eq!(bad.refusal(), error(2, "usage"));
    assert!(!bad.words().contains("Not-A-Name"), "an error repeats what was typed");

    let before = network.json(&format!("/v1/accounts/{alice}"));
    let claimed = network.ddt(&from("claim", "alice")).data();
    assert_eq!((&claimed["account"], &claimed["was_held"]), (&alice.clone().into(), &false.into()));
    let after = network.json(&format!("/v1/accounts/{alice}"));
    assert_eq!(before["balance"], after["balance"], "it cost nothing");
    let again = network.ddt(&from("claim", "alice")).data();
    assert_eq!((&again["row"], &again["was_held"]), (&claimed["row"], &true.into()));
    assert_eq!(count(&network, "usernames.claim"), 1);

    let found = network.ddt(&["lookup", NAME]).data();
    assert_eq!((&found["account"], &found["address"]), (&alice.clone().into(), &Json::Null));
    assert_eq!(code(&network, &from("claim", "bob")), error(3, "usernames.taken"));
    for verb in ["status", "rotate", "renew", "release"] {
        assert_eq!(code(&network, &from(verb, "bob")), error(3, "usernames.not_holder"), "{verb}");
    }
    let until = |json: &Json| json["until"].as_u64().expect("a time");
    let first_end = until(&network.ddt(&from("status", "alice")).data());
    let renewed = eventually("it can be renewed", || {
        let renewed = network.ddt(&from("renew", "alice"));
        (renewed.code == Some(0)).then(|| renewed.data())
    });
    assert!(until(&renewed) > first_end);

    let rotated = network.ddt(&from("rotate", "alice")).data();
    assert_ne!(rotated["holder"], claimed["holder"]);
    let found = network.ddt(&["lookup", NAME]).data();
    assert_eq!((&found["account"], &found["holder"]), (&alice.into(), &rotated["holder"]));
    assert_eq!(network.ddt(&from("status", "alice")).data()["place"], 1);

    let row = claimed["row"].as_str().expect("a row").to_string();
    prove(&network, true, &row);
    network.ddt(&from("release", "alice")).data();
    assert_eq!(code(&network, &["lookup", NAME]), error(4, "usernames.unknown"));
    prove(&network, false, &row);
    let log = std::fs::read_to_string(network.home.with_extension("log")).expect("a log");
    assert!(!log.contains(NAME), "the node heard the name");
}

/// Takes a proof of the row, or of its absence, and checks it with the genesis alone.
fn prove(network: &Network, is_there: bool, row: &str) {
    let file = network.home.join("username-proof.json");
    let file = file.to_str().expect("a path");
    eventually("the row's state is certified", || {
        let proven = network.ddt(&["lookup", NAME, "--proof", file]);
        assert_eq!(proven.code, Some(if is_there { 0 } else { 4 }), "{proven:#?}");
        let genesis = network.text("genesis");
        let verified = network.ddt(&["verify", file, "--genesis", genesis]).data().to_string();
        let says_so = verified.contains(row) && verified.contains("\"holder\"") == is_there;
        says_so.then_some(())
    });
}

// Broken by: anything drawn anew for a claim; then the second run would commit again.
#[test]
fn an_interrupted_claim_is_gone_on_with() {
    // A commit has to be a while old: time to interrupt the command.
    let network =
        Network::with_parameters(&["stamp_bits=6", "anchor_idle_ms=500", "commit_age_ms=6000"]);
    let claim = ["username", "claim", NAME, "--from", "alice"];
    let mut command = cli::command(&network.home);
    command.args(claim).args(["--json", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut first = command.spawn().expect("ddt");
    eventually("the commit is there", || (count(&network, "usernames.commit") == 1).then_some(()));
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    assert_eq!(count(&network, "usernames.claim"), 0);
    let claimed = network.ddt(&claim).data();
    assert_eq!(claimed["was_held"], false);
    let counts = ["usernames.commit", "usernames.claim"].map(|name| count(&network, name));
    assert_eq!(counts, [1, 1]);
}
