//! A router that promises what it does not do. What it signed costs its bond.

use ddt_ledger::codec::decode;
use ddt_ledger::lane::SoftReceipt;
use ddt_ledger::{Hash, PublicKey, Signature};
use serde_json::Value;

use crate::load::{all_is_well, home_of, pays, text, until_it_seals};
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
    until_it_seals(&cluster.nodes[liar]);
    let key = cluster.nodes[liar].private("/v1/node")["router_key"].clone();
    eventually("the full node knows the liar", || {
        let private = cluster.nodes[full].private("/v1/node");
        let mut peers = private["peers"].as_array().unwrap().iter();
        peers.any(|peer| peer["router_key"] == key).then_some(())
    });
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

fn until_final(node: &Node, answers: &[Value]) -> Vec<String> {
    let events: Vec<String> = answers.iter().map(|answer| text(answer, "event").into()).collect();
    for event in &events {
        eventually("it is final", || {
            let found = node.try_get(&format!("/v1/events/{event}"))?;
            (found.status == 200 && found.json(200)["outcome"] == "done").then_some(())
        });
    }
    events
}

// Broken by: promises that nobody compares; a node without an account that keeps what it saw to
// itself; routers that do not take another node's word to the ledger.
#[test]
fn a_number_promised_to_two_events_costs_the_bond() {
    let (cluster, liar, full) = misled();
    let answers = [promised(&cluster, full), promised(&cluster, full)];
    let number = |answer: &Value| answer["soft_receipt"]["number"].clone();
    assert_eq!(number(&answers[0]), number(&answers[1]));
    until_it_is_out(&cluster.nodes[full]);
    // Other routers sequenced them in the end.
    let mut finals = until_final(&cluster.nodes[full], &answers);
    finals.push(pays(&cluster, (liar + 1) % 4));
    let log = cluster.nodes[full].log();
    assert!(log.contains(&format!("the router of zone {liar} promised number")), "{log}");
    all_is_well(&cluster, &finals, &[liar]);
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
    let other = text(&paid, "event").to_string();
    until_it_is_out(&cluster.nodes[full]);
    let mut finals = until_final(&cluster.nodes[full], &[answer]);
    finals.push(other);
    let log = cluster.nodes[full].log();
    assert!(log.contains(&format!("the router of zone {liar} broke its promise")), "{log}");
    all_is_well(&cluster, &finals, &[liar]);
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
