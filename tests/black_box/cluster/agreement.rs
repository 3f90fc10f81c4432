//! What everybody sees when nothing fails.

use crate::load::until_it_seals;
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;

/// Whoever asks a node sees four zones, with a router each that votes, and who they are.
fn each_zone_is_seen(node: &Node) {
    let zones = node.ddt(&["zone", "list"]).data()["rows"].clone();
    let routers = node.ddt(&["router", "list"]).data()["routers"].clone();
    let zones = zones.as_array().unwrap();
    let numbers: Vec<Option<u64>> = zones.iter().map(|zone| zone["zone"].as_u64()).collect();
    assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(3)], "{zones:?}");
    for zone in zones {
        let votes = ["is_governed", "is_validator"].map(|name| zone[name].as_bool());
        assert_eq!(votes, [Some(true); 2], "{zone}");
        let all = routers.as_array().unwrap();
        let router = all.iter().find(|row| row["router"]["account"] == zone["router"]).unwrap();
        let router = &router["router"];
        assert_eq!(router["zone"], zone["zone"], "{router}");
        let votes = ["is_validator", "will_validate"].map(|name| router[name].as_bool());
        assert_eq!(votes, [Some(true); 2], "{router}");
        let number = zone["zone"].to_string();
        let shown = node.ddt(&["zone", "show", &number]).data();
        assert_eq!(shown["rows"][0]["bond"], router["bond"], "{shown}");
    }
    assert_eq!(node.ddt(&["zone", "show", "4"]).refusal(), (4, "request.not_found".to_string()));
}

// Broken by: anchors that need only the proposer's own time statement; a block that is not
// sent to the others; votes that do not count; a full node that executes something else; a zone
// that its node does not show, or with another one's router.
#[test]
fn four_routers_and_a_full_node_have_one_history() {
    let mut cluster = Cluster::running(4, &[]);
    let full = cluster.add_full_node(2);
    cluster.start_all();
    assert_eq!(cluster.nodes[full].data["role"], "full node");
    cluster.nodes[..full].iter().for_each(until_it_seals);
    let to = cluster.people[3].account;
    for round in 0..3 {
        for at in 0..cluster.nodes.len() {
            let from = &cluster.people[(at + round) % 3];
            let answer = cluster.nodes[at].submit("final", &from.pay(&to, "1")).unwrap();
            let receipt = answer.json(200);
            assert_eq!(receipt["stage"], "final", "at node {at}: {receipt}");
        }
    }
    cluster.agree();
    for node in &cluster.nodes {
        assert_eq!(node.balance(&to), "1000015");
    }
    // Every zone's lane has counted something: clients at different routers.
    for zone in 0..full {
        let lane = cluster.nodes[0].json(&format!("/v1/lanes/{zone}"));
        assert!(lane["height"].as_u64() > Some(0), "{lane}");
    }
    each_zone_is_seen(&cluster.nodes[full]);
    eventually("the full node is connected with routers", || {
        let peers = cluster.nodes[full].ddt(&["node", "peers"]).data();
        let peers = peers.as_array().unwrap();
        let are_routers = peers.iter().all(|peer| peer["role"] == "router");
        (!peers.is_empty() && are_routers).then_some(())
    });
    for node in &mut cluster.nodes {
        assert_eq!(node.interrupt(), Some(0));
    }
}
