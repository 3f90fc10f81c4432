//! The follower among many who say that they have what they have not.

use std::collections::BTreeSet;

use ddt_core::follower::{
    Effect, FETCH_MS, Follower, Input, PEERS_MAX, Position, SILENCE_MS, TELL_MS,
};
use ddt_ledger::{Hash, Millis, PublicKey};

use crate::fixture::*;
use crate::lanes_fixture::{ME, validators};

/// More than are remembered.
const LIARS: u16 = 1_100;

fn follower() -> Follower {
    let position = Position { height: 0, anchor: CHAIN.0, validators: validators() };
    Follower::new(CHAIN, key(ME), position)
}

/// Keys that stand before everybody else's.
fn liar(number: u16) -> PublicKey {
    let mut bytes = [0; 32];
    bytes[1..3].copy_from_slice(&number.to_be_bytes());
    PublicKey(bytes)
}

fn met(follower: &mut Follower, now: Millis, peer: PublicKey, height: u64) -> Vec<Effect> {
    follower.step(now, Input::Met { peer, height, lowest: 1 })
}

fn asked(effects: &[Effect]) -> Vec<(PublicKey, u64)> {
    let ask = |effect: &Effect| match effect {
        Effect::Ask { to, first } => Some((*to, *first)),
        _ => None,
    };
    effects.iter().filter_map(ask).collect()
}

fn committed(follower: &mut Follower, now: Millis, height: u64) -> Vec<Effect> {
    let anchor = Hash([height as u8; 32]);
    follower.step(now, Input::Committed(Position { height, anchor, validators: validators() }))
}

/// Whom it asks until it asks this one, with nobody answering.
fn until(
    follower: &mut Follower,
    now: &mut Millis,
    honest: PublicKey,
) -> Option<BTreeSet<PublicKey>> {
    let mut before = BTreeSet::new();
    for _ in 0..4 * LIARS {
        for (to, _) in asked(&follower.step(*now, Input::Tick)) {
            if to == honest {
                return Some(before);
            }
            assert!(before.insert(to), "each once, before anybody twice");
        }
        *now = now.plus(FETCH_MS);
    }
    None
}

/// Broken by: believing heights of who is not connected; keeping places for them.
#[test]
fn strangers_that_are_not_connected_are_nobody() {
    let (mut follower, honest) = (follower(), key(202));
    for number in 0..LIARS {
        let from = liar(number);
        let effects =
            follower.step(START, Input::Height { from, height: u64::MAX, is_router: false });
        assert_eq!(asked(&effects), []);
    }
    assert_eq!((follower.remembered(), follower.heard_of()), (0, 0));
    assert_eq!(asked(&met(&mut follower, START, honest, 9)), [(honest, 1)]);
    assert_eq!(follower.heard_of(), 9);
    // Nor is a peer that was lost.
    follower.step(START, Input::Lost(honest));
    assert_eq!((follower.remembered(), follower.heard_of()), (0, 0));
}

/// Broken by: asking in the order of keys from the first one on after each commit, or after
/// each peer's news; waiting ever longer before everybody was asked once.
#[test]
fn connected_liars_delay_but_do_not_stop() {
    let (mut follower, honest, mut now) = (follower(), key(202), START);
    for number in 0..LIARS {
        met(&mut follower, now, liar(number), u64::MAX);
    }
    assert_eq!(follower.remembered(), PEERS_MAX);
    for number in 0..LIARS / 2 {
        follower.step(now, Input::Lost(liar(number)));
    }
    met(&mut follower, now, honest, 40);
    let before = until(&mut follower, &mut now, honest).expect("the honest one is asked");
    assert!(before.len() <= PEERS_MAX);
    // What is committed by other ways, and liars who come and go, begin nothing anew.
    for height in 1..4 {
        committed(&mut follower, now, height);
        met(&mut follower, now, liar(height as u16), u64::MAX);
        let asked = asked(&follower.step(now, Input::Tick));
        assert!(asked.iter().all(|(to, _)| *to != liar(height as u16) && !before.contains(to)));
    }
    assert!(until(&mut follower, &mut now, honest).is_some());
}

/// Broken by: waiting for the time although the answer is known to be none; or asking those
/// who have none without end.
#[test]
fn who_has_no_answer_makes_room_at_once() {
    let (mut follower, honest) = (follower(), key(202));
    for number in 0..20 {
        met(&mut follower, START, liar(number), u64::MAX);
    }
    met(&mut follower, START, honest, 40);
    let mut effects = follower.step(START.plus(FETCH_MS), Input::Tick);
    let mut all = Vec::new();
    while let Some((from, first)) = asked(&effects).first().copied() {
        all.push(from);
        effects = follower.step(START.plus(FETCH_MS), Input::Unanswered { from, first });
    }
    assert!(all.contains(&honest) && all.len() <= 21, "{}", all.len());
}

/// Broken by: heights of peers that are no routers where routers are known; routers that are
/// remembered although they are gone.
#[test]
fn routers_say_how_far_the_network_is() {
    let mut follower = follower();
    for number in 0..100 {
        met(&mut follower, START, liar(number), u64::MAX);
    }
    for (seed, height) in [(201, 7), (202, 8), (203, u64::MAX), (204, 7)] {
        follower.step(START, Input::Height { from: key(seed), height, is_router: true });
    }
    assert_eq!(follower.heard_of(), 8);
    let later = START.plus(SILENCE_MS).plus(TELL_MS);
    for seed in [201, 202, 204] {
        follower.step(later, Input::Height { from: key(seed), height: 9, is_router: true });
    }
    assert_eq!((follower.heard_of(), follower.remembered()), (9, 103));
    // Room for them is found before room for who is not connected.
    for number in 100..LIARS {
        met(&mut follower, later, liar(number), 0);
    }
    assert_eq!(follower.remembered(), PEERS_MAX);
}

/// Broken by: asking who cannot have it; never asking who said nothing since it greeted.
#[test]
fn who_may_have_it_is_asked_when_all_others_were() {
    let (mut follower, now) = (follower(), START);
    let (silent, pruned, quiet) = (key(201), key(202), key(203));
    follower.step(now, Input::Met { peer: pruned, height: 9, lowest: 2 });
    follower.step(now, Input::Met { peer: quiet, height: 0, lowest: 1 });
    let mut all: Vec<_> = asked(&met(&mut follower, now, silent, 9));
    for tick in 1..20 {
        all.extend(asked(&follower.step(now.plus(Millis(tick * 400)), Input::Tick)));
    }
    let all: BTreeSet<_> = all.into_iter().map(|(to, _)| to).collect();
    assert_eq!(all, BTreeSet::from([silent, quiet]));
}
