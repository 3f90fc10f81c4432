//! Routers that show different blocks to different halves, and vote for neither.

use std::collections::BTreeSet;

use ddt_core::availability::{ASK_MS_MAX, Availability, DOUBTS_MAX, Effect, Input};
use ddt_ledger::{Hash, Millis};

use crate::fixture::*;
use crate::lanes_fixture::*;

/// Heights of the places that somebody is accused for.
fn accused(effects: &[Effect]) -> Vec<u64> {
    let place = |effect: &Effect| match effect {
        Effect::Evidence { first, second, .. } => {
            assert_eq!(first.header.height, second.header.height);
            Some(first.header.height)
        }
        _ => None,
    };
    effects.iter().filter_map(place).collect()
}

/// Brings whatever of `other` is asked for by id, until nothing is; answers for which
/// places somebody was accused, and how many blocks that took.
fn answered(
    machine: &mut Availability,
    other: &[Block],
    mut effects: Vec<Effect>,
) -> (Vec<u64>, usize) {
    let (mut found, mut brought) = (accused(&effects), BTreeSet::new());
    for round in 1..100 {
        let now = START.plus(Millis(round * ASK_MS_MAX.0));
        let wanted: Vec<_> = asks(&effects).into_iter().filter(|(_, id)| id.is_some()).collect();
        effects = machine.step(now, Input::Tick);
        for (height, id) in wanted {
            let block = other.iter().find(|(block, _)| Some(block.id()) == id);
            let Some(block) = block else { continue };
            assert_eq!(block.0.header().height, height);
            brought.insert(height);
            effects
                .extend(machine.step(now, Input::Block { from: key(202), bytes: block.1.clone() }));
        }
        found.extend(accused(&effects));
    }
    (found, brought.len())
}

/// Two ways that part after the second block, and the first of them here.
fn two_ways() -> (Availability, Vec<Block>, Vec<Block>) {
    let common = chain(2, 1);
    let (mine, theirs) = (branch(&common, 4, 2), branch(&common, 5, 3));
    let mut machine = machine();
    for block in common.iter().chain(&mine) {
        kept(&mut machine, START, block);
    }
    (machine, mine, theirs)
}

/// Broken by: dropping what contradicts the blocks that are here, so that nobody ever sees two
/// of one place.
#[test]
fn who_shows_each_half_a_block_of_its_own_is_found_out() {
    let (mut machine, mine, theirs) = two_ways();
    let place = |block: &Block| (block.0.header().height, block.0.id());
    let (height, tip) = place(&theirs[3]);
    assert_eq!(height, place(&mine[3]).0);
    let effects = machine.step(START, Input::Vote(vote(202, height, tip)));
    assert!(asks(&effects).contains(&(height, Some(tip))), "{:?}", asks(&effects));
    // The block itself is proof, whatever it continues.
    assert_eq!(answered(&mut machine, &theirs, effects), (vec![6], 1));
    // From then on nothing of it is asked for.
    let (height, tip) = place(&theirs[4]);
    let effects = machine.step(START, Input::Vote(vote(203, height, tip)));
    assert!(asks(&effects).iter().all(|(_, id)| id.is_none()));
}

/// Broken by: looking only at votes for places that have a block here when the vote comes.
#[test]
fn a_vote_that_comes_before_or_above_the_blocks_here_is_doubted_too() {
    let (mut machine, _, theirs) = two_ways();
    // Higher than anything here: asked for by its height, it leads to what is not here.
    let top = &theirs[4];
    let (height, tip) = (top.0.header().height, top.0.id());
    machine.step(START, Input::Vote(vote(202, height, tip)));
    let effects = machine.step(START, Input::Block { from: key(202), bytes: top.1.clone() });
    // The one below it is the first that contradicts something.
    assert_eq!(answered(&mut machine, &theirs, effects), (vec![6], 1));

    let (mut machine, mine, theirs) = (machine_with(Vec::new()), chain(1, 1), chain(1, 2));
    machine.step(START, Input::Vote(vote(202, 1, theirs[0].0.id())));
    let effects = kept(&mut machine, START, &mine[0]);
    assert_eq!(answered(&mut machine, &theirs, effects), (vec![1], 1));
}

/// Broken by: forgetting votes that contradict the lane when it moves below them.
#[test]
fn what_is_anchored_below_makes_no_vote_forgotten() {
    let (mut machine, _, theirs) = two_ways();
    let (height, tip) = (theirs[3].0.header().height, theirs[3].0.id());
    machine.step(START, Input::Vote(vote(202, height, tip)));
    let common = chain(2, 1);
    let lanes = vec![(ZONE, lane_at(&common[1].0))];
    let effects = machine.step(
        START.plus(ASK_MS_MAX),
        Input::Anchored { height: 1, lanes, validators: validators() },
    );
    assert_eq!(answered(&mut machine, &theirs, effects), (vec![6], 1));
}

/// Broken by: one place for all voters, which the last liar would have; a place for each vote; or
/// the same few places again and again.
#[test]
fn votes_for_nothing_take_no_room_of_others() {
    let (mut machine, _, theirs) = two_ways();
    for height in 3..6 {
        machine.step(START, Input::Vote(vote(203, height, Hash([height as u8; 32]))));
    }
    let before = machine.remembered();
    let effects = machine.step(START, Input::Vote(vote(203, 6, Hash([6; 32]))));
    assert_eq!(machine.remembered(), before);
    let by_id = asks(&effects).into_iter().filter(|(_, id)| id.is_some()).count();
    assert!(by_id <= DOUBTS_MAX);
    // The lane's router may vote, too.
    machine.step(START, Input::Vote(vote(ROUTER, 6, Hash([7; 32]))));
    let (height, tip) = (theirs[3].0.header().height, theirs[3].0.id());
    let effects = machine.step(START, Input::Vote(vote(202, height, tip)));
    assert_eq!(answered(&mut machine, &theirs, effects), (vec![6], 1));
}

/// Broken by: looking at blocks that can never be kept and tell nothing.
#[test]
fn what_tells_nothing_is_not_looked_at_again() {
    let (mut machine, _, theirs) = two_ways();
    let top = &theirs[4];
    machine.step(START, Input::Vote(vote(203, top.0.header().height, top.0.id())));
    let bad = |block: &Block| {
        let mut bytes = block.1.clone();
        *bytes.last_mut().expect("a byte") ^= 1;
        bytes
    };
    // It does not verify: told once it is looked at.
    let forged = machine.step(START, Input::Block { from: key(203), bytes: bad(top) });
    assert_eq!(refusals(&forged), ["a block that does not verify"]);
    machine.step(START, Input::Block { from: key(203), bytes: top.1.clone() });
    let again = machine.step(START, Input::Block { from: key(203), bytes: bad(top) });
    assert_eq!(refusals(&again), Vec::<&str>::new(), "its place is known");
}
