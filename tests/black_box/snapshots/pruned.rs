//! Nodes that forget what happened long ago.

use crate::support::eventually;
use crate::{network, set};

// Broken by: history that stays although its operator wants none, or goes without a word; a
// router that forgets a block or an anchor that it goes on from; a node with all history that
// asks those who have none; balances that change by it.
#[test]
fn a_router_forgets_old_history_and_goes_on() {
    let mut cluster = network();
    let to = cluster.people[3].account;
    let archive = cluster.add_full_node(0);
    cluster.start_all();
    cluster.nodes[0].interrupt();
    set(&cluster.nodes[0].home, "[history]\nepochs = 1\n");
    cluster.nodes[0].start();
    let (mut paid, mut events) = (0, Vec::new());
    let lowest = eventually("the router forgets", || {
        let payment = cluster.people[0].pay(&to, "1");
        let answer = cluster.nodes[0].submit("final", &payment).unwrap().json(200);
        events.push(answer["event"].as_str().unwrap().to_string());
        paid += 1;
        let lowest = cluster.nodes[0].json("/v1/status")["lowest"].as_u64().unwrap();
        (lowest > 3).then_some(lowest)
    });
    let paths = ["/v1/anchors/2".to_string(), format!("/v1/events/{}", events[0])];
    for path in &paths {
        let gone = eventually("it is gone", || {
            let answer = cluster.nodes[0].try_get(path)?;
            (answer.status == 404).then(|| answer.json(404))
        });
        let words = gone["detail"].as_str().unwrap();
        assert!(words.contains("history") && words.contains("lowest"), "{words}");
        assert_eq!(cluster.nodes[archive].try_get(path).unwrap().status, 200);
    }
    // It goes on, also after it was killed, and others see no difference.
    cluster.nodes[0].kill();
    cluster.nodes[0].start();
    assert!(cluster.nodes[0].json("/v1/status")["lowest"].as_u64().unwrap() >= lowest);
    let payment = cluster.people[0].pay(&to, "1");
    assert_eq!(cluster.nodes[archive].submit("final", &payment).unwrap().status, 200);
    cluster.agree();
    let balance = (1_000_000 + paid + 1).to_string();
    assert_eq!(cluster.nodes[0].balance(&to), balance);
    // Who wants all history gets it, although the peer it was told of has little.
    let whole = cluster.add_full_node(0);
    set(&cluster.nodes[whole].home, "[sync]\nfrom = \"genesis\"\n");
    cluster.start_all();
    eventually("all history", || {
        (cluster.nodes[whole].anchor(1)? == cluster.nodes[archive].anchor(1)?).then_some(())
    });
    cluster.agree();
    assert_eq!(cluster.nodes[whole].balance(&to), balance);
}
