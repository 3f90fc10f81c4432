//! Whose votes count for availability, and whom it asks when those it knows are gone.

use ddt_core::availability::{
    ASK_MS, Availability, Effect, Input, PATIENCE_MS_MAX, WAITING_BYTES_MAX,
};
use ddt_ledger::anchor::Tip;
use ddt_ledger::certificate::ValidatorSet;
use ddt_ledger::lane::BLOCK_BYTES_MAX;
use ddt_ledger::{Millis, PublicKey};

use crate::fixture::*;
use crate::lanes_fixture::*;

/// Whom it asks for a height, in order; `None` is anybody.
fn asked(effects: &[Effect], of: u64) -> Vec<Option<PublicKey>> {
    let asked = |effect: &Effect| match effect {
        Effect::Ask { to, ask, .. } if ask.height == of => Some(Some(*to)),
        Effect::AskAnybody { ask, .. } if ask.height == of => Some(None),
        _ => None,
    };
    effects.iter().filter_map(asked).collect()
}

/// Nobody answers this question.
fn in_vain(machine: &mut Availability, now: Millis, effects: &[Effect]) -> Vec<Effect> {
    let failed = effects.iter().find_map(|effect| match effect {
        Effect::Ask { to, ask, .. } => Some((Some(*to), *ask)),
        Effect::AskAnybody { ask, .. } => Some((None, *ask)),
        _ => None,
    });
    let (from, ask) = failed.expect("a question");
    machine.step(now, Input::Unanswered { from, ask })
}

/// Broken by: keeping votes of those who sign anchors no more; counting an own vote of a node
/// that signs none.
#[test]
fn votes_of_those_who_are_validators_no_more_do_not_count() {
    let (mut machine, blocks) = (machine(), chain(2, 1));
    let (one, two) = (blocks[0].0.id(), blocks[1].0.id());
    blocks.iter().for_each(|block| drop(kept(&mut machine, START, block)));
    for (seed, height, id) in [(202, 2, two), (203, 2, two), (ROUTER, 1, one)] {
        machine.step(START, Input::Vote(vote(seed, height, id)));
    }
    assert_eq!(machine.available(ZONE), Some(2));
    let without = |gone: &[u8]| {
        let mut set = validators();
        set.0.retain(|validator| gone.iter().all(|seed| validator.key != key(*seed)));
        set
    };
    let set = |machine: &mut Availability, validators: ValidatorSet| {
        machine.step(
            START,
            Input::Anchored { height: 1, lanes: vec![(ZONE, first_lane())], validators },
        );
        machine.available(ZONE)
    };
    // Of three, three: who left votes no more.
    assert_eq!(set(&mut machine, without(&[203])), Some(1));
    assert_eq!(set(&mut machine, validators()), Some(1), "what lapsed does not come back");
    machine.step(START, Input::Vote(vote(203, 2, two)));
    assert_eq!(machine.available(ZONE), Some(2));
    assert_eq!(set(&mut machine, without(&[ME])), Some(1), "the own vote is none");
    assert_eq!(set(&mut machine, validators()), Some(2), "but is not forgotten");
}

/// Broken by: asking only those whom the state names, or always the same one; a question
/// that failed at once and is waited for all the same.
#[test]
fn whoever_is_connected_is_asked_when_those_named_are_gone() {
    let (mut machine, blocks) = (machine(), chain(3, 1));
    let effects = machine.step(START, Input::Vote(vote(202, 1, blocks[0].0.id())));
    assert_eq!(asked(&effects, 1), [Some(key(ROUTER))]);
    let effects = in_vain(&mut machine, START, &effects);
    assert_eq!(asked(&effects, 1), [Some(key(202))], "at once");
    let effects = in_vain(&mut machine, START, &effects);
    assert_eq!(asked(&effects, 1), [None]);
    let effects = in_vain(&mut machine, START, &effects);
    assert_eq!(asked(&effects, 1), [], "but not without end");
    let mut turns = std::collections::BTreeSet::new();
    for second in 1..120 {
        let effects = machine.step(START.plus(Millis(second * 1_000)), Input::Tick);
        turns.extend(effects.iter().filter_map(|effect| match effect {
            Effect::AskAnybody { turn, .. } => Some(*turn),
            _ => None,
        }));
    }
    assert!(turns.len() > 3, "{turns:?}");
    // Who delivered where the router did not is asked first, until it does not either.
    let now = START.plus(Millis(200_000));
    let (stranger, bytes) = (key(77), blocks[0].1.clone());
    machine.step(now, Input::Block { from: stranger, bytes });
    let effects = machine.step(now, Input::Vote(vote(202, 2, blocks[1].0.id())));
    assert_eq!(asked(&effects, 2), [Some(stranger)]);
    let effects = in_vain(&mut machine, now, &effects);
    assert_eq!(asked(&effects, 2), [Some(key(202))], "the next in turn");
    arrives(&mut machine, now, &blocks[1]);
    let effects = machine.step(now, Input::Vote(vote(203, 3, blocks[2].0.id())));
    assert_eq!(asked(&effects, 3), [Some(key(ROUTER))]);
}

/// Broken by: asking those who were routers when the node started.
#[test]
fn after_an_anchor_the_routers_of_the_state_are_asked() {
    let (mut machine, blocks) = (machine(), chain(1, 1));
    let moved = ddt_ledger::system::Lane { key: key(99), ..first_lane() };
    let lanes = vec![(ZONE, first_lane()), (ddt_ledger::Zone(8), moved)];
    machine.step(START, Input::Anchored { height: 1, lanes, validators: validators() });
    let mut all = asked(&machine.step(START, Input::Vote(vote(202, 1, blocks[0].0.id()))), 1);
    for second in 1..120 {
        let now = START.plus(Millis(second * 1_000));
        all.extend(asked(&machine.step(now, Input::Tick), 1));
    }
    assert!(all.contains(&Some(key(99))) && !all.contains(&Some(key(203))), "{all:?}");
}

/// Broken by: asking for what is on its way already again and again, so that copies fill the
/// wire; a patience that never ends, that anybody can raise, or that an anchor's blocks wait for.
#[test]
fn where_answers_come_in_vain_there_is_more_patience() {
    let (mut machine, blocks) = (machine(), chain(32, 1));
    let id = |height: usize| blocks[height - 1].0.id();
    let mut now = START;
    for _ in 0..10 {
        arrives(&mut machine, now, &blocks[0]);
    }
    let effects = machine.step(now, Input::Vote(vote(202, 2, id(2))));
    assert_eq!(asked(&effects, 2), [Some(key(ROUTER))], "copies that nobody asked for");
    // What was asked for comes as an answer, and had come by itself.
    for height in 2..9 {
        machine.step(now, Input::Vote(vote(202, u64::try_from(height).unwrap(), id(height))));
        now = now.plus(PATIENCE_MS_MAX);
        machine.step(now, Input::Tick);
        arrives(&mut machine, now, &blocks[height - 1]);
        arrives(&mut machine, now, &blocks[height - 1]);
    }
    let effects = machine.step(now, Input::Vote(vote(202, 9, id(9))));
    assert_eq!(asked(&effects, 9), [], "it may be on its way");
    now = now.plus(Millis(PATIENCE_MS_MAX.0 - ASK_MS.0));
    assert_eq!(asked(&machine.step(now, Input::Tick), 9), [Some(key(ROUTER))]);
    now = now.plus(Millis(PATIENCE_MS_MAX.0 - 1));
    assert_eq!(asked(&machine.step(now, Input::Tick), 9), [], "the answer may be on its way");
    now = now.plus(Millis(1));
    assert_eq!(asked(&machine.step(now, Input::Tick), 9), [Some(key(202))]);
    // What an anchor needs is asked for at once.
    let tip = Tip { zone: ZONE, term: first_lane().term, height: 11, block: id(11) };
    let effects = machine.step(now, Input::Need(vec![tip]));
    assert_eq!(asked(&effects, 11), [Some(key(ROUTER))]);
    // Even where its height was only given time.
    assert_eq!(asked(&effects, 10), []);
    let effects = machine.step(now, Input::Need(vec![Tip { height: 10, block: id(10), ..tip }]));
    assert_eq!(asked(&effects, 10), [Some(key(ROUTER))]);
    // What comes once brings the patience back to where it was.
    for block in &blocks[8..31] {
        arrives(&mut machine, now, block);
    }
    let effects = machine.step(now, Input::Vote(vote(203, 32, id(32))));
    assert_eq!(asked(&effects, 32), [Some(key(ROUTER))]);
}

/// Broken by: asking for more than could wait, so that what comes is dropped and fetched again;
/// asking for a block by height and by id at the same time.
#[test]
fn no_more_is_asked_for_than_finds_room_and_nothing_twice_at_once() {
    let (mut machine, blocks) = (machine(), chain(2, 1));
    let id = blocks[1].0.id();
    let effects = machine.step(START, Input::Vote(vote(202, 100, id)));
    let count =
        |effects: &[Effect]| effects.iter().filter(|it| matches!(it, Effect::Ask { .. })).count();
    // One that continues the lane, and as many as may wait if each is as large as can be.
    assert_eq!(count(&effects), 1 + WAITING_BYTES_MAX / BLOCK_BYTES_MAX);
    let tip = Tip { zone: ZONE, term: first_lane().term, height: 2, block: id };
    let effects = machine.step(START, Input::Need(vec![tip]));
    assert_eq!(asked(&effects, 2), [], "it is asked for by its height");
    let later = START.plus(ASK_MS);
    let is_by_id =
        |effect: &Effect| matches!(effect, Effect::Ask { ask, .. } if ask.block == Some(id));
    let effects = machine.step(later, Input::Tick);
    assert_eq!(asked(&effects, 2).len(), 1);
    assert!(effects.iter().any(is_by_id), "{effects:?}");
    // Blocks that are small leave room for more.
    for block in &blocks {
        arrives(&mut machine, later, block);
    }
    let effects = machine.step(later.plus(ASK_MS), Input::Tick);
    assert_eq!(asked(&effects, 20).len(), 1, "{effects:?}");
}

/// Broken by: counting copies only of what continues the lane.
#[test]
fn a_copy_of_what_waits_for_its_parent_counts_as_well() {
    let (mut machine, blocks) = (machine(), chain(3, 1));
    let id = |height: usize| blocks[height - 1].0.id();
    machine.step(START, Input::Vote(vote(202, 2, id(2))));
    arrives(&mut machine, START, &blocks[1]);
    arrives(&mut machine, START, &blocks[1]);
    let effects = machine.step(START, Input::Vote(vote(202, 3, id(3))));
    assert_eq!(asked(&effects, 3), [], "it may be on its way");
    let effects = machine.step(START.plus(ASK_MS), Input::Tick);
    assert_eq!(asked(&effects, 3), [Some(key(ROUTER))]);
}

/// Broken by: places that are here, and asked for once, and that push out those still asked for.
#[test]
fn what_was_asked_for_and_came_makes_nobody_ask_twice() {
    let (mut machine, mut blocks) = (machine(), Vec::new());
    for salt in 1..=10 {
        let more = branch(&blocks, 30, salt);
        blocks.extend(more);
    }
    for block in &blocks[..299] {
        let header = block.0.header();
        machine.step(START, Input::Vote(vote(202, header.height, block.0.id())));
        kept(&mut machine, START, block);
    }
    let effects = machine.step(START, Input::Vote(vote(202, 300, blocks[299].0.id())));
    assert_eq!(asked(&effects, 300).len(), 1);
    for _ in 0..3 {
        assert_eq!(asked(&machine.step(START, Input::Tick), 300), [], "it is asked for");
    }
}
