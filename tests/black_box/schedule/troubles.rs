//! What is worse than a process that ends: ways that are closed or long, disks, clocks, lies,
//! strangers. Each is over when its function returns, but for the nodes that do not run then.

use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Duration;

use crate::load::{further, give, largest_store, role, text, under_load, until_it_seals};
use crate::steps::Step;
use crate::support::cluster::{Cluster, Node};
use crate::support::doors::Way;
use crate::support::eventually;
use crate::support::strangers::disturb;

/// Anchors that half a network may still have: votes for them were there already.
const UNDER_WAY: u64 = 2;
/// A clock is so many minutes off, at most.
const MINUTES_MAX: u64 = 20;
/// What a router may say without signing two things of which one must be false: it stays one.
/// Nothing is lost but what it was itself given.
const LIES: [&str; 5] = ["withhold", "wrong-root", "wrong-time", "boast", "censor"];

type Environment = Vec<(&'static str, String)>;

fn again(node: &mut Node, environment: Environment) {
    node.kill();
    node.environment = environment;
    node.start();
}

/// Two halves, of an odd number one is smaller: none decides anything.
pub fn halves(cluster: &Cluster, step: Step) {
    let Some(doors) = &cluster.doors else { return };
    let half: Vec<usize> = (0..step.routers / 2).map(|at| (step.one + at) % step.routers).collect();
    doors.part(&half);
    let before = cluster.height();
    thread::sleep(Duration::from_millis(500 + step.chance % 5_000));
    let after = cluster.height();
    doors.heal();
    assert!(after <= before + UNDER_WAY, "half a network went from {before} to {after}");
}

/// One is alone, the others go on.
pub fn alone(cluster: &Cluster, paid: &AtomicUsize, step: Step) {
    let Some(doors) = &cluster.doors else { return };
    doors.part(&[step.one]);
    further(paid, step.count);
    doors.heal();
}

/// Whatever anybody says takes a while.
pub fn long_ways(cluster: &Cluster, paid: &AtomicUsize, step: Step) {
    let Some(doors) = &cluster.doors else { return };
    let (delay_ms, loss_percent) = (20 + step.chance % 100, step.chance % 6);
    doors.all(Way::Long { delay_ms, jitter_ms: delay_ms / 2, loss_percent });
    further(paid, step.count);
    doors.heal();
}

/// A router has a new disk, and comes back with its old key as the operators' guide says: the
/// others go on by two anchors, then it is told that what it lost is lost.
pub fn lost_disk(cluster: &mut Cluster, paid: &AtomicUsize, step: Step) {
    let (one, lost_at) = (step.one, cluster.height());
    cluster.nodes[one].kill();
    cluster.lose_disk(one);
    cluster.nodes[one].start();
    assert_eq!(text(&cluster.nodes[one].data, "role"), "silent router");
    further(paid, step.count);
    eventually("the others go on", || (cluster.height() >= lost_at + 2).then_some(()));
    cluster.nodes[one].interrupt();
    cluster.nodes[one].flags = vec!["--accept-lost-data"];
    cluster.nodes[one].start();
    eventually("it votes again", || (role(&cluster.nodes[one]) == "router").then_some(()));
    // It need be told once only.
    cluster.nodes[one].flags.clear();
}

/// A router's disk has no room: it ends as soon as it writes much, and has room again.
pub fn no_room(cluster: &mut Cluster, paid: &AtomicUsize, step: Step) {
    let node = &mut cluster.nodes[step.one];
    node.kill();
    node.file_bytes_max = Some(largest_store(node) / 2);
    // It may end before it has said that it runs.
    drop(node.try_start());
    further(paid, step.count);
    node.kill();
    node.file_bytes_max = None;
}

/// A router's clock is minutes off.
pub fn another_time(cluster: &mut Cluster, paid: &AtomicUsize, step: Step) {
    let off_ms = 60_000 * (1 + step.chance % MINUTES_MAX);
    let sign = if step.chance.is_multiple_of(2) { "-" } else { "" };
    let offset = vec![("DDT_TEST_CLOCK_OFFSET_MS", format!("{sign}{off_ms}"))];
    again(&mut cluster.nodes[step.one], offset);
    further(paid, step.count);
    again(&mut cluster.nodes[step.one], Vec::new());
}

/// The liar lies, and is honest again.
pub fn lies(cluster: &mut Cluster, paid: &AtomicUsize, step: Step) {
    let lie = LIES[(step.chance % LIES.len() as u64) as usize];
    println!("    {} lies: {lie}", step.liar);
    let treason = match lie {
        "censor" => format!("censor:{}", cluster.people[3].account),
        _ => lie.to_string(),
    };
    again(&mut cluster.nodes[step.liar], vec![("DDT_TEST_TREASON", treason)]);
    until_it_seals(&cluster.nodes[step.liar]);
    (0..step.count).for_each(|_| give(cluster, step.liar));
    further(paid, step.count);
    again(&mut cluster.nodes[step.liar], Vec::new());
}

/// Strangers shout, flood, and say nothing.
pub fn strangers(cluster: &mut Cluster, paid: &AtomicUsize, step: Step) {
    disturb(cluster, step.chance as u8, || further(paid, step.count));
    assert!(cluster.nodes.iter_mut().all(Node::is_alive), "strangers ended a node");
}

/// A router signs two blocks for each place, until another one has seen it; answers what was
/// final meanwhile.
pub fn twins(cluster: &mut Cluster, liar: usize) -> Vec<String> {
    again(&mut cluster.nodes[liar], vec![("DDT_TEST_TREASON", "equivocate".to_string())]);
    let words = format!("the router of zone {liar} signed two blocks");
    under_load(cluster, |cluster, paid| {
        further(paid, 5);
        eventually(&words, || {
            give(cluster, liar);
            let mut others = cluster.nodes.iter().enumerate().filter(|(at, _)| *at != liar);
            others.any(|(_, node)| node.log().contains(&words)).then_some(())
        });
        further(paid, 5);
    })
}
