//! Nodes that cannot be dialled: by way of a relay, and without it as soon as that works.

use std::net::TcpListener;
use std::sync::Arc;

use ddt_net::message::{Answer, Request};

use crate::fixture::{Diary, Node, TCP, config, eventually, meet, noise, start};

/// A node that relays, and the address by which others listen there. It must know by which
/// address it is reached, so its port is chosen before.
async fn relay() -> (Node, String) {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let mut config = config(1);
    config.relay = true;
    (config.listen, config.external) = (vec![address.clone()], vec![address]);
    let relay = start(config).await;
    let name = name_of(&relay);
    (relay, name)
}

fn name_of(relay: &Node) -> String {
    let peer = ddt_net::peer_of(&relay.key()).expect("a key");
    format!("{}/p2p/{peer}", relay.address())
}

/// The address that a relay gave.
fn place(node: &Node) -> Option<String> {
    node.net.addresses().into_iter().find(|one| one.contains("p2p-circuit"))
}

/// A node that listens at the relay too, and one that knows it only by that address.
async fn by_way_of(relay: &str, listen: &[&str]) -> (Node, Node) {
    let mut hidden = config(2);
    hidden.listen = listen.iter().copied().map(str::to_string).collect();
    hidden.relays = vec![relay.to_string()];
    let hidden = start(hidden).await;
    eventually("a place at the relay", || place(&hidden).is_some()).await;
    let mut seeker = config(3);
    seeker.peers = vec![place(&hidden).expect("an address")];
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
    let (_relay, name) = relay().await;
    let (hidden, seeker) = by_way_of(&name, &[]).await;
    assert!(is_relayed(&seeker, &hidden));
    let push = |bytes| Request::Push(noise(bytes));
    // Blocks pass, too: more than a relay's usual 128 KiB.
    assert_eq!(seeker.net.ask(hidden.key(), push(1_000_000)).await, Ok(Answer::Taken));
    assert_eq!(hidden.net.ask(seeker.key(), push(1_000)).await, Ok(Answer::Taken));
    assert!(is_relayed(&seeker, &hidden));
}

/// Broken by: taking `dcutr` away, or keeping a relayed connection beside a direct one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_met_at_a_relay_find_a_way_of_their_own() {
    let (_relay, name) = relay().await;
    let (hidden, seeker) = by_way_of(&name, &[TCP]).await;
    eventually("a direct connection alone", || !is_relayed(&seeker, &hidden)).await;
    assert_eq!(
        seeker.net.ask(hidden.key(), Request::Push(noise(1_000_000))).await,
        Ok(Answer::Taken)
    );
}

/// Broken by: a node that is not told what others found, or a second connection that is closed
/// before it has shown anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_told_whether_it_can_be_dialled() {
    let (relay, name) = relay().await;
    let mut node = config(2);
    node.peers = vec![name.clone()];
    let node = start(node).await;
    let mut hidden = config(3);
    (hidden.listen, hidden.peers) = (Vec::new(), vec![name]);
    let hidden = start(hidden).await;
    eventually("the relay has tried", || {
        let own = node.address();
        node.net.reaches().iter().any(|reach| reach.address == own)
            && !hidden.net.reaches().is_empty()
    })
    .await;
    let (reaches, none) = (node.net.reaches(), hidden.net.reaches());
    assert!(reaches.iter().chain(&none).all(|reach| reach.by == relay.key()), "{reaches:?}");
    let own = reaches.iter().find(|reach| reach.address == node.address());
    assert!(own.is_some_and(|reach| reach.is_reached), "{reaches:?}");
    assert!(none.iter().all(|reach| !reach.is_reached), "{none:?}");
    // They are still connected.
    for node in [&node, &hidden] {
        assert_eq!(relay.net.ask(node.key(), Request::Push(vec![1])).await, Ok(Answer::Taken));
    }
}

/// Broken by: a node that relays although its operator did not say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_relays_unasked() {
    let other = start(config(1)).await;
    let mut hidden = config(2);
    (hidden.listen, hidden.relays) = (Vec::new(), vec![name_of(&other)]);
    let hidden = start(hidden).await;
    meet(&hidden, &other).await;
    assert_eq!(hidden.net.ask(other.key(), Request::Push(vec![1])).await, Ok(Answer::Taken));
    assert!(hidden.net.addresses().is_empty());
}

/// Broken by: asking for a place once only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_comes_back_gives_a_place_again() {
    let (first, name) = relay().await;
    let address = first.address();
    let (hidden, _seeker) = by_way_of(&name, &[]).await;
    first.net.stop().await;
    eventually("no place any more", || place(&hidden).is_none()).await;
    let mut again = config(1);
    again.relay = true;
    (again.listen, again.external) = (vec![address.clone()], vec![address]);
    let _again = start(again).await;
    eventually("a place again", || place(&hidden).is_some()).await;
}

/// Broken by: an address without the relay's name, which nobody could ever listen at.
#[tokio::test]
async fn a_relay_has_a_name() {
    for (text, words) in [("/ip4/127.0.0.1/tcp/9", "ends with /p2p/"), ("relay", "no multiaddr")] {
        let mut config = config(1);
        config.relays = vec![text.to_string()];
        let error = ddt_net::start(config, Arc::new(Diary::default())).await;
        let error = error.err().expect("no relay").to_string();
        assert!(error.contains(words), "{error}");
    }
}
