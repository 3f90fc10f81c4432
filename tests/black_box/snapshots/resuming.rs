//! Fetching that is killed goes on; sources that lie or fall silent are passed over.

use std::path::Path;

use crate::process::{kill, pieces_in, run};
use crate::source::{Copy, Manner, Source, free_place};
use crate::support::{cli, eventually};
use crate::{network, newest, set};

/// Waits until a node that begins has logged these words.
fn says(home: &Path, words: &str) {
    eventually(words, || {
        let log = std::fs::read_to_string(home.with_extension("sync.log")).ok()?;
        log.contains(words).then_some(())
    });
}

// Broken by: a node that begins with genesis because it lost its peers; a peer that is blamed
// for what was lost with it, and never asked again.
#[test]
fn a_node_that_loses_all_its_peers_goes_on_when_one_is_back() {
    let mut cluster = network();
    let copy = eventually("a copy", || {
        let (height, folder) = newest(&cluster.nodes[0].home, 1);
        Copy::of(&cluster.nodes[0], height, &folder)
    });
    let joined = cluster.add_full_node(0);
    let (home, ip) = (cluster.nodes[joined].home.clone(), cluster.nodes[joined].ip.to_string());
    set(&home, "[sync]\nahead_min = 1\n");
    let folder = home.join("sync").join(copy.id.to_string());
    let half = copy.pieces.len() / 2;
    let place = free_place(45);
    let source = |manner| Source::at(&place, cluster.chain, 45, &copy, manner);
    let silent = source(Manner::SilentFrom(half as u32));
    let process = run(&home, &ip, std::slice::from_ref(&place));
    eventually("half of the pieces", || (pieces_in(&folder) == half).then_some(()));
    drop(silent);
    says(&home, "nobody is connected: the snapshot waits");
    let honest = source(Manner::Honest);
    eventually("a book", || home.join("book.redb").exists().then_some(()));
    assert_eq!(honest.asked().pieces, (half as u32..copy.pieces.len() as u32).collect());
    kill(process);
}

// Broken by: pieces that are fetched again although they are on disk, or written before they
// are checked; a liar that is asked again, or whose piece is taken; a half-made book that is
// opened; a note of who was killed that is taken for news; a node that begins with genesis
// because it finds no peer.
#[test]
fn a_killed_node_goes_on_with_what_it_has_and_a_liar_is_passed_over() {
    let mut cluster = network();
    let to = cluster.people[3].account;
    let payment = cluster.people[0].pay(&to, "1");
    assert_eq!(cluster.nodes[0].submit("final", &payment).unwrap().status, 200);
    let paid_at = cluster.height();
    let copy = eventually("a copy", || {
        let (height, folder) = newest(&cluster.nodes[0].home, paid_at);
        Copy::of(&cluster.nodes[0], height, &folder)
    });
    let all = copy.pieces.len();
    assert!(all >= 8, "only {all} pieces");
    let joined = cluster.add_full_node(0);
    let (home, ip) = (cluster.nodes[joined].home.clone(), cluster.nodes[joined].ip.to_string());
    set(&home, "[sync]\nahead_min = 1\n");
    let folder = home.join("sync").join(copy.id.to_string());
    // Half of it comes; then the node dies.
    let half = all as u32 / 2;
    let silent = Source::start(cluster.chain, 41, &copy, Manner::SilentFrom(half));
    let process = run(&home, &ip, &[silent.address()]);
    eventually("half of the pieces", || (pieces_in(&folder) == half as usize).then_some(()));
    let status = eventually("a status", || {
        let status = cli::ddt(&home, &["node", "status"]);
        (status.code == Some(0)).then(|| status.data())
    });
    assert_eq!(status["syncing"]["pieces"], all);
    kill(process);
    drop(silent);
    // Who finds nobody at the start waits with what is here.
    let process = run(&home, &ip, &[free_place(44)]);
    says(&home, "what is here of a snapshot waits for one");
    kill(process);
    let status = cli::ddt(&home, &["node", "status"]);
    assert_ne!(status.code, Some(0), "nobody is at it any more: {status:#?}");
    assert!(!home.join("book.redb").exists());
    // What a kill in the middle of building leaves is thrown away; so is a piece that rotted.
    std::fs::write(home.join("book.redb.making"), b"half").unwrap();
    let mut rotten = std::fs::read(folder.join("00000.piece")).unwrap();
    *rotten.last_mut().unwrap() ^= 1;
    std::fs::write(folder.join("00000.piece"), rotten).unwrap();
    let liar = Source::start(cluster.chain, 42, &copy, Manner::Lying);
    let honest = Source::start(cluster.chain, 43, &copy, Manner::Honest);
    let process = run(&home, &ip, &[liar.address(), honest.address()]);
    eventually("a book", || home.join("book.redb").exists().then_some(()));
    let wanted = std::iter::once(0).chain(half..all as u32);
    assert_eq!(honest.asked().pieces, wanted.collect(), "what was on disk was fetched again");
    let lied = liar.asked().pieces.len();
    assert!((1..=4).contains(&lied), "the liar was asked {lied} times");
    kill(process);
    drop((liar, honest));
    // And it follows the network from there.
    cluster.start_all();
    let node = &cluster.nodes[joined];
    assert_eq!(node.json("/v1/status")["lowest"], copy.height + 1);
    assert_eq!(node.balance(&to), "1000001");
    let height = cluster.height();
    (copy.height..=height).for_each(|at| cluster.agree_at(at));
    assert!(!home.join("sync").exists() && !home.join("sync.json").exists());
}
