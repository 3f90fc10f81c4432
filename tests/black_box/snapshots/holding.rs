//! Peers that would keep a newcomer from beginning: by giving nothing, or by having nothing.

use std::path::PathBuf;

use crate::process::{kill, run};
use crate::source::{Copy, Manner, Source, free_place};
use crate::support::cluster::Cluster;
use crate::support::eventually;
use crate::{network, newest, set};

/// A copy of the newest snapshot of the first node, not older than this height.
fn copy(cluster: &Cluster, height: u64) -> Copy {
    eventually("a copy", || {
        let (height, folder) = newest(&cluster.nodes[0].home, height);
        Copy::of(&cluster.nodes[0], height, &folder)
    })
}

/// A folder that begins with a snapshot, and its address.
fn newcomer(cluster: &mut Cluster) -> (PathBuf, String) {
    let joined = cluster.add_full_node(0);
    let node = &cluster.nodes[joined];
    set(&node.home, "[sync]\nahead_min = 1\n");
    (node.home.clone(), node.ip.to_string())
}

// Broken by: sources that are hoped for again whenever they offer the snapshot; a snapshot that
// is chosen again after it was given up, or after a restart because its folder is there.
#[test]
fn a_snapshot_that_nobody_delivers_is_given_up_also_after_a_restart() {
    let mut cluster = network();
    let older = copy(&cluster, 1);
    let newer = copy(&cluster, older.height + 1);
    let (home, ip) = newcomer(&mut cluster);
    let hold = || Source::start(cluster.chain, 51, &newer, Manner::SilentFrom(0));
    let holder = hold();
    let process = run(&home, &ip, &[holder.address()]);
    let mark = home.join("sync").join("given-up");
    eventually("it is given up", || {
        let marks = std::fs::read_to_string(&mark).ok()?;
        marks.contains(&newer.id.to_string()).then_some(())
    });
    assert!(!holder.asked().pieces.is_empty());
    kill(process);
    drop(holder);
    assert!(
        home.join("sync").join(newer.id.to_string()).exists() && !home.join("book.redb").exists()
    );
    let (holder, honest) = (hold(), Source::start(cluster.chain, 52, &older, Manner::Honest));
    let process = run(&home, &ip, &[holder.address(), honest.address()]);
    eventually("a book", || home.join("book.redb").exists().then_some(()));
    assert!(holder.asked().pieces.is_empty(), "what was given up was tried again");
    assert_eq!(honest.asked().pieces.len(), older.pieces.len());
    kill(process);
}

// Broken by: a newcomer that begins with genesis because the first who answer have no snapshot;
// one that asks a silent peer for each of the snapshots that it invents.
#[test]
fn who_has_nothing_and_who_invents_decide_nothing() {
    let mut cluster = network();
    let copy = copy(&cluster, 1);
    let (home, ip) = newcomer(&mut cluster);
    let (second, third) = (free_place(62), free_place(63));
    let empty = Source::start(cluster.chain, 61, &copy, Manner::Empty);
    let process = run(&home, &ip, &[empty.address(), second.clone(), third.clone()]);
    eventually("it looks for snapshots", || (empty.asked().offers > 0).then_some(()));
    let inventor = Source::at(&second, cluster.chain, 62, &copy, Manner::Inventing);
    eventually("it believes that there are some", || (inventor.asked().proofs > 0).then_some(()));
    let honest = Source::at(&third, cluster.chain, 63, &copy, Manner::Honest);
    eventually("a book", || home.join("book.redb").exists().then_some(()));
    assert_eq!(honest.asked().pieces.len(), copy.pieces.len());
    assert_eq!(inventor.asked().proofs, 2);
    kill(process);
}
