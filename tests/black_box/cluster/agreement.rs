//! What everybody sees when nothing fails.

use crate::support::cluster::Cluster;
use crate::support::eventually;

// Broken by: anchors that need only the proposer's own time statement; a block that is not
// sent to the others; votes that do not count; a full node that executes something else.
#[test]
fn four_routers_and_a_full_node_have_one_history() {
    let mut cluster = Cluster::running(4, &[]);
    let full = cluster.add_full_node(2);
    cluster.start_all();
    assert_eq!(cluster.nodes[full].data["role"], "full node");
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
    let zones = cluster.nodes[0].json("/v1/zones");
    let rows = zones["rows"].as_array().or(zones["zones"].as_array()).unwrap().clone();
    assert_eq!(rows.len(), 4, "{zones}");
    let peers = eventually("the full node is connected", || {
        let peers = cluster.nodes[full].ddt(&["node", "peers"]).data();
        (!peers.as_array().unwrap().is_empty()).then_some(peers)
    });
    assert_eq!(peers[0]["role"], "router");
    for node in &mut cluster.nodes {
        assert_eq!(node.interrupt(), Some(0));
    }
}
