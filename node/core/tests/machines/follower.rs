//! The follower: what is executed, what is refused, whom it asks.

use ddt_core::follower::{
    Decided, Effect, FETCH_MAX, FETCH_MS_MAX, Follower, Input, Position, WINDOW,
};
use ddt_ledger::anchor::{ANCHOR_VERSION, AnchorBody};
use ddt_ledger::certificate::{
    Certificate, CertificateSignature, ValidatorAddress, VoteKind, vote_digest,
};
use ddt_ledger::codec::encode;
use ddt_ledger::schema::List;
use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{Hash, Millis};

use crate::fixture::*;
use crate::lanes_fixture::{ME, ROUTERS, validators};

fn follower() -> Follower {
    let position = Position { height: 0, anchor: CHAIN.0, validators: validators() };
    Follower::new(CHAIN, key(ME), position)
}

/// An anchor, precommitted by these routers.
fn decided(height: u64, previous: Hash, signers: &[u8]) -> Decided {
    let vrf = VrfKey::from_seed(&[7; 32]).expect("a seed");
    let body = encode(&AnchorBody {
        version: ANCHOR_VERSION,
        chain: CHAIN,
        height,
        previous,
        statements: List::new(Vec::new()).expect("none"),
        tips: List::new(Vec::new()).expect("none"),
        state_root: Hash::ZERO,
        receipts_root: Hash::ZERO,
        next_validators: validators().hash(),
        maker: ValidatorAddress::of(&key(ROUTER)),
        vrf: vrf.prove(&previous, height),
    });
    let (anchor, round) = (AnchorBody::id_of(&body), 0);
    let sign = |seed: &u8| {
        let voter = ValidatorAddress::of(&key(*seed));
        let kind = VoteKind::Precommit;
        let digest = vote_digest(CHAIN, kind, height, round, Some(anchor), voter);
        CertificateSignature { key: key(*seed), signature: signature(*seed, &digest) }
    };
    let signatures = signers.iter().map(sign).collect();
    Decided { body, certificate: Certificate { height, round, anchor, signatures } }
}

/// Anchors that follow each other.
fn history(count: u64) -> Vec<Decided> {
    let mut previous = CHAIN.0;
    let next = |height| {
        let next = decided(height, previous, &ROUTERS[..3]);
        previous = next.certificate.anchor;
        next
    };
    (1..=count).map(next).collect()
}

fn comes(follower: &mut Follower, now: Millis, decided: &Decided) -> Vec<Effect> {
    let decided = Box::new(decided.clone());
    follower.step(now, Input::Decided { from: key(ROUTER), decided })
}

fn committed(follower: &mut Follower, now: Millis, decided: &Decided) -> Vec<Effect> {
    let Certificate { height, anchor, .. } = decided.certificate;
    let position = Position { height, anchor, validators: validators() };
    follower.step(now, Input::Committed(position))
}

/// A router says how far it is.
fn said(follower: &mut Follower, now: Millis, seed: u8, height: u64) -> Vec<Effect> {
    follower.step(now, Input::Height { from: key(seed), height, is_router: true })
}

fn needs(effects: &[Effect]) -> Vec<u64> {
    let need = |effect: &Effect| match effect {
        Effect::Need { height, .. } => Some(*height),
        _ => None,
    };
    effects.iter().filter_map(need).collect()
}

fn refusals(effects: &[Effect]) -> Vec<&'static str> {
    let why = |effect: &Effect| match effect {
        Effect::Refused { why, .. } => Some(*why),
        _ => None,
    };
    effects.iter().filter_map(why).collect()
}

fn asks(effects: &[Effect]) -> Vec<u64> {
    let ask = |effect: &Effect| match effect {
        Effect::Ask { first, .. } => Some(*first),
        _ => None,
    };
    effects.iter().filter_map(ask).collect()
}

fn executes(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Execute(_))).count()
}

/// Broken by: executing before the blocks are here, or out of order.
#[test]
fn anchors_are_executed_in_order_once_their_blocks_are_here() {
    let (mut follower, history) = (follower(), history(3));
    for late in [&history[2], &history[1]] {
        assert!(needs(&comes(&mut follower, START, late)).is_empty());
    }
    assert_eq!(needs(&comes(&mut follower, START, &history[0])), [1]);
    assert_eq!(executes(&follower.step(START, Input::Here { height: 2 })), 0);
    assert_eq!(executes(&follower.step(START, Input::Here { height: 1 })), 1);
    assert_eq!(executes(&follower.step(START, Input::Here { height: 1 })), 0, "once");
    for next in 1..3 {
        let effects = committed(&mut follower, START, &history[next - 1]);
        let height = next as u64 + 1;
        assert_eq!(needs(&effects), [height]);
        assert!(effects.iter().any(|e| matches!(e, Effect::Tell(told) if *told == height - 1)));
        assert_eq!(executes(&follower.step(START, Input::Here { height })), 1);
    }
}

/// Broken by: leaving out any check of `verify`.
#[test]
fn what_does_not_verify_is_refused_and_does_no_harm() {
    let (mut follower, history) = (follower(), history(1));
    let good = &history[0];
    let mut forged = good.clone();
    forged.certificate.signatures[0].signature = signature(9, &Hash::ZERO);
    let mut other = good.clone();
    other.body = decided(1, CHAIN.0, &ROUTERS).body;
    other.body[0] ^= 1;
    let mut garbage = good.clone();
    garbage.body = vec![3; 9];
    for (wrong, why) in [
        (forged, "a certificate that does not verify"),
        (decided(1, CHAIN.0, &ROUTERS[..2]), "a certificate that does not verify"),
        (decided(1, CHAIN.0, &[ROUTER, ROUTER, 201]), "a certificate that does not verify"),
        (decided(1, CHAIN.0, &[ROUTER, 201, 9]), "a certificate that does not verify"),
        (decided(1, Hash([1; 32]), &ROUTERS), "an anchor that does not follow"),
        (other, "a certificate of another anchor"),
        (garbage, "bytes that are no anchor"),
    ] {
        let effects = comes(&mut follower, START, &wrong);
        assert_eq!((refusals(&effects), needs(&effects)), (vec![why], vec![]));
    }
    assert_eq!(needs(&comes(&mut follower, START, good)), [1]);
}

/// Broken by: a window without an end; a bad anchor that keeps a good one out.
#[test]
fn the_window_is_bounded_and_a_bad_anchor_gives_way() {
    let (mut follower, history) = (follower(), history(WINDOW + 3));
    for anchor in history.iter().skip(1) {
        comes(&mut follower, START, anchor);
    }
    assert_eq!(follower.waiting(), WINDOW as usize - 1);
    let mut follower = self::follower();
    said(&mut follower, START, ROUTER, 3);
    comes(&mut follower, START, &decided(2, Hash::ZERO, &[9]));
    comes(&mut follower, START, &history[1]);
    comes(&mut follower, START, &history[0]);
    follower.step(START, Input::Here { height: 1 });
    let effects = committed(&mut follower, START, &history[0]);
    assert_eq!(refusals(&effects).len(), 1);
    assert_eq!(asks(&effects), [2], "asked for again at once");
    assert_eq!(needs(&comes(&mut follower, START, &history[1])), [2]);
}

/// Broken by: asking without end at once, one peer only, or never again.
#[test]
fn who_is_behind_asks_one_after_the_other_ever_less_often() {
    let mut follower = follower();
    assert!(asks(&follower.step(START, Input::Tick)).is_empty());
    let mut asked = std::collections::BTreeMap::new();
    for seed in [ROUTER, 202, 203] {
        said(&mut follower, START, seed, 5);
    }
    let mut count = 0;
    for tick in 0..600_u64 {
        for effect in follower.step(START.plus(Millis(tick * 100)), Input::Tick) {
            if let Effect::Ask { to, first: 1 } = effect {
                *asked.entry(to).or_insert(0) += 1;
                count += 1;
            }
        }
    }
    assert_eq!(asked.len(), 3);
    assert!((5..20).contains(&count), "{count} in a minute, {FETCH_MS_MAX:?} apart");
    assert_eq!(follower.heard_of(), 5);
}

/// Broken by: believing the highest that any peer says, or only what all say.
#[test]
fn a_few_liars_do_not_say_how_far_the_network_is() {
    let mut follower = follower();
    assert_eq!(follower.heard_of(), 0);
    let heights = [(202, u64::MAX), (203, 7), (204, 7), (205, 6), (206, 0), (207, 7)];
    for (seed, height) in heights {
        said(&mut follower, START, seed, height);
    }
    assert_eq!(follower.heard_of(), 7);
}

/// Broken by: serving what is not committed, or all at once.
#[test]
fn what_is_served_is_committed_and_bounded() {
    let position = Position { height: 40, anchor: CHAIN.0, validators: validators() };
    let mut follower = Follower::new(CHAIN, key(ME), position);
    let mut served = |first| {
        let effects = follower.step(START, Input::Asked { from: key(202), first });
        effects.iter().find_map(|effect| match effect {
            Effect::Serve { first, last, .. } => Some((*first, *last)),
            _ => None,
        })
    };
    assert_eq!(served(1), Some((1, FETCH_MAX)));
    assert_eq!(served(38), Some((38, 40)));
    assert_eq!((served(41), served(0), served(u64::MAX)), (None, None, None));
}
