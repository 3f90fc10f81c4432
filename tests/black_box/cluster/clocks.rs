//! Routers whose clocks are off.

use crate::load::{all_is_well, pays};
use crate::support::cluster::Cluster;
use crate::support::eventually;
use crate::support::signer::now_us;

/// How far the clock is off, in milliseconds.
const OFF_MS: i64 = 1_800_000;

// Broken by: an anchor's time that is the latest statement, the earliest, or the proposer's
// own; a statement or a block that is refused because its time is far off, so that its router
// takes part no more.
#[test]
fn a_clock_that_is_off_moves_nobodys_time_and_nobody_is_punished() {
    let mut cluster = Cluster::running(4, &[]);
    let mut finals = Vec::new();
    for offset in [OFF_MS, -OFF_MS] {
        cluster.nodes[3].kill();
        cluster.nodes[3].environment = vec![("DDT_TEST_CLOCK_OFFSET_MS", offset.to_string())];
        cluster.nodes[3].start();
        finals.extend((0..4).map(|at| pays(&cluster, at)));
        // With another one dead, its statements are needed.
        cluster.nodes[0].kill();
        finals.extend([1, 2, 3].map(|at| pays(&cluster, at)));
        cluster.nodes[0].start();
        finals.push(pays(&cluster, 0));
        let height = cluster.height();
        cluster.agree();
        let time = cluster.nodes[0].json(&format!("/v1/anchors/{height}"))["time"].as_u64();
        let away = time.unwrap().abs_diff(now_us() / 1_000);
        assert!(away < OFF_MS as u64 / 2, "an anchor's time is {away} ms off");
    }
    all_is_well(&cluster, &finals, &[]);
    for at in 0..3 {
        eventually("every router is connected", || {
            let peers = cluster.nodes[at].ddt(&["node", "peers"]).data();
            let routers = peers.as_array()?.iter().filter(|peer| peer["role"] == "router");
            (routers.count() == 3).then_some(())
        });
    }
}
