//! Networks that come apart, and long ways, by doors between the routers: what
//! `tests/black_box/partitions` does with namespaces, wherever nobody is root.

use std::thread;
use std::time::Duration;

use crate::load::{all_is_well, further, is_done, pays, under_load, until_it_seals, waits_in_vain};
use crate::support::cluster::{Cluster, Node};
use crate::support::doors::{self, Way};
use crate::support::{Dice, eventually};

/// Anchors that those who are too few may still have: votes for them were there already.
const UNDER_WAY: u64 = 2;

/// Four routers that all seal; none where there can be no doors.
fn four() -> Option<Cluster> {
    let cluster = doors::are_possible().then(|| Cluster::apart(4, &[]))?;
    cluster.nodes.iter().for_each(until_it_seals);
    Some(cluster)
}

/// Else bytes could pass beside the doors.
fn nobody_knows_a_way_around(cluster: &Cluster) {
    let own = |node: &Node| {
        ["tcp", "udp"].map(|kind| format!("/ip4/{}/{kind}/{}", node.ip, node.ports.0))
    };
    let own: Vec<String> = cluster.nodes.iter().flat_map(own).collect();
    for node in &cluster.nodes {
        let said = node.private("/v1/node");
        let peers = said["peers"].as_array().unwrap();
        assert!(!peers.is_empty(), "{said}");
        for address in peers.iter().flat_map(|peer| peer["addresses"].as_array().unwrap()) {
            let address = address.as_str().unwrap();
            let is_around = own.iter().any(|own| address.starts_with(own.as_str()));
            assert!(!is_around, "{} reaches another at {address}", node.home.display());
        }
    }
}

// Broken by: an anchor that two of four can decide (both halves would go on: two histories); a
// half that ends, or does not find the other again.
#[test]
fn two_halves_decide_nothing_and_heal() {
    let Some(mut cluster) = four() else { return };
    let mut finals = vec![pays(&cluster, 0), pays(&cluster, 2)];
    cluster.doors().part(&[0, 1]);
    let before = cluster.height();
    for (at, person) in [(0, 0), (2, 1)] {
        finals.push(waits_in_vain(&cluster, at, person));
    }
    let after = cluster.height();
    assert!(after <= before + UNDER_WAY, "half a network went from {before} to {after}");
    assert!(cluster.nodes.iter_mut().all(Node::is_alive));
    cluster.doors().heal();
    for event in &finals {
        eventually("what was promised is final", || {
            is_done(&cluster.nodes[0], event).then_some(())
        });
    }
    finals.push(pays(&cluster, 3));
    nobody_knows_a_way_around(&cluster);
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: three that wait for the fourth; a fourth that decides alone, or does not catch up;
// a node with `network.external` that names another address.
#[test]
fn three_go_on_without_the_fourth_and_it_catches_up() {
    let Some(mut cluster) = four() else { return };
    nobody_knows_a_way_around(&cluster);
    let mut finals = under_load(&mut cluster, |cluster, paid| {
        further(paid, 5);
        cluster.doors().part(&[3]);
        let parted = cluster.nodes[3].height();
        further(paid, 15);
        let behind = cluster.nodes[3].height();
        assert!(behind <= parted + UNDER_WAY, "alone it went from {parted} to {behind}");
        assert!(behind < cluster.height(), "the fourth hears nothing");
        cluster.doors().heal();
        let there = cluster.height();
        further(paid, 15);
        eventually("it has caught up", || (cluster.nodes[3].height() >= there).then_some(()));
    });
    finals.push(pays(&cluster, 3));
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: a connection that is believed dead for ever, or alive for ever; a vote or a block
// that is told once only.
#[test]
fn links_that_come_and_go_lose_nothing() {
    let Some(mut cluster) = four() else { return };
    let mut dice = Dice(7);
    let finals = under_load(&mut cluster, |cluster, paid| {
        for _ in 0..15 {
            let one = dice.below(4);
            let other = (one + 1 + dice.below(3)) % 4;
            cluster.doors().set(&[one], &[other], Way::Closed);
            thread::sleep(Duration::from_millis(100 + dice.roll() % 900));
            cluster.doors().heal();
        }
        further(paid, 15);
    });
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: a timeout that is shorter than what a vote takes over a long way, and does not
// grow; a message that is told once only.
#[test]
fn long_ways_and_lost_packets_only_make_it_slow() {
    let Some(mut cluster) = four() else { return };
    cluster.doors().all(Way::Long { delay_ms: 100, jitter_ms: 50, loss_percent: 5 });
    let mut finals = under_load(&mut cluster, |_, paid| further(paid, 10));
    finals.extend((0..4).map(|at| pays(&cluster, at)));
    nobody_knows_a_way_around(&cluster);
    all_is_well(&cluster, &finals, &[]);
}
