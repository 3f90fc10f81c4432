//! TCP alone, QUIC alone, and both.

use ddt_net::message::{Answer, Request};

use crate::fixture::{Node, QUIC, TCP, config, eventually, meet, noise, start};

async fn works_over(listen: &[&str]) -> (Node, Node) {
    let mut first = config(1);
    first.listen = listen.iter().map(ToString::to_string).collect();
    let one = start(first).await;
    let mut second = config(2);
    second.listen = listen.iter().map(ToString::to_string).collect();
    second.peers = vec![one.address()];
    let other = start(second).await;
    meet(&one, &other).await;
    let push = || Request::Push(noise(1_000_000));
    assert_eq!(other.net.ask(one.key(), push()).await, Ok(Answer::Taken));
    assert_eq!(one.net.ask(other.key(), push()).await, Ok(Answer::Taken));
    (one, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_alone_is_enough() {
    let (one, _other) = works_over(&[TCP]).await;
    assert!(one.net.peers().iter().all(|peer| peer.addresses[0].contains("/tcp/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quic_alone_is_enough() {
    let (one, _other) = works_over(&[QUIC]).await;
    assert!(one.net.peers().iter().all(|peer| peer.addresses[0].contains("/quic-v1")));
}

/// Broken by: a `dialable` that leaves both in, or a `rank` that takes QUIC for better here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_both_are_offered_near_by_tcp_is_taken() {
    let (one, other) = works_over(&[TCP, QUIC]).await;
    // One that knows them only by what they say of themselves.
    let mut third = config(3);
    let of_tcp = |text: &String| text.contains("/tcp/");
    third.peers = one.net.addresses().into_iter().filter(of_tcp).collect();
    let third = start(third).await;
    meet(&third, &other).await;
    let addresses = |node: &Node| -> Vec<String> {
        node.net.peers().into_iter().flat_map(|peer| peer.addresses).collect()
    };
    assert!(addresses(&third).iter().all(|address| address.contains("/tcp/")));
    // A connection by QUIC is given up for the one by TCP.
    let quic = one.net.addresses().into_iter().find(|text| text.contains("/quic-v1"));
    let made = third.net.counters().connections;
    third.net.dial(&quic.expect("an address")).expect("a dial");
    eventually("one more", || third.net.counters().connections > made).await;
    eventually("TCP alone", || {
        addresses(&third).len() == 2
            && addresses(&third).iter().all(|address| address.contains("/tcp/"))
    })
    .await;
}
