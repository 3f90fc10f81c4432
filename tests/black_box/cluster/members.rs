//! Members of zones, where there are several.

use ddt_ledger::AccountId;
use serde_json::Value as Json;

use crate::load::{all_is_well, text, until_it_knows, until_it_seals};
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;
use crate::support::owners::{ddt, give_named, give_wallet, try_ddt};

/// Epochs of four seconds, and no patience with the dead.
const QUICK: [&str; 5] = [
    "epoch_ms=4000",
    "clock_step_ms_max=4000",
    "anchor_idle_ms=4000",
    "router_alive_ms=2000",
    "router_silent_ms=20000",
];

fn zone_of(node: &Node, account: &AccountId) -> Option<u64> {
    let answer = node.try_get(&format!("/v1/views/zones/member?account={account}"))?;
    (answer.status == 200).then(|| answer.json(200)["rows"][0]["member"]["zone"].as_u64())?
}

fn zones(node: &Node) -> Vec<Json> {
    node.json("/v1/zones")["rows"].as_array().unwrap().clone()
}

/// Four routers, a full node, and a person whose address is in zone 2.
fn a_member_of_zone_2(parameters: &[&str]) -> (Cluster, usize, String) {
    let mut cluster = Cluster::of(4, &[QUICK.as_slice(), parameters].concat());
    let full = cluster.add_full_node(0);
    cluster.start_all();
    let node = &cluster.nodes[full];
    for router in &cluster.nodes[..full] {
        until_it_seals(router);
        until_it_knows(node, router);
    }
    give_wallet(node, 3);
    let signed_up = ddt(node, 3, &["signup", "--from", "op", "--zone", "2"]);
    let address = text(&signed_up["member"], "address").to_string();
    assert_eq!(zone_of(node, &cluster.people[3].account), Some(2));
    (cluster, full, address)
}

// Broken by: an event that goes to any router instead of its author's; a member who is told that
// all is well while the zone has no router; a guest who gets another address; a zone without a
// router that is chosen.
#[test]
fn a_guest_joins_another_zone_and_keeps_the_address() {
    // Nobody is merged meanwhile.
    let slow = ["heartbeat_ms=600000", "inactive_ms=1800000", "lease_ms=3600000"];
    let (mut cluster, full, address) = a_member_of_zone_2(&slow);
    let (node, account) = (&cluster.nodes[full], cluster.people[3].account);
    // One hop: its own zone's router has it.
    let payment = cluster.people[3].pay(&cluster.people[0].account, "1");
    let paid = node.submit("final", &payment).unwrap().json(200);
    assert_eq!(paid["receipt"]["zone"], 2, "{paid}");
    let elsewhere = try_ddt(node, 3, &["signup", "--from", "op", "--zone", "1"]);
    assert_eq!(elsewhere.refusal(), (3, "zones.member_already".to_string()));

    cluster.nodes[2].kill();
    let node = &cluster.nodes[full];
    eventually("zone 2 has no router", || {
        zones(node)
            .iter()
            .any(|zone| zone["zone"] == 2 && zone["is_governed"] == false)
            .then_some(())
    });
    let again = ddt(node, 3, &["signup", "--from", "op"]);
    assert_eq!(text(&again["member"], "address"), address);
    let zone = zone_of(node, &account);
    assert!(zone.is_some_and(|zone| zone != 2), "{again}");
    let event = text(&paid, "event").to_string();
    all_is_well(&cluster, &[event], &[]);
}

// Broken by: a standby router that stays idle while every zone is full; a newcomer who is sent to
// a full zone.
#[test]
fn a_zone_opens_where_all_are_full_and_somebody_waits() {
    let mut cluster = Cluster::of(1, &[QUICK.as_slice(), &["zone_seats=4"]].concat());
    let second = cluster.add_full_node(0);
    cluster.start_all();
    let node = &cluster.nodes[second];
    (1..=3).for_each(|number| give_named(node, number, &format!("op{number}")));
    // A quarter of four seats is for newcomers: one fills the zone.
    ddt(node, 1, &["signup", "--from", "op1"]);
    let full = try_ddt(node, 2, &["signup", "--from", "op2"]);
    assert_eq!(full.refusal(), (3, "zones.newcomers_full".to_string()));
    ddt(node, 3, &["router", "bond", "20000", "--from", "op3"]);
    eventually("zone 1 opens", || (zones(node).len() == 2).then_some(()));
    eventually("the second node governs it", || {
        let status = node.try_get("/v1/status")?;
        (status.json(200)["node"]["role"] == "router").then_some(())
    });
    until_it_seals(&cluster.nodes[second]);
    let signed_up = ddt(node, 2, &["signup", "--from", "op2"]);
    assert_eq!(signed_up["member"]["zone"], 1, "{signed_up}");
    let payment = cluster.people[2].pay(&cluster.people[0].account, "1");
    let paid = cluster.nodes[second].submit("final", &payment).unwrap().json(200);
    assert_eq!(paid["receipt"]["zone"], 1, "{paid}");
    all_is_well(&cluster, &[text(&paid, "event").to_string()], &[]);
}

// Broken by: a dead zone whose members are guests for ever; a merged member who gets another
// address, or who is not heard of where it is now.
#[test]
fn members_of_a_dead_zone_are_merged_into_another() {
    let often = ["heartbeat_ms=3000", "inactive_ms=60000", "lease_ms=120000"];
    // The node itself is heard of for the member.
    let (mut cluster, full, address) = a_member_of_zone_2(&often);
    let account = cluster.people[3].account;
    cluster.nodes[2].kill();
    let node = &cluster.nodes[full];
    eventually("zone 3 has the member", || (zone_of(node, &account) == Some(3)).then_some(()));
    let member = node.json(&format!("/v1/views/zones/member?account={account}"));
    assert_eq!(text(&member["rows"][0]["member"], "address"), address);
    let payment = cluster.people[3].pay(&cluster.people[0].account, "1");
    let paid = node.submit("final", &payment).unwrap().json(200);
    assert_eq!(paid["receipt"]["zone"], 3, "{paid}");
    // The old router comes back, the member is heard of again, and stays where it is.
    cluster.start_all();
    let node = &cluster.nodes[full];
    let seen = || {
        let view = node.json(&format!("/v1/views/zones/member?account={account}"));
        view["rows"][0]["member"]["seen"].as_u64().unwrap()
    };
    eventually("zone 2 has a router", || {
        let governed = |zone: &Json| zone["zone"] == 2 && zone["is_governed"] == true;
        zones(node).iter().any(governed).then_some(())
    });
    let before = seen();
    eventually("the member is heard of", || (seen() > before).then_some(()));
    let event = text(&paid, "event").to_string();
    all_is_well(&cluster, &[event], &[]);
    assert_eq!(zone_of(&cluster.nodes[full], &account), Some(3));
}
