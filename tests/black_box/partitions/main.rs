//! Networks that come apart: each node in a network namespace of its own. Needs root, so
//! `.ci/partitions` runs it.

mod ground;
#[path = "../cluster/load.rs"]
mod load;
#[path = "../support/mod.rs"]
mod support;

use std::thread;
use std::time::Duration;

use ground::Ground;
use load::{all_is_well, further, is_done, pays, under_load, until_it_seals, waits_in_vain};
use support::cluster::Cluster;
use support::{Dice, eventually};

/// A network of four on a ground of its own.
fn four() -> (Ground, Cluster) {
    let ground = Ground::new(4);
    let mut cluster = Cluster::placed(4, &[], |home, number| ground.node(home, number));
    cluster.start_all();
    cluster.nodes.iter().for_each(until_it_seals);
    (ground, cluster)
}

// Broken by: an anchor that two of four can decide (both halves would go on: two histories);
// a half that does not find the other again.
#[test]
#[ignore = "needs root and network namespaces: .ci/partitions"]
fn two_halves_decide_nothing_and_heal() {
    let (ground, cluster) = four();
    let mut finals = vec![pays(&cluster, 0), pays(&cluster, 2)];
    ground.cut(&[1, 2], &[3, 4]);
    for (at, person) in [(0, 0), (2, 1)] {
        finals.push(waits_in_vain(&cluster, at, person));
    }
    ground.heal();
    for event in &finals {
        eventually("what was promised is final", || {
            is_done(&cluster.nodes[0], event).then_some(())
        });
    }
    finals.push(pays(&cluster, 3));
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: three that wait for the fourth; a fourth that decides alone, or does not catch up.
#[test]
#[ignore = "needs root and network namespaces: .ci/partitions"]
fn three_go_on_without_the_fourth_and_it_catches_up() {
    let (ground, mut cluster) = four();
    let finals = under_load(&mut cluster, |cluster, paid| {
        further(paid, 5);
        ground.cut(&[1, 2, 3], &[4]);
        further(paid, 15);
        let behind = cluster.nodes[3].height();
        assert!(behind < cluster.height(), "the fourth hears nothing");
        ground.heal();
        further(paid, 15);
        eventually("it has caught up", || (cluster.nodes[3].height() > behind).then_some(()));
    });
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: a connection that is believed dead for ever, or alive for ever; a vote or a block
// that is told once only.
#[test]
#[ignore = "needs root and network namespaces: .ci/partitions"]
fn links_that_come_and_go_lose_nothing() {
    let (ground, mut cluster) = four();
    let mut dice = Dice(7);
    let finals = under_load(&mut cluster, |_, paid| {
        for _ in 0..15 {
            let one = dice.below(4) + 1;
            let other = (one + dice.below(3)) % 4 + 1;
            ground.cut(&[one], &[other]);
            thread::sleep(Duration::from_millis(100 + dice.roll() % 900));
            ground.heal();
        }
        further(paid, 15);
    });
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: a timeout that is shorter than what a vote takes over a long way, and does not
// grow; a message that is told once only.
#[test]
#[ignore = "needs root, network namespaces and netem: .ci/partitions"]
fn long_ways_and_lost_packets_only_make_it_slow() {
    let (ground, mut cluster) = four();
    assert!(ground.slow("delay 100ms 50ms loss 5%"), "this kernel has no netem");
    let finals = under_load(&mut cluster, |_, paid| further(paid, 10));
    all_is_well(&cluster, &finals, &[]);
}
