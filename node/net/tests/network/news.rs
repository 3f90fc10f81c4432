//! News reach all, unless a node in between judges otherwise.

use ddt_net::Verdict;
use ddt_net::message::News;

use crate::fixture::{Node, Seen, committed, config, eventually, meet, pair, start, start_beside};

/// Tells until the other side has it: a topic's subscription may come later than the greeting.
async fn tell_until_heard(from: &Node, to: &[&Node], news: News) {
    eventually("news", || {
        from.net.tell(news.clone());
        let wanted = Seen::News(from.key(), news.clone());
        to.iter().all(|node| node.diary.has(|seen| *seen == wanted))
    })
    .await;
}

/// A line of three: the ends are connected with the middle alone.
async fn line() -> [Node; 3] {
    line_whose_end_takes(config(3).limits.news_rate).await
}

/// The same; the last takes only so many news a second that one peer made.
async fn line_whose_end_takes(news_rate: u32) -> [Node; 3] {
    let alone = |seed: u8| {
        let mut config = config(seed);
        config.limits.peers_wanted = 0;
        config
    };
    let middle = start(alone(1)).await;
    let mut ends = Vec::new();
    for seed in [2, 3] {
        let mut end = alone(seed);
        if seed == 3 {
            end.limits.news_rate = news_rate;
        }
        end.peers = vec![middle.address()];
        let end = start(end).await;
        meet(&end, &middle).await;
        ends.push(end);
    }
    let [one, other] = <[Node; 2]>::try_from(ends).ok().expect("two ends");
    [one, middle, other]
}

/// Broken by: news that are not passed on, or that come without their author.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_reach_all_with_their_author() {
    let [one, middle, other] = line().await;
    tell_until_heard(&one, &[&middle, &other], committed(5)).await;
    tell_until_heard(&other, &[&middle, &one], committed(6)).await;
    assert_eq!(one.net.peers().len(), 1, "the ends are not connected");
    let heights = || one.net.peers().iter().map(|peer| peer.height).max();
    assert_eq!(heights(), Some(0), "what the other end said is not the middle's height");
}

/// Broken by: counting only news whose author is the neighbour: fresh names would be free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_of_others_have_a_limit_too() {
    let [one, _middle, other] = line_whose_end_takes(1).await;
    let mut height = 0;
    eventually("too many", || {
        for _ in 0..10 {
            height += 1;
            one.net.tell(committed(height));
        }
        other.net.counters().news_dropped > 0
    })
    .await;
}

/// Broken by: message ids made of contents; a cache of contents.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_again_goes_out_again() {
    let (one, other) = pair(|_| ()).await;
    tell_until_heard(&one, &[&other], committed(5)).await;
    let heard = || {
        let wanted = Seen::News(one.key(), committed(7));
        other.diary.seen.borrow().iter().filter(|seen| **seen == wanted).count()
    };
    for _ in 0..3 {
        one.net.tell(committed(7));
    }
    eventually("the same three times", || heard() == 3).await;
}

/// Broken by: validation that is not waited for; a verdict that is not reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_news_do_not_spread_and_cost_their_sender_its_standing() {
    let [one, middle, other] = line().await;
    tell_until_heard(&one, &[&middle, &other], committed(5)).await;
    let judge = |news: &News| match news {
        News::Committed { height: 66, .. } => Verdict::Reject,
        News::Committed { height: 67, .. } => Verdict::Ignore,
        _ => Verdict::Accept,
    };
    middle.diary.judging(judge);
    one.net.tell(committed(67));
    one.net.tell(committed(66));
    tell_until_heard(&one, &[&middle, &other], committed(8)).await;
    let of_height = |seen: &Seen, wanted: u64| match seen {
        Seen::News(_, News::Committed { height, .. }) => *height == wanted,
        _ => false,
    };
    assert!(middle.diary.has(|seen| of_height(seen, 66) || of_height(seen, 67)));
    assert!(!other.diary.has(|seen| of_height(seen, 66) || of_height(seen, 67)));
    let score = |key| {
        let peers = middle.net.peers();
        peers.iter().find(|peer| peer.key == key).map(|peer| peer.score)
    };
    eventually("a bad score", || score(one.key()).is_some_and(|score| score < -5.0)).await;
    assert!(score(other.key()).is_some_and(|score| score >= 0.0));
    assert!(middle.net.counters().news_rejected >= 1);
}

/// Broken by: penalties without consequences; a ban that lets the banned in again at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_on_telling_wrong_news_is_sent_away() {
    let (one, other) = pair(|_| ()).await;
    tell_until_heard(&other, &[&one], committed(5)).await;
    one.diary.judging(|_| Verdict::Reject);
    for height in 100..106 {
        other.net.tell(committed(height));
    }
    one.diary.until_lost(other.key()).await;
    assert_eq!(one.net.counters().bans, 1);
    let made = other.net.counters().connections;
    eventually("another try", || other.net.counters().connections > made).await;
    assert!(one.net.peers().is_empty());
}

/// Broken by: a queue without an end; a `tell` that waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telling_too_much_drops_and_counts() {
    let mut small = config(1);
    small.limits.tell_queue = 2;
    let one = start(small).await;
    for height in 0..10_000 {
        one.net.tell(committed(height));
    }
    eventually("drops", || one.net.counters().news_dropped > 0).await;
}

/// Broken by: a slow node that holds the swarm up; news that wait without a limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_judge_delays_nobody_else() {
    let (one, other) = pair(|_| ()).await;
    tell_until_heard(&other, &[&one], committed(5)).await;
    let (open, door) = std::sync::mpsc::channel::<()>();
    one.diary.judging(move |_| {
        // Until the test lets go.
        let _ = door.recv();
        Verdict::Ignore
    });
    for height in 0..400 {
        other.net.tell(committed(height));
    }
    let third = start_beside(3, &one).await;
    meet(&third, &one).await;
    let asked = third.net.ask(one.key(), ddt_net::message::Request::Anchors { first: 1 });
    assert_eq!(asked.await, Err(ddt_net::AskError::Nonsense), "it answers `Taken` to anything");
    eventually("drops", || one.net.counters().news_dropped > 0).await;
    drop(open);
}
