//! A full node that asks a router for a place, by which others could reach it.

use serde_json::Value;

use crate::load::text;
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;

fn name(node: &Node) -> String {
    let status = node.json("/v1/status");
    format!("{}/p2p/{}", node.multiaddr(), text(&status["node"], "peer_id"))
}

/// The addresses by way of relays.
fn places(node: &Node) -> Vec<String> {
    let private = node.private("/v1/node");
    let addresses = private["addresses"].as_array().unwrap().iter();
    let addresses = addresses.map(|address| address.as_str().unwrap().to_string());
    addresses.filter(|address| address.contains("/p2p-circuit")).collect()
}

// Broken by: a setting without effect; one that is wrong and found out after the node has synced;
// a node that takes strangers' connections in although its operator did not say so; one that is
// never told whether it can be dialled.
#[test]
fn a_node_keeps_a_place_where_its_operator_says() {
    let mut cluster = Cluster::of(1, &[]);
    cluster.nodes[0].environment = vec![("DDT_NETWORK_RELAY", "true".to_string())];
    cluster.start_all();
    let hidden = cluster.add_full_node(0);
    let unnamed = cluster.nodes[0].multiaddr();
    cluster.nodes[hidden].environment = vec![("DDT_NETWORK_RELAYS", unnamed)];
    let ending = cluster.nodes[hidden].try_start().unwrap_err();
    assert!(ending.stderr.contains("ends with /p2p/"), "{ending:?}");
    assert!(ending.stderr.contains("network.*"), "{ending:?}");

    let relay = name(&cluster.nodes[0]);
    cluster.nodes[hidden].environment = vec![("DDT_NETWORK_RELAYS", relay.clone())];
    cluster.start_all();
    let node = &cluster.nodes[hidden];
    let place = eventually("a place at the relay", || places(node).first().cloned());
    // Over TCP or QUIC: the relay says how it is reached.
    let end = relay.split_once("/p2p/").unwrap().1;
    assert!(place.contains(&format!("/p2p/{end}/p2p-circuit/")), "{place}");

    let other = cluster.add_full_node(0);
    let asked = name(&cluster.nodes[hidden]);
    cluster.nodes[other].environment = vec![("DDT_NETWORK_RELAYS", asked)];
    cluster.start_all();
    cluster.agree();
    // Who relays tries whether others can be dialled, too, and tells them. Where they come from
    // nobody can dial them: that is the one address that all of loopback has, and they listen at
    // others. Whether those are tried as well depends on who dials whom.
    let relays_key = cluster.nodes[0].private("/v1/node")["network_key"].clone();
    eventually("it is told, and its doctor says so", || {
        let private = cluster.nodes[other].private("/v1/node");
        let tried = private["reached"].as_array().unwrap();
        assert!(tried.iter().all(|row| row["by"] == relays_key), "{tried:?}");
        assert!(tried.iter().all(|row| row["is_near"] == true), "{tried:?}");
        tried.iter().find(|row| row["is_reached"] == false)?;
        let is_reached = tried.iter().any(|row| row["is_reached"] == true);
        let doctor = cluster.nodes[other].ddt(&["doctor"]).data();
        let checks = doctor["checks"].as_array().unwrap();
        let said = checks.iter().find(|check| check["check"] == "reached").unwrap();
        let is_named = |row: &Value| text(said, "words").contains(text(row, "address"));
        let is_true = match is_reached {
            true => said["level"] == "ok",
            false => said["level"] == "warning" && text(said, "advice").contains("network.relays"),
        };
        (is_true && tried.iter().any(is_named)).then_some(())
    });
    let refused = || cluster.nodes[other].log().contains("no place at a relay").then_some(());
    eventually("it is refused", refused);
    assert_eq!(places(&cluster.nodes[other]), Vec::<String>::new());
}
