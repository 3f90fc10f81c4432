//! The address book.

use std::fs;

use crate::desk::{Desk, apt, balance, mode, refused, set_mode};
use crate::support::network::Network;

const STRANGER: &str = "apt1r9v3nmggny9mzuhzz0g6ve267x7wjnfzvhlcnv07066dfswv5a4sn87v67";

// Broken by: a name that is a receiver for one verb only, or a file that others may change.
#[test]
fn names_are_receivers_everywhere() {
    let network = Network::new();
    let added = network.ddt(&["wallet", "book", "add", "dora", STRANGER]).data();
    assert_eq!(added["account"], STRANGER);
    assert_eq!(mode(network.home.join("book.json")), 0o600);
    let pay = ["wallet", "send", "2", "dora", "--from", "alice"];
    assert_eq!(network.ddt(&pay).code, Some(0));
    let send = ["send", "bank.transfer", "to=dora", "amount=3", "--from", "alice"];
    assert_eq!(network.ddt(&send).code, Some(0));
    assert_eq!(balance(&network, "dora"), apt("5"));
    assert_eq!(network.balance(STRANGER), "5");
    let history = network.ddt(&["wallet", "history", "alice", "--with", "dora"]).data();
    let lines = history["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["counterparty"], format!("dora ({STRANGER})"));

    let again = network.ddt(&["wallet", "book", "add", "dora", STRANGER]);
    assert_eq!(again.code, Some(0), "the same again changes nothing");
    let bob = network.signer("bob").account.to_string();
    let other = network.ddt(&["wallet", "book", "add", "dora", &bob]);
    refused(&other, (2, "book"), &["remove it first", STRANGER]);
    let listed = network.ddt(&["wallet", "book", "list"]).data();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 1);
    assert_eq!(network.ddt(&["wallet", "book", "remove", "dora"]).data()["account"], STRANGER);
    refused(&network.ddt(&["wallet", "book", "remove", "dora"]), (4, "book"), &["no dora"]);
    refused(&network.ddt(&pay), (2, "usage"), &["address book"]);
}

// Broken by: paying one of two that a name could mean, or a wallet made behind the book's back.
#[test]
fn a_name_never_means_two() {
    let desk = Desk::new();
    desk.wallet("alice");
    let add = |name: &str, account: &str| desk.ddt(&["wallet", "book", "add", name, account]);
    refused(&add("alice", STRANGER), (2, "book"), &["is a wallet here"]);
    for (name, account) in [("Dora", STRANGER), ("dora", "apt1wrong"), ("dora", "bob"), ("", "")] {
        assert_eq!(add(name, account).code, Some(2), "{name} {account}");
    }
    assert_eq!(add("dora", STRANGER).code, Some(0));
    refused(&desk.ddt(&["wallet", "new", "dora"]), (2, "book"), &["in the address book"]);
    refused(&desk.ddt(&["wallet", "watch", "dora", STRANGER]), (2, "book"), &["address book"]);

    // A wallet's file that was copied here: for a receiver the name means two.
    let elsewhere = Desk::new();
    elsewhere.wallet("dora");
    let file = "keystore/dora.json";
    fs::copy(elsewhere.home.join(file), desk.home.join(file)).unwrap();
    let pay = desk.ddt(&["send", "bank.transfer", "to=dora", "amount=1", "--from", "alice"]);
    refused(&pay, (2, "usage"), &["is a wallet here", "somebody else in the address book"]);
    let by_id = format!("to={STRANGER}");
    let pay = desk.ddt(&["send", "bank.transfer", &by_id, "amount=1", "--from", "alice"]);
    assert_eq!(pay.refusal().0, 5, "an id means one: only the node is missing");
    let shown = desk.ddt(&["wallet", "balance", "dora"]);
    assert_eq!(shown.refusal().0, 5, "to look at it, the wallet here is meant");
    fs::write(desk.home.join(file), "{}").unwrap();
    let pay = desk.ddt(&["send", "bank.transfer", "to=dora", "amount=1", "--from", "alice"]);
    refused(&pay, (6, "wallet"), &["is damaged"]);
}

// Broken by: a damaged book taken for an empty one, or one that others may write used.
#[test]
fn a_broken_book_stops_what_needs_it() {
    let desk = Desk::new();
    desk.wallet("alice");
    assert_eq!(desk.ddt(&["wallet", "book", "add", "dora", STRANGER]).code, Some(0));
    let file = desk.home.join("book.json");
    let good = fs::read(&file).unwrap();
    let pay = || desk.ddt(&["send", "bank.transfer", "to=dora", "amount=1"]);
    for (broken, says) in [
        ("{}", "damaged"),
        ("", "damaged"),
        (r#"{"format":"ddt-address-book","version":2,"entries":[]}"#, "update it"),
    ] {
        fs::write(&file, broken).unwrap();
        refused(&pay(), (1, "book"), &["book.json", says]);
        refused(&desk.ddt(&["wallet", "book", "add", "x", STRANGER]), (1, "book"), &[says]);
        assert_eq!(fs::read_to_string(&file).unwrap(), broken, "nothing is written over it");
    }
    fs::write(&file, good).unwrap();
    set_mode(&file, 0o666);
    refused(&pay(), (1, "fault"), &["chmod 600"]);
    set_mode(&file, 0o600);
    assert_eq!(pay().refusal().0, 5, "only the node is missing");
}
