//! Replaced owner keys: the words find the current one, and the old ones are history.

use ddt_contracts::accounts::{RotateKey, possession_digest};
use ddt_ledger::schema::Bytes;

use crate::desk::{Desk, apt, balance, refused, text};
use crate::support::network::Network;

// Broken by: signing with the first key for ever, or needing more than the words afterwards.
#[test]
fn a_rotated_account_goes_on_with_its_words_alone() {
    let network = Network::new();
    let pay = ["wallet", "send", "1", "bob", "--from", "alice"];
    let rotated = network.ddt(&["wallet", "rotate", "alice"]).data();
    assert_eq!(text(&rotated, "/path"), "m/44'/4473940'/0'/1'");
    assert_eq!(rotated["receipt"]["outcome"], "done");
    assert_eq!(network.ddt(&pay).code, Some(0));
    let again = network.ddt(&["wallet", "rotate", "alice"]).data();
    assert_eq!(text(&again, "/path"), "m/44'/4473940'/0'/2'");
    assert_eq!(network.ddt(&pay).code, Some(0));
    assert_eq!(balance(&network, "bob"), apt("1000002"));

    let keys = network.ddt(&["wallet", "keys", "alice"]).data();
    assert_eq!(keys["rotations"], 2);
    let lines = keys["keys"].as_array().unwrap();
    let paths: Vec<&str> = lines.iter().map(|line| text(line, "/path")).collect();
    let first = "m/44'/4473940'/0'";
    assert_eq!(paths, [first, &format!("{first}/1'"), &format!("{first}/2'")]);
    let current: Vec<bool> =
        lines.iter().map(|line| line["is_current"].as_bool().unwrap()).collect();
    assert_eq!(current, [false, false, true]);
    assert_eq!(lines[2]["key"], again["new_key"]);
    assert_eq!(lines[1]["key"], rotated["new_key"]);
    assert_eq!(lines[0]["until"], lines[1]["from"]);
    assert!(lines[1]["until"].as_u64() > lines[1]["from"].as_u64());

    // Somebody who has nothing but the words, elsewhere.
    let desk = Desk::new();
    desk.import_from(&network, "alice", "1");
    let api = network.text("api").to_string();
    let bob = network.signer("bob").account.to_string();
    let elsewhere = |arguments: &[&str]| {
        let own = ["--password-file", &desk.password, "--api", &api];
        crate::support::cli::ddt(&desk.home, &[arguments, &own].concat())
    };
    assert_eq!(elsewhere(&["wallet", "send", "1", &bob]).code, Some(0));
    assert_eq!(balance(&network, "bob"), apt("1000003"));
    let watch = ["wallet", "watch", "seen", text(&keys, "/account")];
    assert_eq!(network.ddt(&watch).code, Some(0));
    let seen = network.ddt(&["wallet", "keys", "seen"]).data();
    let of = |json: &serde_json::Value| -> Vec<serde_json::Value> {
        json["keys"].as_array().unwrap().iter().map(|line| line["key"].clone()).collect()
    };
    assert_eq!(of(&seen), of(&keys), "the ledger's history knows the keys without the secret");
}

// Broken by: rotating one account's key by another's path.
#[test]
fn each_account_has_keys_of_its_own() {
    let network = Network::new();
    assert_eq!(network.ddt(&["wallet", "add-account", "alice"]).code, Some(0));
    let unopened = network.ddt(&["wallet", "rotate", "alice/1"]);
    refused(&unopened, (3, "event.account"), &["first payment"]);
    let pay =
        |to: &str, from: &str| network.ddt(&["wallet", "send", "10", to, "--from", from]).code;
    assert_eq!(pay("alice/1", "alice"), Some(0));
    let rotated = network.ddt(&["wallet", "rotate", "alice/1"]).data();
    assert_eq!(text(&rotated, "/path"), "m/44'/4473940'/1'/1'");
    assert_eq!(network.ddt(&["wallet", "send", "2", "bob", "--from", "alice/1"]).code, Some(0));
    assert_eq!(pay("alice/1", "alice"), Some(0), "the other account's key is as it was");
    let unreachable = network.ddt(&["wallet", "rotate", "alice", "--api", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.refusal().0, 5);
    let asked = crate::support::cli::command(&network.home)
        .args(["wallet", "rotate", "alice", "--json"])
        .output();
    assert_eq!(asked.unwrap().status.code(), Some(8), "nobody agreed");
}

// Broken by: signing with a key that is not the account's, or not saying who has it.
#[test]
fn a_key_from_other_words_is_told() {
    let network = Network::new();
    let (bob, carol) = (network.signer("bob"), network.signer("carol"));
    let new_key = carol.key.public();
    let digest = possession_digest(&bob.account, &new_key);
    let possession = Bytes::new(carol.key.sign(&digest).0.to_vec()).unwrap();
    let handed = bob.event(&RotateKey { new_key, possession });
    assert_eq!(network.submit("final", &handed).json(200)["receipt"]["outcome"], "done");

    let account = bob.account.to_string();
    let advice = format!("add --from carol --author {account}");
    for verb in [
        vec!["wallet", "send", "1", "alice", "--from", "bob"],
        vec!["wallet", "rotate", "bob"],
        vec!["wallet", "sign-message", "bob", "hello"],
    ] {
        refused(&network.ddt(&verb), (3, "event.key"), &["replaced by", &advice]);
    }
    let author = ["send", "bank.transfer", "to=alice", "amount=1", "--from", "carol", "--author"];
    let sent = network.ddt(&[&author[..], &["bob"]].concat()).data();
    assert_eq!(sent["receipt"]["author"], account.as_str());
    let stranger = network.ddt(&[&author[..], &["alice"]].concat());
    refused(&stranger, (3, "event.key"), &["not one of the wallet carol"]);
    // The key comes home: it is found though the count of rotations went on.
    let back = bob.key.sign(&possession_digest(&bob.account, &bob.key.public()));
    let (new, proof) = (bob.key.public().to_string(), back.to_string());
    let home = [
        "send",
        "accounts.rotate_key",
        &format!("new_key={new}"),
        &format!("possession={proof}"),
        "--from",
        "carol",
        "--author",
        "bob",
    ];
    assert_eq!(network.ddt(&home).code, Some(0));
    assert_eq!(network.ddt(&["wallet", "send", "1", "alice", "--from", "bob"]).code, Some(0));
    let rotated = network.ddt(&["wallet", "rotate", "bob"]).data();
    assert_eq!(text(&rotated, "/path"), "m/44'/4473940'/0'/3'");
}
