//! Requests and answers between nodes that keep the rules.

use std::sync::Arc;
use std::time::Duration;

use ddt_core::availability::Ask;
use ddt_ledger::lane::BLOCK_BYTES_MAX;
use ddt_ledger::{Hash, PublicKey, Zone};
use ddt_net::message::{Answer, Request, Submitted};
use ddt_net::{AskError, Frame};
use tokio::sync::Semaphore;

use crate::fixture::{config, eventually, meet, noise, pair, start, start_beside};

fn block() -> Request {
    Request::Block(Ask { zone: Zone(1), term: 0, height: 9, block: Some(Hash([3; 32])) })
}

/// Broken by: a limit a byte too small; an answer cut off or mixed up with another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_blocks_are_pushed_and_answered_bit_for_bit() {
    let (one, other) = pair(|_| ()).await;
    let whole = Arc::new(noise(BLOCK_BYTES_MAX));
    let kept = Arc::clone(&whole);
    one.diary.answering(move |_, request| {
        let kept = Arc::clone(&kept);
        async move {
            match request {
                Request::Push(bytes) if bytes == *kept => Answer::Taken,
                Request::Block(_) => Answer::Block(Some(kept.to_vec())),
                _ => Answer::Busy,
            }
        }
    });
    let push = Frame::from(Request::Push(whole.to_vec()));
    let asks = (0..8).map(|index| {
        let (net, push, to) = (other.net.clone(), push.clone(), one.key());
        let whole = Arc::clone(&whole);
        tokio::spawn(async move {
            if index % 2 == 0 {
                assert_eq!(net.ask(to, push).await, Ok(Answer::Taken));
            } else {
                assert_eq!(net.ask(to, block()).await, Ok(Answer::Block(Some(whole.to_vec()))));
            }
        })
    });
    for ask in asks.collect::<Vec<_>>() {
        ask.await.expect("an answer");
    }
    let bytes = u64::try_from(4 * BLOCK_BYTES_MAX).expect("a number");
    assert!(one.net.counters().bytes_in > bytes && one.net.counters().bytes_out > bytes);
}

/// Broken by: an answer that reaches another question; a request that reaches another node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_question_gets_its_own_answer() {
    let (one, other) = pair(|_| ()).await;
    one.diary.answering(|_, request| async move {
        match request {
            Request::Submit(bytes) => {
                let code = String::from_utf8(bytes).expect("a text");
                Answer::Submitted(Submitted::Refused { code })
            }
            _ => Answer::Busy,
        }
    });
    let asks = (0..200).map(|index| {
        let (net, to) = (other.net.clone(), one.key());
        tokio::spawn(async move {
            let code = format!("event {index}");
            loop {
                match net.ask(to, Request::Submit(code.clone().into_bytes())).await {
                    Ok(Answer::Busy) => tokio::task::yield_now().await,
                    answer => break (Answer::Submitted(Submitted::Refused { code }), answer),
                }
            }
        })
    });
    for ask in asks.collect::<Vec<_>>() {
        let (wanted, answer) = ask.await.expect("an answer");
        assert_eq!(answer, Ok(wanted));
    }
}

/// Broken by: work without a limit; a limit that is not given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_at_once_is_answered_with_busy() {
    let (one, other) = pair(|config| config.limits.requests_per_peer = 3).await;
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    one.diary.answering(move |_, _| {
        let waiting = Arc::clone(&waiting);
        async move {
            drop(waiting.acquire().await);
            Answer::Block(None)
        }
    });
    let ask = || {
        let (net, to) = (other.net.clone(), one.key());
        tokio::spawn(async move { net.ask(to, block()).await })
    };
    let all: Vec<_> = (0..5).map(|_| ask()).collect();
    eventually("two refusals", || one.net.counters().busy == 2).await;
    gate.add_permits(1_000);
    let mut answers = Vec::new();
    for one in all {
        answers.push(one.await.expect("a task").expect("an answer"));
    }
    assert_eq!(answers.iter().filter(|answer| **answer == Answer::Busy).count(), 2);
    // The room of what was answered is free again, as soon as its answer has left.
    eventually("room", || one.net.counters().requests_in >= 5).await;
    loop {
        if ask().await.expect("a task") == Ok(Answer::Block(None)) {
            break;
        }
    }
}

/// Broken by: a request without an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_answer_is_given_up() {
    let mut hasty = config(1);
    hasty.limits.answer_timeout = Duration::from_millis(300);
    let one = start(hasty).await;
    let other = start_beside(2, &one).await;
    meet(&one, &other).await;
    other.diary.answering(|_, _| std::future::pending());
    assert_eq!(one.net.ask(other.key(), block()).await, Err(AskError::Timeout));
    assert_eq!(one.net.counters().unanswered, 1);
}

/// Broken by: `Kind::fits` that says yes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_another_question_is_none() {
    let (one, other) = pair(|_| ()).await;
    one.diary.answering(|_, _| async { Answer::Taken });
    for _ in 0..3 {
        let answer = other.net.ask(one.key(), block()).await;
        assert_eq!(answer, Err(AskError::Nonsense));
    }
    other.diary.until_lost(one.key()).await;
    assert_eq!(other.net.counters().bans, 1);
    assert_eq!(other.net.ask(one.key(), block()).await, Err(AskError::Barred));
}

/// Broken by: waiting for ever for who cannot be found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_there_cannot_be_asked() {
    let (one, other) = pair(|_| ()).await;
    let nobody = PublicKey([9; 32]);
    let answer = one.net.ask(nobody, block()).await;
    assert!(matches!(answer, Err(AskError::Unknown | AskError::Unreachable)), "{answer:?}");
    assert_eq!(one.net.ask(one.key(), block()).await, Err(AskError::Barred));
    let (key, asked) = (other.key(), other.net.clone());
    asked.stop().await;
    one.diary.until_lost(key).await;
    let answer = one.net.ask(key, block()).await;
    assert!(matches!(answer, Err(AskError::Unknown | AskError::Unreachable)), "{answer:?}");
}

/// Broken by: requests that are forgotten with the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_ends_with_its_peer() {
    let (one, other) = pair(|_| ()).await;
    let asked = Arc::new(tokio::sync::Notify::new());
    let began = Arc::clone(&asked);
    other.diary.answering(move |_, _| {
        began.notify_one();
        std::future::pending()
    });
    let (net, to) = (one.net.clone(), other.key());
    let ask = tokio::spawn(async move { net.ask(to, block()).await });
    asked.notified().await;
    other.net.stop().await;
    assert_eq!(ask.await.expect("a task"), Err(AskError::Closed));
}

/// Broken by: a node that sends what others must blame it for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_is_not_sent() {
    let (one, other) = pair(|_| ()).await;
    let long = Request::Push(vec![0; BLOCK_BYTES_MAX + 1]);
    assert_eq!(other.net.ask(one.key(), long).await, Err(AskError::Limits));
    one.diary.answering(|_, _| async { Answer::Block(Some(vec![0; 2 * BLOCK_BYTES_MAX])) });
    assert_eq!(other.net.ask(one.key(), block()).await, Ok(Answer::Busy));
    assert_eq!(other.net.counters().bans + one.net.counters().bans, 0);
}
