//! Routers that lost what they signed: whoever signs without knowing it may sign twice.

use std::fs;

use serde_json::Value as Json;

use crate::load::{all_is_well, further, pays, role, text, under_load, until_it_seals};
use crate::support::cluster::{Cluster, Node};
use crate::support::eventually;

fn lose(node: &Node, names: &[&str]) {
    for name in names {
        let path = node.home.join(name);
        let lost = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        lost.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// A zone's lane.
fn lane_of(node: &Node, zone: usize) -> Json {
    node.json(&format!("/v1/lanes/{zone}"))
}

// Broken by: a router that takes an empty folder for a new one (it signs again where it has
// signed before); a loss that is forgotten at the next start, when there are new files; a
// router that votes before it has caught up; a lane that goes on in the term whose blocks may
// be lost.
#[test]
fn a_router_that_lost_its_disk_signs_nothing_until_told() {
    let mut cluster = Cluster::running(4, &[]);
    until_it_seals(&cluster.nodes[3]);
    // Its lane has blocks: promised, anchored, and maybe neither known here nor elsewhere.
    let mut finals: Vec<String> = (0..3).map(|_| pays(&cluster, 3)).collect();
    assert!(lane_of(&cluster.nodes[3], 3)["height"].as_u64() > Some(0));
    finals.extend(under_load(&mut cluster, |cluster, paid| {
        further(paid, 10);
        cluster.nodes[3].kill();
        cluster.lose_disk(3);
        cluster.nodes[3].start();
        further(paid, 10);
    }));
    assert_eq!(text(&cluster.nodes[3].data, "role"), "silent router");
    let log = cluster.nodes[3].log();
    assert!(log.contains("SIGNS NOTHING") && log.contains("--accept-lost-data"), "{log}");
    all_is_well(&cluster, &finals, &[]);
    let term = lane_of(&cluster.nodes[0], 3)["term"].as_u64();
    // By now it has files again; it must not believe them.
    cluster.nodes[3].interrupt();
    cluster.nodes[3].start();
    assert_eq!(text(&cluster.nodes[3].data, "role"), "silent router");
    // Whoever asks it is served: others sequence what it is given.
    finals.push(pays(&cluster, 3));
    cluster.nodes[3].interrupt();
    cluster.nodes[3].flags = vec!["--accept-lost-data"];
    cluster.nodes[3].start();
    eventually("it votes again", || (role(&cluster.nodes[3]) == "router").then_some(()));
    // Without it these three would be two and decide nothing.
    cluster.nodes[0].kill();
    finals.push(pays(&cluster, 1));
    // It asks for the end of the term in which it may have sealed more than it knows.
    eventually("its lane goes on in another term", || {
        (lane_of(&cluster.nodes[1], 3)["term"].as_u64() > term).then_some(())
    });
    // And it needs to be told once only.
    cluster.nodes[3].kill();
    cluster.nodes[3].flags.clear();
    cluster.start_all();
    assert_eq!(text(&cluster.nodes[3].data, "role"), "router");
    finals.extend([pays(&cluster, 2), pays(&cluster, 3)]);
    all_is_well(&cluster, &finals, &[]);
}

// Broken by: taking the only router of a genesis file, its disk empty but for the key, for a
// new one: it would decide a second history, alone.
#[test]
fn the_only_router_that_lost_its_disk_begins_no_second_history() {
    let mut cluster = Cluster::running(1, &[]);
    let other = cluster.add_full_node(0);
    cluster.start_all();
    pays(&cluster, 0);
    cluster.agree();
    cluster.nodes[0].kill();
    lose(&cluster.nodes[0], &["book.redb", "lanes.redb", "agents.redb", "consensus"]);
    for flags in [vec![], vec!["--accept-lost-data"], vec![]] {
        cluster.nodes[0].flags = flags;
        cluster.nodes[0].start();
        assert_eq!(text(&cluster.nodes[0].data, "role"), "silent router");
        let log = cluster.nodes[0].log();
        assert!(log.contains("SIGNS NOTHING"), "{log}");
        let doctor = cluster.nodes[0].ddt(&["node", "doctor"]);
        assert!(doctor.stdout.contains("lost what it signed"), "{doctor:#?}");
        // It learns its own history from who followed, and adds nothing to it.
        cluster.agree();
        assert_eq!(cluster.nodes[0].height(), cluster.nodes[other].height());
        cluster.nodes[0].interrupt();
    }
    // One file alone is missed as well.
    let mut cluster = Cluster::running(1, &[]);
    pays(&cluster, 0);
    cluster.nodes[0].interrupt();
    lose(&cluster.nodes[0], &["consensus/consensus.wal"]);
    let refused = cluster.nodes[0].try_start().unwrap_err();
    assert_eq!(refused.code, Some(1));
    let log = cluster.nodes[0].log();
    assert!(log.contains("consensus.wal is missing"), "{log}");
}

// Broken by: a router that votes without the log of its votes, or seals without its blocks,
// because the other file is there; one that votes below what it voted for, or never comes back
// when only its book is lost.
#[test]
fn each_part_of_a_routers_records_is_missed() {
    let mut cluster = Cluster::running(4, &[]);
    cluster.nodes.iter().for_each(until_it_seals);
    let mut finals = vec![pays(&cluster, 1), pays(&cluster, 2), pays(&cluster, 3)];
    cluster.nodes[1].kill();
    lose(&cluster.nodes[1], &["book.redb"]);
    cluster.nodes[1].start();
    eventually("it has caught up", || (role(&cluster.nodes[1]) == "router").then_some(()));
    finals.push(pays(&cluster, 1));
    for (at, part) in [(2, "consensus/consensus.wal"), (3, "lanes.redb")] {
        let wal = |node: &Node| fs::read(node.home.join("consensus/consensus.wal")).unwrap();
        cluster.nodes[at].kill();
        let votes = wal(&cluster.nodes[at]);
        lose(&cluster.nodes[at], &[part]);
        cluster.nodes[at].start();
        assert_eq!(text(&cluster.nodes[at].data, "role"), "silent router", "without {part}");
        finals.push(pays(&cluster, 0));
        cluster.nodes[at].interrupt();
        if at == 3 {
            assert_eq!(wal(&cluster.nodes[at]), votes, "it voted without {part}");
        }
        cluster.nodes[at].flags = vec!["--accept-lost-data"];
        cluster.nodes[at].start();
        eventually("it votes again", || (role(&cluster.nodes[at]) == "router").then_some(()));
    }
    all_is_well(&cluster, &finals, &[]);
}
