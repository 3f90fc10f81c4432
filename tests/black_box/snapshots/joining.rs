//! A node that joins has the same state as all others, and says what it has not.

use crate::support::eventually;
use crate::{network, newest, set};

// Broken by: snapshots that nobody makes or serves; a book that does not go on from its
// snapshot; history that is missing without a word; a follower that asks only those who have
// none.
#[test]
fn a_new_node_begins_with_a_snapshot_and_agrees_with_all() {
    let mut cluster = network();
    let to = cluster.people[3].account;
    let mut first = String::new();
    for _ in 0..4 {
        let payment = cluster.people[0].pay(&to, "1");
        let answer = cluster.nodes[0].submit("final", &payment).unwrap().json(200);
        first = answer["event"].as_str().unwrap().to_string();
    }
    let paid_at = cluster.height();
    newest(&cluster.nodes[0].home, paid_at);
    let joined = cluster.add_full_node(0);
    set(&cluster.nodes[joined].home, "[sync]\nahead_min = 1\n");
    cluster.start_all();
    let node = &cluster.nodes[joined];
    let status = node.json("/v1/status");
    let lowest = status["lowest"].as_u64().unwrap();
    assert!(lowest > paid_at, "it has all history: {status}");
    assert_eq!(node.balance(&to), "1000004");
    let node = &cluster.nodes[joined];
    for path in [format!("/v1/anchors/{}", lowest - 2), format!("/v1/events/{first}")] {
        let answer = node.try_get(&path).unwrap();
        let problem = answer.json(404);
        let words = problem["detail"].as_str().unwrap();
        assert!(words.contains("history") && words.contains(&lowest.to_string()), "{words}");
    }
    // It goes on as everybody else does, also after a stop.
    let payment = cluster.people[1].pay(&to, "1");
    assert_eq!(cluster.nodes[joined].submit("final", &payment).unwrap().status, 200);
    assert_eq!(cluster.nodes[joined].interrupt(), Some(0));
    cluster.start_all();
    let height = cluster.height();
    (lowest - 1..=height).for_each(|at| cluster.agree_at(at));
    assert_eq!(cluster.nodes[joined].json("/v1/status")["lowest"], lowest);
    // Who wants all history gets it, although the only peer it was told of has none.
    let whole = cluster.add_full_node(joined);
    set(&cluster.nodes[whole].home, "[sync]\nfrom = \"genesis\"\n");
    cluster.start_all();
    eventually("all history", || cluster.nodes[whole].anchor(height));
    let anchor = |at: usize| cluster.nodes[at].anchor(1);
    assert_eq!(anchor(whole), anchor(0));
    assert_eq!(cluster.nodes[whole].balance(&to), "1000005");
}
