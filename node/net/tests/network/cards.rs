//! Router cards: told, looked up, replaced by newer ones, and never by forged ones.

use ddt_ledger::Millis;
use ddt_net::AskError;
use ddt_net::card::SignedCard;
use ddt_net::message::{Answer, News, Request};

use crate::fixture::{
    Node, Seen, card, config, eventually, meet, now, pair, router, set, sign, start, start_beside,
};

const PUSH: fn() -> Request = || Request::Push(vec![1, 2, 3]);

fn time_of(node: &Node, seed: u8) -> Option<u64> {
    node.net.card(&router(seed).1).map(|card| card.time.0)
}

/// Broken by: a card that is told only once; a card that is not in a greeting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_is_asked_by_its_own_key() {
    let (one, other) = pair(|_| ()).await;
    let key = router(50).1;
    other.net.set_routers(set([key]), false);
    one.net.set_card(Some(card(50, &one, now())));
    eventually("the card", || other.net.card(&key).is_some()).await;
    assert_eq!(other.net.ask(key, PUSH()).await, Ok(Answer::Taken));
    eventually("a name", || other.net.peers().iter().any(|peer| peer.router == Some(key))).await;
    // Who comes later learns it with the greeting, from somebody else.
    let third = start(config(3)).await;
    third.net.set_routers(set([key]), false);
    third.net.dial(&other.address()).expect("a dial");
    eventually("the card", || third.net.card(&key).is_some()).await;
    assert_eq!(third.net.ask(key, PUSH()).await, Ok(Answer::Taken));
}

/// Broken by: records that are not published, not kept, or not looked up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_found_in_the_table_of_all_nodes() {
    let middle = start(config(1)).await;
    let key = router(51).1;
    middle.net.set_routers(set([key]), false);
    let owner = start_beside(2, &middle).await;
    meet(&owner, &middle).await;
    owner.net.set_card(Some(card(51, &owner, now())));
    eventually("the card", || middle.net.card(&key).is_some()).await;
    // It counts here only after the greeting: nobody tells it again, so it must be looked up.
    let mut lonely = config(3);
    lonely.limits.peers_wanted = 0;
    lonely.peers = vec![middle.address()];
    let lonely = start(lonely).await;
    meet(&lonely, &middle).await;
    assert_eq!(lonely.net.ask(key, PUSH()).await, Err(AskError::Unknown), "it is no router yet");
    lonely.net.set_routers(set([key]), false);
    let mut answer = lonely.net.ask(key, PUSH()).await;
    while answer == Err(AskError::Unknown) {
        answer = lonely.net.ask(key, PUSH()).await;
    }
    assert_eq!(answer, Ok(Answer::Taken));
    assert_eq!(lonely.net.peers().len(), 2);
}

/// Broken by: a book that takes older cards, or others' signatures, or cards from the future.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newer_cards_replace_older_ones_and_nothing_else_does() {
    let (one, other) = pair(|_| ()).await;
    let (signer, key) = router(52);
    other.net.set_routers(set([key]), false);
    let start = now();
    let tell = |signed: &SignedCard| one.net.tell(News::Card(Box::new(signed.clone())));
    let at = |time: Millis| card(52, &one, time);
    eventually("the first", || {
        tell(&at(start));
        time_of(&other, 52) == Some(start.0)
    })
    .await;
    let before = other.net.counters().news_in;
    tell(&at(Millis(start.0 - 1)));
    tell(&at(start.plus(Millis(3_600_000))));
    let mut forged = at(start.plus(Millis(5)));
    forged.card.addresses = vec!["/ip4/192.0.2.1/tcp/1".into()];
    tell(&forged);
    let stranger = router(53).0;
    tell(&sign((&stranger, &one.transport), at(start.plus(Millis(6))).card));
    eventually("four more", || other.net.counters().news_in >= before + 4).await;
    tell(&at(start.plus(Millis(9))));
    eventually("the newest", || time_of(&other, 52) == Some(start.0 + 9)).await;
    assert_eq!(other.net.counters().news_rejected, 2, "the two forged ones");
    assert_eq!(
        other.net.cards(),
        [sign((&signer, &one.transport), at(start.plus(Millis(9))).card)]
    );
    // What was learned from a disk obeys the same rules.
    other.net.learn(&[at(start), forged]);
    assert_eq!(time_of(&other, 52), Some(start.0 + 9));
    other.net.set_routers(set([]), false);
    assert!(other.net.cards().is_empty(), "it counts no more");
}

/// Broken by: `keep` that is ignored; a card's addresses that are not dialled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routers_stay_connected_with_all_routers() {
    let quiet = |seed: u8| {
        let mut config = config(seed);
        config.limits.peers_wanted = 0;
        config
    };
    let one = start(quiet(1)).await;
    let mut all = vec![one];
    for seed in [2, 3] {
        let mut beside = quiet(seed);
        beside.peers = vec![all[0].address()];
        let node = start(beside).await;
        meet(&node, &all[0]).await;
        all.push(node);
    }
    let keys = set([61, 62, 63].map(|seed| router(seed).1));
    for (seed, node) in [61, 62, 63].into_iter().zip(&all) {
        node.net.set_routers(keys.clone(), true);
        node.net.set_card(Some(card(seed, node, now())));
    }
    meet(&all[1], &all[2]).await;
    all[1].net.peers().iter().for_each(|peer| assert_ne!(peer.key, all[1].key()));
}

/// Broken by: a card that is taken although the node it names has not signed it, and then
/// hides where that node is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_names_a_node_that_is_anothers() {
    let (victim, liar, asker) = (start(config(1)).await, start(config(2)).await, 3);
    let mut named = [router(54), router(55)];
    // Of two cards that name one node the one with the smaller router key would count.
    named.sort_by_key(|(_, key)| *key);
    let [(liars, liars_key), (victims, victims_key)] = named;
    let mut alone = config(asker);
    alone.limits.peers_wanted = 0;
    let asker = start(alone).await;
    asker.net.set_routers(set([liars_key, victims_key]), false);
    let mut good = card(54, &victim, now());
    good.card.router = victims_key;
    let good = sign((&victims, &victim.transport), good.card);
    let mut lie = good.card.clone();
    lie.router = liars_key;
    lie.addresses = (1..=8).map(|port| format!("/ip4/127.0.0.1/tcp/{port}")).collect();
    let lie = sign((&liars, &liar.transport), lie);
    asker.net.learn(&[lie]);
    assert!(asker.net.cards().is_empty(), "it is not the liar's node");
    asker.net.learn(&[good]);
    assert_eq!(asker.net.ask(victims_key, PUSH()).await, Ok(Answer::Taken));
    let peers = asker.net.peers();
    assert!(peers.iter().any(|peer| peer.router == Some(victims_key)), "{peers:?}");
}

/// Broken by: a greeting whose cards are checked anew for everybody who greets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_checked_once() {
    let (one, other) = pair(|_| ()).await;
    let routers = [56, 57, 58];
    one.net.set_routers(set(routers.map(|seed| router(seed).1)), false);
    one.net.learn(&routers.map(|seed| card(seed, &other, now())));
    assert_eq!(one.net.counters().cards_checked, 3);
    let learned = one.net.cards();
    for seed in 4..8 {
        let newcomer = start_beside(seed, &one).await;
        meet(&newcomer, &one).await;
        assert!(
            newcomer
                .diary
                .has(|seen| { matches!(seen, Seen::Greeted(_, hello) if hello.cards == learned) })
        );
    }
    assert_eq!(one.net.counters().cards_checked, 3);
}
