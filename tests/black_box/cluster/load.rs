//! People who pay while something happens, and what must hold whatever happened.
#![allow(dead_code, reason = "each target uses its own part")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use ddt_ledger::AccountId;
use serde_json::Value as Json;

use crate::support::cluster::{Cluster, Node};
use crate::support::signer::Signer;
use crate::support::{Told, eventually, http, network};

/// Between two attempts at a node that does not answer.
const PAUSE: Duration = Duration::from_millis(50);

/// A text of an object; empty without one.
pub fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json[name].as_str().unwrap_or_default()
}

/// The router to which a full node brings the events of an account that is in no zone.
pub fn home_of(account: &AccountId, routers: usize) -> usize {
    usize::from(account.0[0]) % routers
}

/// Pays one APT after the other at an address until told to stop; answers the ids of the
/// payments that were said to be final there.
fn pay(
    at: &str,
    from: &Signer,
    to: &AccountId,
    stop: &AtomicBool,
    paid: &AtomicUsize,
) -> Vec<String> {
    let mut finals = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        match network::submit(at, "final", &from.pay(to, "1")) {
            Ok(answer) if answer.status == 200 => {
                finals.push(is_paid(&answer.json(200)));
                paid.fetch_add(1, Ordering::SeqCst);
            }
            // It is dead, or busy: later, again.
            Ok(_) | Err(_) => thread::sleep(PAUSE),
        }
    }
    finals
}

/// Pays at the first three nodes, at each from a client of its own, while something happens.
pub fn under_load(
    cluster: &mut Cluster,
    happens: impl FnOnce(&mut Cluster, &AtomicUsize),
) -> Vec<String> {
    let (stop, paid) = (AtomicBool::new(false), AtomicUsize::new(0));
    let to = cluster.people[3].account;
    let clients: Vec<(String, Signer)> =
        (0..3).map(|at| (cluster.nodes[at].public().to_string(), cluster.person(at))).collect();
    thread::scope(|scope| {
        let (stop, paid) = (&stop, &paid);
        // Told also when this thread panics: nobody would wait for the clients otherwise.
        let _end = Told(stop);
        let clients: Vec<_> = clients
            .iter()
            .map(|(at, from)| scope.spawn(move || pay(at, from, &to, stop, paid)))
            .collect();
        happens(cluster, paid);
        stop.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Waits for so many more payments.
pub fn further(paid: &AtomicUsize, count: usize) {
    let before = paid.load(Ordering::SeqCst);
    eventually("payments go on", || (paid.load(Ordering::SeqCst) >= before + count).then_some(()));
}

/// Whether a node has an event in its book, and did what it says.
pub fn is_done(node: &Node, event: &str) -> bool {
    let answer = node.try_get(&format!("/v1/events/{event}"));
    let Some(answer) = answer.filter(|answer| answer.status == 200) else { return false };
    let receipt = answer.json(200);
    matches!(text(&receipt, "stage"), "final" | "proven") && receipt["outcome"] == "done"
}

/// A payment of one person at a node becomes final.
pub fn pays(cluster: &Cluster, at: usize) -> String {
    final_at(&cluster.nodes[at], &cluster.people[0].pay(&cluster.people[3].account, "1"))
}

/// A payment becomes final at a node. Routers that have not met each other yet take nothing, and
/// a node that takes up another role may not answer: the same bytes are charged once.
pub fn final_at(node: &Node, payment: &[u8]) -> String {
    let receipt = eventually("the payment is final", || {
        let answer = node.submit("final", payment).ok()?;
        (!matches!(answer.status, 202 | 503)).then(|| answer.json(200))
    });
    is_paid(&receipt)
}

/// The event of a receipt that says that a payment is final.
fn is_paid(receipt: &Json) -> String {
    let is_final = matches!(text(receipt, "stage"), "final" | "proven");
    assert!(is_final && receipt["receipt"]["outcome"] == "done", "{receipt}");
    text(receipt, "event").to_string()
}

/// Gives a router an event of its own to lie about; it may not answer, or be no router by now.
pub fn give(cluster: &Cluster, at: usize) {
    let payment = cluster.person(3).pay(&cluster.people[0].account, "1");
    let path = "POST /v1/events?wait=sequenced&timeout_ms=1000";
    let octets = [("content-type", "application/octet-stream")];
    drop(http::exchange(cluster.nodes[at].public(), path, &octets, &payment));
}

/// A payment of a person that is not final after a while, since too few are there; answers its
/// event.
pub fn waits_in_vain(cluster: &Cluster, at: usize, person: usize) -> String {
    let alone = cluster.people[person].pay(&cluster.people[3].account, "1");
    let promised = cluster.nodes[at].submit("sequenced", &alone).unwrap().json(200);
    let path = "POST /v1/events?wait=final&timeout_ms=3000";
    let octets = [("content-type", "application/octet-stream")];
    let waited = http::exchange(cluster.nodes[at].public(), path, &octets, &alone).unwrap();
    assert_eq!(waited.status, 202, "too few must decide nothing");
    text(&promised, "event").to_string()
}

/// Waits until a router seals by itself; before, it would pass on what it is given.
pub fn until_it_seals(node: &Node) {
    eventually("it seals", || {
        let status = &node.json("/v1/status")["node"];
        (status["role"] == "router" && status["is_ready"] == true).then_some(())
    });
}

/// Waits until a node is connected with a router and knows that it is one.
pub fn until_it_knows(node: &Node, router: &Node) {
    let key = router.private("/v1/node")["router_key"].clone();
    eventually("it knows the router", || {
        let private = node.private("/v1/node");
        let mut peers = private["peers"].as_array().unwrap().iter();
        peers.any(|peer| peer["router_key"] == key).then_some(())
    });
}

/// What a node says that it is; empty while it says nothing.
pub fn role(node: &Node) -> String {
    let answer = node.try_get("/v1/status").filter(|answer| answer.status == 200);
    answer.map(|answer| text(&answer.json(200)["node"], "role").to_string()).unwrap_or_default()
}

/// How many bytes the larger of a node's stores has on disk.
pub fn largest_store(node: &Node) -> u64 {
    let sizes = ["book.redb", "lanes.redb"].map(|name| node.home.join(name));
    sizes.map(|path| fs::metadata(path).unwrap().len()).into_iter().max().unwrap()
}

/// What holds whatever happened: one history, in it everything that was final, no coin more or
/// less, and nobody accused but the routers at `liars`.
pub fn all_is_well(cluster: &Cluster, finals: &[String], liars: &[usize]) {
    cluster.agree();
    for node in cluster.nodes.iter().filter(|node| node.is_running()) {
        for event in finals {
            assert!(is_done(node, event), "{event} was final and is lost");
        }
        assert_eq!(node.json("/v1/economy")["is_conserved"], true);
        let routers = node.json("/v1/views/zones/routers");
        let rows = routers["rows"].as_array().unwrap();
        let out = rows.iter().filter(|row| row["router"]["is_out"] == true).count();
        assert!(out <= liars.len(), "an honest router is out: {routers}");
    }
    let accusations = ["signed two blocks", "promised number", "broke its promise"];
    let is_accusing = |line: &&str| accusations.iter().any(|words| line.contains(words));
    for node in &cluster.nodes {
        let log = node.log();
        for line in log.lines().filter(is_accusing) {
            let names = |zone: &usize| line.contains(&format!("the router of zone {zone} "));
            let is_true = liars.iter().any(names);
            assert!(is_true, "{} accuses an honest router: {line}", node.home.display());
        }
        for line in log.lines().filter(|line| line.contains("voted two ways")) {
            assert!(!liars.is_empty(), "{line}");
            let is_honest = |(at, node): &(usize, &Node)| !liars.contains(at) && node.is_running();
            for (_, honest) in cluster.nodes.iter().enumerate().filter(is_honest) {
                let key = text(&honest.private("/v1/node"), "router_key").to_string();
                assert!(!line.contains(&key), "an honest validator is accused: {line}");
            }
        }
    }
}
