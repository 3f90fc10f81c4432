//! A router that promises what it does not do. What it signed costs its bond.

use ddt_ledger::codec::decode;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::{Hash, PublicKey, Signature};
use serde_json::Value;

use crate::load::{all_is_well, home_of, is_done, pays, text, until_it_knows, until_it_seals};
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;
use crate::support::owners::{ddt, give_wallet};

/// Four routers and a full node that no account authorised. The home of the first person's events
/// promises them and sequences none.
fn misled() -> (Cluster, usize, usize) {
    let mut cluster = Cluster::of(4, &[]);
    let victim = cluster.people[0].account;
    let liar = home_of(&victim, 4);
    cluster.nodes[liar].environment = vec![("DDT_TEST_TREASON", format!("mislead:{victim}"))];
    let full = cluster.add_full_node((liar + 1) % 4);
    cluster.start_all();
    for router in &cluster.nodes[..full] {
        until_it_seals(router);
        until_it_knows(&cluster.nodes[full], router);
    }
    (cluster, liar, full)
}

/// The victim's payment is promised at this node.
fn promised(cluster: &Cluster, at: usize) -> Value {
    let payment = cluster.person(0).pay(&cluster.people[1].account, "1");
    let answer = cluster.nodes[at].submit("sequenced", &payment).unwrap().json(200);
    assert_eq!(text(&answer, "stage"), "sequenced", "{answer}");
    answer
}

fn until_it_is_out(node: &Node) {
    eventually("a router is out", || {
        let view = node.json("/v1/views/zones/routers");
        let rows = view["rows"].as_array().unwrap();
        rows.iter().any(|row| row["router"]["is_out"] == true).then_some(())
    });
}

/// The full node says what it saw, and the liar loses its bond; other routers sequence what it did
/// not.
fn is_found_out(cluster: &Cluster, (liar, full): (usize, usize), word: &str, answers: &[Value]) {
    let node = &cluster.nodes[full];
    until_it_is_out(node);
    let mut finals: Vec<String> = answers.iter().map(|one| text(one, "event").into()).collect();
    for event in &finals {
        eventually("it is final", || is_done(node, event).then_some(()));
    }
    finals.push(pays(cluster, (liar + 1) % 4));
    let log = node.log();
    assert!(log.contains(&format!("the router of zone {liar} {word}")), "{log}");
    all_is_well(cluster, &finals, &[liar]);
}

// Broken by: promises that nobody compares; a node without an account that keeps what it saw to
// itself; routers that do not take another node's word to the ledger.
#[test]
fn a_number_promised_to_two_events_costs_the_bond() {
    let (cluster, liar, full) = misled();
    let answers = [promised(&cluster, full), promised(&cluster, full)];
    let place = |answer: &Value| {
        ["zone", "term", "number"].map(|name| answer["soft_receipt"][name].as_u64())
    };
    assert_eq!(place(&answers[0]), place(&answers[1]));
    assert_eq!(place(&answers[0])[0], Some(liar as u64));
    is_found_out(&cluster, (liar, full), "promised number", &answers);
}

// Broken by: a promise that is not compared with what stands in its place, or only until its event
// came elsewhere.
#[test]
fn a_promise_that_a_block_breaks_costs_the_bond() {
    let (cluster, liar, full) = misled();
    let answer = promised(&cluster, full);
    // Somebody else has the number.
    let payment = cluster.person(2).pay(&cluster.people[3].account, "1");
    let paid = cluster.nodes[liar].submit("final", &payment).unwrap().json(200);
    is_found_out(&cluster, (liar, full), "broke its promise", &[answer, paid]);
}

// Broken by: a soft receipt that is shown without what was signed of it; evidence that only nodes
// may give.
#[test]
fn whoever_has_two_promises_of_one_number_can_report_it() {
    let (cluster, liar, _) = misled();
    let answers = [promised(&cluster, liar), promised(&cluster, liar)];
    let key = text(&cluster.nodes[0].json(&format!("/v1/zones/{liar}")), "key").to_string();
    let signer = PublicKey(Hash::from_hex(&key).unwrap().0);
    let promises = answers.each_ref().map(|answer| {
        let soft = &answer["soft_receipt"];
        let bytes = hex::decode(text(soft, "bytes")).unwrap();
        let receipt: SoftReceipt = decode(&bytes, 256).unwrap();
        assert_eq!(receipt.event.to_string(), text(answer, "event"));
        let signature = hex::decode(text(soft, "signature")).unwrap();
        let signature = Signature(signature.try_into().unwrap());
        assert!(signer.verifies(&receipt.digest(), &signature));
        (text(soft, "bytes").to_string(), text(soft, "signature").to_string())
    });
    let [(first, one), (second, two)] = promises;
    let node = &cluster.nodes[(liar + 1) % 4];
    give_wallet(node, 2);
    let before = node.balance(&cluster.people[2].account);
    let fields = [
        "fault=receipts".to_string(),
        format!("key={key}"),
        format!("first={first}"),
        format!("first_signature={one}"),
        format!("second={second}"),
        format!("second_signature={two}"),
    ];
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let send = [&["send", "zones.evidence", "--from", "op"], fields.as_slice()].concat();
    ddt(node, 2, &send);
    let after = node.balance(&cluster.people[2].account);
    let units = |text: &str| text.parse::<ddt_ledger::Amount>().unwrap().units();
    assert!(units(&after) > units(&before), "a twentieth of the bond: {before}, {after}");
    until_it_is_out(node);
    all_is_well(&cluster, &[], &[liar]);
}
