//! What happened to an account.

use std::fs;

use ddt_ledger::Amount;
use serde_json::Value as Json;

use crate::desk::{Desk, apt, balance, mode, refused, text};
use crate::support::cli;
use crate::support::network::Network;

fn history(network: &Network, arguments: &[&str]) -> Vec<Json> {
    let data = network.ddt(&[&["wallet", "history"], arguments].concat()).data();
    data["lines"].as_array().unwrap().clone()
}

/// What came in less what went out, in units.
fn sum(lines: &[Json]) -> i128 {
    let units = |line: &Json, field: &str| {
        let amount: Amount = apt(text(line, &format!("/{field}")));
        i128::try_from(amount.units()).unwrap()
    };
    lines.iter().map(|line| units(line, "in") - units(line, "out") - units(line, "fee")).sum()
}

fn units(amount: Amount) -> i128 {
    i128::try_from(amount.units()).unwrap()
}

// Broken by: a movement that is missing, told twice, or told with the wrong sign.
#[test]
fn every_change_of_a_balance_is_told() {
    let network = Network::new();
    let pay = |amount: &str, to: &str, from: &str, memo: &str| {
        let pay = ["wallet", "send", amount, to, "--from", from, "--memo", memo, "--force"];
        network.ddt(&pay)
    };
    assert_eq!(pay("5", "bob", "alice", "=1+1").code, Some(0));
    assert_eq!(pay("3", "alice", "bob", "tea, \"two\"").code, Some(0));
    assert_eq!(pay("7", "carol", "alice", "\u{1b}[31mred").code, Some(0));
    assert_eq!(pay("2", "alice", "alice", "to myself").code, Some(0));
    let refused = pay("5000000", "bob", "alice", "too much");
    assert_eq!(refused.refusal().0, 3);
    let batch = r#"payments=[{"to":"BOB","amount":"1"},{"to":"BOB","amount":"2"}]"#;
    let batch = batch.replace("BOB", &network.signer("bob").account.to_string());
    assert_eq!(network.ddt(&["send", "bank.batch", &batch, "--from", "alice"]).code, Some(0));

    let lines = history(&network, &["alice"]);
    assert_eq!(lines.len(), 7, "{lines:#?}");
    let began = units(apt("1000000"));
    assert_eq!(began + sum(&lines), units(balance(&network, "alice")));
    let memos: Vec<&Json> = lines.iter().map(|line| &line["memo"]).collect();
    let known = ["too much", "to myself", "\u{1b}[31mred", "tea, \"two\"", "=1+1"];
    assert_eq!(memos[2..], known);
    assert_eq!((&lines[2]["outcome"], &lines[2]["out"]), (&"refused".into(), &"0".into()));
    assert_eq!((&lines[3]["in"], &lines[3]["out"]), (&"2".into(), &"2".into()));
    assert_eq!(text(&lines[6], "/effect").get(..2), Some("-5"));
    assert_eq!(text(&lines[5], "/effect"), "+3");
    let bob = network.signer("bob").account.to_string();
    assert_eq!(lines[6]["counterparty"], format!("bob ({bob})"));
    assert_eq!(lines[6]["counterparty_account"], bob);
    let of_bob = history(&network, &["bob"]);
    assert_eq!(began + sum(&of_bob), units(balance(&network, "bob")));

    let everybody = history(&network, &[]);
    let heights: Vec<u64> = everybody.iter().map(|line| line["anchor"].as_u64().unwrap()).collect();
    assert!(heights.is_sorted_by(|newer, older| newer >= older), "{heights:?}");
    assert!(everybody.len() > lines.len() + of_bob.len());
    a_person_reads_it_safely(&network);
    filters_leave_out_what_was_not_asked_for(&network, &bob);
    tables_are_safe_to_open(&network);
}

/// A stranger's remark moves no cursor.
fn a_person_reads_it_safely(network: &Network) {
    let arguments = ["wallet", "history", "alice"];
    let shown = cli::finish(cli::command(&network.home).args(arguments));
    assert_eq!(shown.code, Some(0), "{shown:#?}");
    assert!(!shown.stdout.contains('\u{1b}'), "{shown:#?}");
    assert!(shown.stdout.contains("\u{fffd}[31mred") && shown.stdout.contains("REFUSED"));
}

fn filters_leave_out_what_was_not_asked_for(network: &Network, bob: &str) {
    let count = |arguments: &[&str]| history(network, &[&["alice"], arguments].concat()).len();
    assert_eq!(count(&["--kind", "bank"]), 7);
    assert_eq!(count(&["--kind", "bank.batch"]), 2);
    assert_eq!(count(&["--kind", "domains"]), 0);
    assert_eq!(count(&["--with", bob]), 4);
    assert_eq!(count(&["--with", "carol"]), 1);
    assert_eq!(count(&["--min", "4.5"]), 2);
    assert_eq!(count(&["--limit", "3"]), 3);
    assert_eq!(count(&["--since", "1999-12-31"]), 7);
    assert_eq!(count(&["--until", "1999-12-31"]), 0);
    assert_eq!(count(&["--since", "9999-12-31"]), 0);
    assert_eq!(count(&["--since", "2000-01-01", "--until", "9999-12-31T23:59:59Z"]), 7);
    let cut = network.ddt(&["wallet", "history", "alice", "--limit", "3"]).data();
    assert_eq!(cut["is_cut"], true);
    let refused_for = |arguments: &[&str], code: i32| {
        let ending = network.ddt(&[&["wallet", "history"], arguments].concat());
        assert_eq!(ending.code, Some(code), "{ending:#?}");
    };
    refused_for(&["alice", "--kind", "bank.nothing"], 2);
    refused_for(&["alice", "--since", "yesterday"], 2);
    refused_for(&["alice", "--since", "2026-02-30"], 2);
    refused_for(&["alice", "--since", "2026-01-02", "--until", "2026-01-01"], 2);
    refused_for(&["alice", "--min", "lots"], 3);
    refused_for(&["alice", "--limit", "0"], 2);
    refused_for(&["nobody"], 2);
    refused_for(&["alice", "--csv", "-"], 2);
    refused_for(&["alice", "--csv", "/no/such/folder/file"], 1);
    refused_for(&["alice", "--api", "http://127.0.0.1:1"], 5);
}

fn tables_are_safe_to_open(network: &Network) {
    let desk = Desk::new();
    let file = desk.path("history.csv");
    let written = network.ddt(&["wallet", "history", "alice", "--csv", &file]).data();
    assert_eq!(written["lines"], 7);
    assert_eq!(mode(&file), 0o600);
    let table = fs::read_to_string(&file).unwrap();
    assert!(table.ends_with("\r\n") && table.matches("\r\n").count() == 8);
    assert_eq!(table.matches('\n').count(), 8, "every line ends with CR LF");
    assert!(table.starts_with("time,anchor,account,"));
    for part in [",'=1+1\r\n", ",\"tea, \"\"two\"\"\"\r\n", "\u{fffd}[31mred"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let arguments = ["wallet", "history", "alice", "--csv", "-"];
    let printed = cli::finish(cli::command(&network.home).args(arguments));
    assert_eq!(printed.stdout, table);
}

// Broken by: reading the first page only, or a row twice at the seam of two pages.
#[test]
fn a_long_history_is_read_to_its_end() {
    let network = Network::new();
    let (alice, bob) = (network.signer("alice"), network.signer("bob"));
    for round in 0..230 {
        let stage = if round % 16 == 15 { "final" } else { "sequenced" };
        assert!(network.submit(stage, &alice.pay(&bob.account, "0.5")).status < 300);
    }
    assert_eq!(network.submit("final", &alice.pay(&bob.account, "0.5")).status, 200);
    let lines = history(&network, &["bob", "--limit", "1000"]);
    assert_eq!(lines.len(), 231);
    assert_eq!(sum(&lines), units(apt("115.5")));
    let ids: std::collections::BTreeSet<&str> =
        lines.iter().map(|line| text(line, "/id")).collect();
    assert_eq!(ids.len(), 231);
    assert_eq!(history(&network, &["bob"]).len(), 50);
    let unknown = network.ddt(&["wallet", "history", "apt1nobody"]);
    refused(&unknown, (2, "usage"), &["typing errors"]);
}
