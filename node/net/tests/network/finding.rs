//! Nodes find each other, stay together, and part with strangers.

use ddt_ledger::{ChainId, Hash};
use ddt_net::NetConfig;
use tokio::runtime::Runtime;

use crate::fixture::{
    Node, QUIC, Seen, committed, config, eventually, meet, pair, start, start_beside,
};

/// Broken by: a table of nodes that nobody fills from what peers say of themselves; strangers
/// that nobody dials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_nodes_find_each_other_from_one_address() {
    let first = start(config(1)).await;
    let mut all = vec![first];
    for seed in 2..=5 {
        let node = start_beside(seed, &all[0]).await;
        all.push(node);
    }
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            meet(one, other).await;
        }
    }
    for node in &all {
        assert_eq!(node.net.peers().len(), 4);
    }
}

/// Broken by: a greeting that does not carry what the node says; a peer that is shown before it
/// greeted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_know_what_the_other_said() {
    let one = start(config(1)).await;
    {
        let mut greeting = one.diary.greeting.lock().expect("a lock");
        (greeting.height, greeting.lowest) = (42, 7);
    }
    let other = start_beside(2, &one).await;
    meet(&one, &other).await;
    let peers = other.net.peers();
    assert_eq!(peers.len(), 1);
    assert_eq!((peers[0].key, peers[0].height), (one.key(), 42));
    assert!(peers[0].agent.starts_with("ddt/"));
    assert!(other.diary.has(|seen| {
        matches!(seen, crate::fixture::Seen::Greeted(_, hello) if hello.lowest == 7)
    }));
}

/// Broken by: `chain` left out of the names of the protocols.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_another_chain_part() {
    let one = start(config(1)).await;
    let mut strange = config(2);
    strange.chain = ChainId(Hash([8; 32]));
    strange.peers = vec![one.address()];
    let strange = start(strange).await;
    let made = || strange.net.counters().connections;
    eventually("two connections, so that the first was closed", || made() >= 2).await;
    assert!(one.net.peers().is_empty() && strange.net.peers().is_empty());
    assert!(one.diary.seen.borrow().is_empty() && strange.diary.seen.borrow().is_empty());
}

/// Broken by: a `Wanted` that is forgotten once it was found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_comes_back_is_found_again() {
    let (one, other) = pair(|_| ()).await;
    let (address, key) = (one.address(), one.key());
    one.net.stop().await;
    other.diary.until_lost(key).await;
    assert!(other.net.peers().is_empty());
    let mut again = config(1);
    again.listen = vec![address];
    let one = start(again).await;
    meet(&one, &other).await;
}

/// Broken by: a listener that outlives the network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_frees_the_ports_and_answers_all() {
    let mut both = config(1);
    both.listen.push(crate::fixture::QUIC.into());
    let one = start(both).await;
    let other = start_beside(2, &one).await;
    meet(&one, &other).await;
    let addresses = one.net.addresses();
    let clone = one.net.clone();
    let waiting = tokio::spawn(async move { clone.failed().await });
    let clone = one.net.clone();
    one.net.stop().await;
    assert_eq!(waiting.await.expect("an answer"), ddt_net::NetError::Stopped);
    let asked = clone.ask(other.key(), ddt_net::message::Request::Anchors { first: 1 }).await;
    assert_eq!(asked, Err(ddt_net::AskError::Stopped));
    assert_eq!(clone.dial(&other.address()), Err(ddt_net::NetError::Stopped));
    let mut again = config(1);
    again.listen = addresses.clone();
    let again = start(again).await;
    assert_eq!(again.net.addresses().len(), addresses.len());
}

/// Broken by: an error that does not name the address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_listened_on_is_said() {
    let one = start(config(1)).await;
    let mut taken = config(2);
    taken.listen = vec![one.address()];
    let host = std::sync::Arc::new(crate::fixture::Diary::default());
    let error = ddt_net::start(taken, host.clone()).await.err().expect("an error");
    assert!(error.to_string().contains(&one.address()), "{error}");
    let mut wrong = config(2);
    wrong.peers = vec!["127.0.0.1:4001".into()];
    let error = ddt_net::start(wrong, host).await.err().expect("an error");
    assert!(error.to_string().contains("127.0.0.1:4001"), "{error}");
}

/// Broken by: two nodes that dial each other at once and keep both connections, or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_connections_one_is_kept() {
    let (one, other) = pair(|_| ()).await;
    one.net.dial(&other.address()).expect("a dial");
    other.net.dial(&one.address()).expect("a dial");
    eventually("more connections than one", || one.net.counters().connections >= 3).await;
    let links = |node: &crate::fixture::Node| {
        node.net.peers().iter().map(|peer| peer.addresses.len()).collect::<Vec<_>>()
    };
    eventually("one connection each", || links(&one) == [1] && links(&other) == [1]).await;
    assert!(!one.diary.has(|seen| matches!(seen, crate::fixture::Seen::Lost(_))));
}

/// A node that runs until its runtime is dropped: then it says nothing to anybody, as a process
/// that is killed.
fn start_apart(config: NetConfig) -> (Runtime, Node) {
    std::thread::spawn(move || {
        let runtime = Runtime::new().expect("a runtime");
        let node = runtime.block_on(start(config));
        (runtime, node)
    })
    .join()
    .expect("a node")
}

/// Broken by: taking the greeting of a peer that was killed and came back for one more of the
/// process that is gone. What it is subscribed to is never told to the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_killed_and_comes_back_is_met_anew() {
    let mut stays = config(1);
    stays.listen = vec![QUIC.into()];
    let stays = start(stays).await;
    let mut killed = config(2);
    killed.listen = Vec::new();
    killed.peers = vec![stays.address()];
    let (runtime, first) = start_apart(killed.clone());
    stays.diary.until_greeted(first.key()).await;
    runtime.shutdown_background();
    let again = start(killed).await;
    stays.diary.until_lost(first.key()).await;
    stays.diary.until_greeted(again.key()).await;
    eventually("news", || {
        stays.net.tell(committed(7));
        again.diary.has(|seen| matches!(seen, Seen::News(..)))
    })
    .await;
}
