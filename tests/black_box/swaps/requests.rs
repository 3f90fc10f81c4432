//! Payment requests and batches, from the command line.

use serde_json::Value as Json;

use crate::support::cli;
use crate::support::network::{Network, folder};

fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("{pointer}: {json}"))
}

// Broken by: paying what was not asked for, or on another network.
#[test]
fn requests_are_paid_as_they_ask() {
    let (network, other) = (Network::new(), Network::new());
    let ask = ["request", "5", "--to", "bob", "--memo", "a & b", "--expires", "1h"];
    let uri = text(&network.ddt(&ask).data(), "/uri").to_string();
    let bob = network.signer("bob").account.to_string();
    assert!(uri.starts_with(&format!("ddt:{bob}?amount=5&memo=a%20%26%20b&expires=")), "{uri}");
    let pay = |network: &Network, uri: &str, more: &[&str]| {
        network.ddt(&[&["pay", uri, "--from", "alice"], more].concat())
    };
    assert_eq!(pay(&other, &uri, &[]).refusal(), (2, "request.chain".to_string()));
    let more = pay(&network, &uri, &["--amount", "6"]);
    assert_eq!(more.refusal(), (2, "usage".to_string()));
    let demanding = pay(&network, &format!("{uri}&req-stamp=1"), &[]);
    assert_eq!(demanding.refusal(), (2, "request.required".to_string()));
    let cut = pay(&network, &uri[..uri.len() - 1], &[]);
    assert_eq!(cut.refusal(), (2, "request.chain".to_string()));
    let (start, chain) = uri.split_once("expires=").unwrap();
    let (_, chain) = chain.split_once('&').unwrap();
    let old = pay(&network, &format!("{start}expires=1&{chain}"), &[]);
    assert_eq!(old.refusal(), (2, "request.expired".to_string()));
    assert_eq!(network.balance(&bob), "1000000");

    let paid = pay(&network, &uri, &[]).data();
    assert_eq!(text(&paid, "/receipt/outcome"), "done");
    let event = network.json(&format!("/v1/events/{}", text(&paid, "/event")));
    assert_eq!(event["fields"]["memo"], "a & b");
    let open = format!("ddt:{bob}?{chain}");
    assert_eq!(pay(&network, &open, &[]).refusal(), (2, "usage".to_string()));
    pay(&network, &open, &["--amount", "2"]).data();
    assert_eq!(network.balance(&bob), "1000007");

    let people = cli::finish(cli::command(&network.home).args(ask));
    assert!(people.stdout.contains('█') && people.stdout.contains(&uri[..70]), "{people:#?}");
    let plain = cli::finish(cli::command(&network.home).args(ask).arg("--no-qr"));
    assert!(plain.stdout.starts_with("ddt:"), "{plain:#?}");
    let deceiving = network.ddt(&["request", "5", "--to", "bob", "--memo", "\u{1b}[2J"]);
    assert_eq!(deceiving.refusal(), (2, "request.memo".to_string()));
}

// Broken by: a batch that pays some, or a wrong line that is not named.
#[test]
fn a_file_becomes_one_event() {
    let (network, desk) = (Network::new(), folder());
    let path = desk.path().join("wages.csv");
    let batch = |content: &str| {
        std::fs::write(&path, content).unwrap();
        network.ddt(&["batch", path.to_str().unwrap(), "--from", "alice"])
    };
    let wrong = batch("# wages\nbob,5\nnobody,1\n");
    assert_eq!(wrong.refusal(), (2, "usage".to_string()));
    assert!(wrong.words().contains("line 3: nobody"), "{wrong:#?}");
    let much = batch("bob,5\ncarol,1000000\n");
    assert_eq!(much.refusal(), (3, "ledger.insufficient_funds".to_string()));
    let carol = network.signer("carol").account.to_string();
    let paid = batch(&format!("# wages\nbob, 5\n\n{carol},2.5 # half\n")).data();
    assert_eq!(text(&paid, "/receipt/outcome"), "done");
    assert_eq!(network.balance(&carol), "1000002.5");
    assert_eq!(network.json("/v1/status")["events"], 1);
    let missing = network.ddt(&["batch", "nowhere.csv", "--from", "alice"]);
    assert_eq!(missing.code, Some(1));
}
