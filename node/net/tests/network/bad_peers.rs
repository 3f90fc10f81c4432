//! Peers that break the rules: refused, blamed, sent away, and never followed by a panic.

use std::time::Duration;

use ddt_ledger::{ChainId, Hash};
use ddt_net::message::{Answer, Message, REQUEST_BYTES_MAX, Request};
use ddt_net::{AskError, NetConfig};

use crate::fixture::{CHAIN, Node, Seen, config, eventually, noise, start};
use crate::raw::{Plain, Raw, framed, hello};

async fn node(adjust: impl FnOnce(&mut NetConfig)) -> Node {
    let mut config = config(1);
    adjust(&mut config);
    start(config).await
}

async fn raw(node: &Node) -> Raw {
    Raw::connect(9, &node.address(), node.key(), Plain::default()).await
}

fn push(bytes: Vec<u8>) -> Vec<u8> {
    framed(&Request::Push(bytes).encode())
}

/// Breaks one rule until the node has had enough, and looks that nobody else suffers.
async fn is_sent_away_for(bytes: Vec<u8>) {
    let node = node(|_| ()).await;
    let mut raw = raw(&node).await;
    raw.greet().await;
    assert!(raw.ask(push(vec![1])).await.is_ok());
    while raw.is_connected() {
        assert!(raw.ask(bytes.clone()).await.is_err());
        tokio::task::yield_now().await;
    }
    assert_eq!(node.net.counters().bans, 1);
    node.diary.until_lost(raw.key()).await;
    let other = crate::fixture::start_beside(2, &node).await;
    crate::fixture::meet(&node, &other).await;
    assert_eq!(other.net.ask(node.key(), Request::Push(vec![1])).await, Ok(Answer::Taken));
}

/// Broken by: a decoder whose refusal is nobody's fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage() {
    is_sent_away_for(framed(&[&[1, 1], &noise(500)[..]].concat())).await;
}

/// Broken by: a version that is not looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version() {
    let mut request = Request::Push(vec![1]).encode();
    request[0] = 2;
    is_sent_away_for(framed(&request)).await;
}

/// Broken by: a length that is believed. The bytes never come, and nothing waits for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_long() {
    let length = u32::try_from(REQUEST_BYTES_MAX + 2).expect("a length").to_be_bytes();
    is_sent_away_for(length.to_vec()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_at_all() {
    is_sent_away_for(framed(&[])).await;
}

/// Broken by: a request that is served to who has not greeted; a long one that is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_before_a_greeting() {
    let node = node(|_| ()).await;
    let mut raw = raw(&node).await;
    raw.welcome = None;
    assert!(raw.ask(push(vec![1])).await.is_err());
    assert!(raw.ask(push(vec![0; 2_000_000])).await.is_err());
    assert_eq!(node.net.counters().refusals, 2);
    assert!(node.net.counters().bytes_in < 1_000_000, "it was not read");
    raw.greet().await;
    assert!(raw.ask(push(vec![0; 2_000_000])).await.is_ok());
}

/// Broken by: a chain that is not compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greeting_of_another_chain_ends_the_connection() {
    let node = node(|_| ()).await;
    let strange = hello(ChainId(Hash([8; 32])));
    let mut one = raw(&node).await;
    one.welcome = Some(framed(&Answer::Hello(strange.clone()).encode()));
    let greeting = framed(&Request::Hello(strange.clone()).encode());
    assert!(one.ask(greeting).await.is_err());
    one.until_closed().await;
    let mut other = Raw::connect(8, &node.address(), node.key(), Plain::default()).await;
    other.welcome = Some(framed(&Answer::Hello(strange).encode()));
    other.until_closed().await;
    assert!(node.net.peers().is_empty());
    assert!(!node.diary.has(|seen| matches!(seen, Seen::Greeted(..))));
}

/// Broken by: a peer that may stay without a greeting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_greet_is_parted_with() {
    let node = node(|config| config.limits.hello_timeout = Duration::from_millis(500)).await;
    let mut silent = raw(&node).await;
    silent.welcome = None;
    silent.until_closed().await;
    // One that greets, and does not answer a greeting.
    let mut half = Raw::connect(8, &node.address(), node.key(), Plain::default()).await;
    half.welcome = None;
    half.greet().await;
    half.until_closed().await;
    node.diary.until_lost(half.key()).await;
    // One that answers it with nothing.
    let mut empty = Raw::connect(7, &node.address(), node.key(), Plain::default()).await;
    empty.welcome = Some(Vec::new());
    empty.until_closed().await;
}

/// Broken by: greetings without a number, or too many that are nobody's fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_greets_again_and_again_is_sent_away() {
    let node = node(|_| ()).await;
    let mut raw = raw(&node).await;
    let greeting = framed(&Request::Hello(hello(CHAIN)).encode());
    for _ in 0..200 {
        raw.send(greeting.clone());
    }
    let other = crate::fixture::start_beside(2, &node).await;
    crate::fixture::meet(&node, &other).await;
    raw.until_closed().await;
    let counted = node.net.counters();
    assert_eq!(counted.bans, 1);
    assert!(counted.refusals >= 10, "{counted:?}");
}

/// Broken by: blame for who was not greeted in time because this node is slow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_greeted_yet_is_not_blamed() {
    let node = node(|config| config.limits.hello_timeout = Duration::from_millis(100)).await;
    let hold = std::sync::Arc::clone(&node.diary);
    // While this is held the node cannot say what it says of itself.
    let (held, release) = std::sync::mpsc::channel::<()>();
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let holding = std::thread::spawn(move || {
        let _greeting = hold.greeting.lock().expect("a lock");
        taken.send(()).expect("a test");
        let _ = release.recv();
    });
    is_taken.await.expect("a thread");
    // It answers at once; the node greets late, and parts at last, with nobody to blame.
    for _ in 0..12 {
        let mut raw = raw(&node).await;
        raw.until_closed().await;
    }
    assert_eq!(node.net.counters().bans, 0);
    drop(held);
    holding.join().expect("a thread");
}

/// Broken by: a bucket that is never empty, or whose emptiness is nobody's fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_turned_away() {
    let limit = |config: &mut NetConfig| {
        (config.limits.requests_rate, config.limits.requests_burst) = (1, 20);
    };
    let node = node(limit).await;
    let mut raw = raw(&node).await;
    raw.greet().await;
    // A few at a time: of many streams at once some are dropped before anybody counts them.
    while raw.is_connected() {
        for _ in 0..50 {
            raw.send(push(vec![1]));
        }
        for _ in 0..50 {
            let _ = raw.outcome().await;
        }
    }
    assert_eq!(node.net.counters().bans, 1);
    assert!(node.net.counters().busy >= 100);
}

/// Broken by: answers that wait for who never reads them, without an end or a limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_takes_only_its_own_room() {
    let limit = |config: &mut NetConfig| {
        config.limits.requests_per_peer = 4;
        config.limits.requests_total = 6;
    };
    let node = node(limit).await;
    node.diary.answering(|_, request| async move {
        match request {
            Request::Anchors { .. } => Answer::Block(Some(noise(4_000_000))),
            _ => Answer::Taken,
        }
    });
    let deaf = asks_and_never_reads(9, &node).await;
    eventually("refusals", || node.net.counters().busy >= 30).await;
    let other = crate::fixture::start_beside(2, &node).await;
    crate::fixture::meet(&node, &other).await;
    assert_eq!(other.net.ask(node.key(), Request::Push(vec![1])).await, Ok(Answer::Taken));
    // Several of them take all the room that strangers have, and none that routers have.
    let more = asks_and_never_reads(10, &node).await;
    eventually("refusals", || node.net.counters().busy >= 60).await;
    assert_eq!(other.net.ask(node.key(), Request::Push(vec![1])).await, Ok(Answer::Busy));
    let router = crate::fixture::router(50).1;
    node.net.set_routers(crate::fixture::set([router]), false);
    let card = crate::fixture::card(50, &other, crate::fixture::now());
    other.net.set_card(Some(card));
    eventually("the card", || node.net.card(&router).is_some()).await;
    assert_eq!(other.net.ask(node.key(), Request::Push(vec![1])).await, Ok(Answer::Taken));
    deaf.abort();
    more.abort();
}

/// A peer that asks for much once it was greeted, and reads no answer.
async fn asks_and_never_reads(seed: u8, node: &Node) -> tokio::task::JoinHandle<()> {
    let deaf = Plain { is_deaf: true };
    let mut raw = Raw::connect(seed, &node.address(), node.key(), deaf).await;
    raw.send(framed(&Request::Hello(hello(CHAIN)).encode()));
    let key = raw.key();
    let (go, wait) = tokio::sync::oneshot::channel();
    let asking = tokio::spawn(async move {
        tokio::select! {
            _ = async { loop { raw.next().await; } } => {}
            _ = wait => {}
        }
        for _ in 0..40 {
            raw.send(framed(&Request::Anchors { first: 1 }.encode()));
        }
        loop {
            raw.next().await;
        }
    });
    node.diary.until_greeted(key).await;
    go.send(()).expect("a peer");
    asking
}

/// Broken by: an answer that is believed to be one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_for_an_answer_is_said_to_be() {
    let node = node(|_| ()).await;
    let mut raw = raw(&node).await;
    raw.greet().await;
    node.diary.until_greeted(raw.key()).await;
    let key = raw.key();
    let ask = || node.net.ask(key, Request::Push(vec![1]));
    // A greeting is no answer to this; when it comes, the node's own greeting was answered.
    tokio::select! {
        answer = ask() => assert_eq!(answer, Err(AskError::Nonsense)),
        () = raw.until_closed() => panic!("parted"),
    }
    raw.welcome = Some(framed(&[1, 77, 77]));
    let talking = tokio::spawn(async move { raw.until_closed().await });
    while ask().await != Err(AskError::Barred) {}
    within_end(talking).await;
    assert_eq!(node.net.counters().bans, 1);
}

async fn within_end(task: tokio::task::JoinHandle<()>) {
    crate::fixture::within("the end", task).await.expect("a task");
}
