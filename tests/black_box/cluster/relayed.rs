//! A full node that asks a router for a place, by which others could reach it.

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
// a node that takes strangers' connections in although its operator did not say so.
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
    let refused = || cluster.nodes[other].log().contains("no place at a relay").then_some(());
    eventually("it is refused", refused);
    assert_eq!(places(&cluster.nodes[other]), Vec::<String>::new());
}
