//! Nodes that cannot be dialled: by way of a relay, and without it as soon as that works.

use std::net::TcpListener;

use ddt_net::message::{Answer, Request};

use crate::fixture::{Node, TCP, config, eventually, meet, noise, start};

/// A node that relays, and the address by which others listen there. It must know by which
/// address it is reached, so its port is chosen before.
async fn relay() -> (Node, String) {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let mut config = config(1);
    config.relay = true;
    (config.listen, config.external) = (vec![address.clone()], vec![address]);
    let relay = start(config).await;
    let circuit = circuit_of(&relay);
    (relay, circuit)
}

fn circuit_of(relay: &Node) -> String {
    let peer = ddt_net::peer_of(&relay.key()).expect("a key");
    format!("{}/p2p/{peer}/p2p-circuit", relay.address())
}

/// A node that listens at the relay too, and one that knows it only by that address.
async fn by_way_of(circuit: &str, beside: &[&str]) -> (Node, Node) {
    let mut hidden = config(2);
    hidden.listen = beside.iter().copied().chain([circuit]).map(str::to_string).collect();
    let hidden = start(hidden).await;
    let listens = || hidden.net.addresses().into_iter().find(|one| one.contains("p2p-circuit"));
    eventually("a place at the relay", || listens().is_some()).await;
    let mut seeker = config(3);
    seeker.peers = vec![listens().expect("an address")];
    let seeker = start(seeker).await;
    meet(&seeker, &hidden).await;
    (hidden, seeker)
}

fn is_relayed(from: &Node, to: &Node) -> bool {
    let peers = from.net.peers();
    let peer = peers.iter().find(|peer| peer.key == to.key()).expect("a peer");
    peer.addresses.iter().any(|address| address.contains("p2p-circuit"))
}

/// Broken by: a relay that serves nobody, or an address by way of one that is not dialled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_dialled_is_reached_by_way_of_a_relay() {
    let (_relay, circuit) = relay().await;
    let (hidden, seeker) = by_way_of(&circuit, &[]).await;
    assert!(is_relayed(&seeker, &hidden));
    let push = |bytes| Request::Push(noise(bytes));
    assert_eq!(seeker.net.ask(hidden.key(), push(1_000)).await, Ok(Answer::Taken));
    assert_eq!(hidden.net.ask(seeker.key(), push(1_000)).await, Ok(Answer::Taken));
}

/// Broken by: taking `dcutr` away, or keeping a relayed connection beside a direct one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_met_at_a_relay_find_a_way_of_their_own() {
    let (_relay, circuit) = relay().await;
    let (hidden, seeker) = by_way_of(&circuit, &[TCP]).await;
    eventually("a direct connection alone", || !is_relayed(&seeker, &hidden)).await;
    assert_eq!(
        seeker.net.ask(hidden.key(), Request::Push(noise(1_000_000))).await,
        Ok(Answer::Taken)
    );
}

/// Broken by: a node that relays although its operator did not say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_relays_unasked() {
    let other = start(config(1)).await;
    let mut hidden = config(2);
    hidden.listen = vec![circuit_of(&other)];
    let hidden = start(hidden).await;
    meet(&hidden, &other).await;
    assert_eq!(hidden.net.ask(other.key(), Request::Push(vec![1])).await, Ok(Answer::Taken));
    assert!(hidden.net.addresses().is_empty());
}
