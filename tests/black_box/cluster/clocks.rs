//! Routers whose clocks are off.

use ddt_ledger::{Amount, Millis};
use serde_json::Value as Json;

use crate::load::{all_is_well, final_at, pays, text};
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;
use crate::support::signer::{now_us, payment};

/// How far the clock is off, in milliseconds.
const OFF_MS: i64 = 1_800_000;
/// How long nothing happens, in milliseconds: far longer than `router_silent_ms`.
const HALT_MS: u64 = 3 * 24 * 3_600_000;

// Broken by: an anchor's time that is the latest statement, the earliest, or the proposer's
// own; a statement or a block that is refused because its time is far off, so that its router
// takes part no more; a router whose clock is behind, which finds nobody since it takes all cards
// for being too far ahead.
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

/// Who governs what, as a node says.
fn governed(node: &Node) -> Vec<Json> {
    let routers = node.json("/v1/views/zones/routers");
    let routers = routers["rows"].as_array().unwrap().iter().map(|row| {
        let names = ["account", "zone", "leaves", "is_out", "is_validator"];
        names.into_iter().map(|name| row["router"][name].clone()).collect()
    });
    let terms = (0..4).map(|zone| node.json(&format!("/v1/lanes/{zone}"))["term"].clone());
    routers.chain(terms).collect()
}

/// All bonds together.
fn bonds(node: &Node) -> Amount {
    let routers = node.json("/v1/views/zones/routers");
    let rows = routers["rows"].as_array().unwrap();
    let bonds = rows.iter().map(|row| text(&row["router"], "bond").parse::<Amount>().unwrap());
    bonds.fold(Amount::ZERO, |sum, bond| sum.plus(bond).unwrap())
}

// Broken by: an epoch clock that takes the whole halt for time that passed, in which every
// router was silent; a time that is refused because it is so far ahead.
#[test]
fn a_halt_of_three_days_punishes_nobody() {
    let mut cluster = Cluster::running(4, &[]);
    let follower = cluster.add_full_node(0);
    cluster.start_all();
    let mut finals = vec![pays(&cluster, 0)];
    let before = governed(&cluster.nodes[follower]);
    assert_eq!(before.len(), 4 + 4, "{before:?}");
    let bonded = bonds(&cluster.nodes[follower]);
    for node in &mut cluster.nodes {
        node.kill();
        node.environment = vec![("DDT_TEST_CLOCK_OFFSET_MS", HALT_MS.to_string())];
    }
    cluster.start_all();
    let now_ms = || now_us() / 1_000 + HALT_MS;
    for at in [0, 1, 2, 3, follower] {
        let person = &cluster.people[0];
        let mut draft = person.draft(&payment(&cluster.people[3].account, "1"));
        draft.valid_until = Millis(now_ms() + HALT_MS);
        let payment = person.sign(draft);
        finals.push(final_at(&cluster.nodes[at], &payment));
    }
    all_is_well(&cluster, &finals, &[]);
    let height = cluster.height();
    let time = cluster.nodes[0].json(&format!("/v1/anchors/{height}"))["time"].as_u64();
    let away = time.unwrap().abs_diff(now_ms());
    assert!(away < OFF_MS as u64, "an anchor's time is {away} ms off");
    assert_eq!(governed(&cluster.nodes[follower]), before);
    // What two routers sequenced is void at one of them, at a price of 0.00003 APT.
    let lost = bonded.minus(bonds(&cluster.nodes[follower])).unwrap();
    assert!(lost < "0.001".parse().unwrap(), "{lost} APT of bonds are gone");
}
