//! Availability: what is voted for, what is asked for, what is refused.

use ddt_core::availability::{ASKS_MAX, Effect, Input, TELL_MS, WAITING_BLOCKS_MAX};
use ddt_ledger::Millis;
use ddt_ledger::anchor::Tip;
use ddt_ledger::lane::SignedHeader;

use crate::fixture::*;
use crate::lanes_fixture::*;

fn tip_of(block: &Block) -> Tip {
    Tip { zone: ZONE, term: 1, height: block.0.header().height, block: block.0.id() }
}

/// Broken by: a vote with the `Store` effect, before `Stored`.
#[test]
fn a_vote_leaves_only_after_its_block_is_on_disk() {
    let (mut machine, blocks) = (machine(), chain(2, 1));
    let effects = arrives(&mut machine, START, &blocks[0]);
    assert_eq!((stores(&effects), tells(&effects)), (vec![(1, false)], vec![]));
    let second = arrives(&mut machine, START, &blocks[1]);
    assert_eq!((stores(&second), tells(&second)), (vec![(2, false)], vec![]));
    // The second is written first: still no vote, for it would stand for the first as well.
    let after = written(&mut machine, START, &second);
    assert_eq!(tells(&after), []);
    let after = written(&mut machine, START, &effects);
    assert_eq!(tells(&after), [(2, blocks[1].0.id())]);
    // Repeated while it is not anchored.
    assert_eq!(tells(&machine.step(START.plus(Millis(10)), Input::Tick)), []);
    assert_eq!(tells(&machine.step(START.plus(TELL_MS), Input::Tick)).len(), 1);
    let anchored = Input::Anchored {
        height: 1,
        lanes: vec![(ZONE, lane_at(&blocks[1].0))],
        validators: validators(),
    };
    machine.step(START.plus(TELL_MS), anchored);
    assert_eq!(tells(&machine.step(START.plus(Millis(60_000)), Input::Tick)), []);
}

/// Broken by: storing blocks that do not continue the lane; never asking for a gap.
#[test]
fn blocks_out_of_order_wait_and_the_gap_is_asked_for_from_others_in_turn() {
    let (mut machine, blocks) = (machine(), chain(4, 1));
    let effects = arrives(&mut machine, START, &blocks[3]);
    assert_eq!((stores(&effects), asks(&effects)), (vec![], vec![(1, None), (2, None), (3, None)]));
    // Not again at once, but later, and from somebody else.
    assert_eq!(asks(&machine.step(START.plus(Millis(1)), Input::Tick)), []);
    let mut asked = std::collections::BTreeSet::new();
    for second in 1..60 {
        let effects = machine.step(START.plus(Millis(second * 1_000)), Input::Tick);
        asked.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Ask { to, .. } => Some(*to),
            _ => None,
        }));
    }
    assert_eq!(asked.len(), 3, "every router but this one");
    let now = START.plus(Millis(60_000));
    for block in &blocks[1..3] {
        assert_eq!(stores(&arrives(&mut machine, now, block)), []);
    }
    let effects = arrives(&mut machine, now, &blocks[0]);
    assert_eq!(stores(&effects), [(1, false), (2, false), (3, false), (4, false)]);
    let after = written(&mut machine, now, &effects);
    assert_eq!(tells(&after).last(), Some(&(4, blocks[3].0.id())));
    assert_eq!(machine.waiting_bytes(), 0);
}

/// Broken by: counting votes of strangers, twice, unsigned, or for another block.
#[test]
fn a_quorum_of_votes_for_what_is_here_makes_a_lane_available() {
    let (mut machine, blocks) = (machine(), chain(2, 1));
    let (one, two) = (blocks[0].0.id(), blocks[1].0.id());
    kept(&mut machine, START, &blocks[0]);
    let effects = machine.step(START, Input::Vote(vote(202, 2, two)));
    assert_eq!(asks(&effects), [(2, None)], "who votes for it has it");
    for (seed, height, id) in [(202, 1, one), (9, 1, one), (203, 1, two)] {
        machine.step(START, Input::Vote(vote(seed, height, id)));
        assert_eq!(machine.available(ZONE), None, "{seed} at {height}");
    }
    let mut forged = vote(ROUTER, 1, one);
    forged.signature = signature(9, &forged.vote.digest());
    assert_eq!(refusals(&machine.step(START, Input::Vote(forged))), ["a vote that is not signed"]);
    assert_eq!(machine.available(ZONE), None);
    machine.step(START, Input::Vote(vote(ROUTER, 1, one)));
    assert_eq!(machine.available(ZONE), None, "202 voted for what is not here yet");
    // With the second block 202's vote counts for the first, too.
    kept(&mut machine, START, &blocks[1]);
    assert_eq!(machine.available(ZONE), Some(1));
    machine.step(START, Input::Vote(vote(ROUTER, 2, two)));
    assert_eq!(machine.available(ZONE), Some(2));
    assert_eq!(machine.available_blocks(ZONE), [(1, one), (2, two)]);
}

/// Broken by: replacing the first block of a place, or voting for the second; telling of it, and
/// verifying it, as often as somebody sends it.
#[test]
fn a_second_block_at_a_place_is_evidence_and_kept_only_if_an_anchor_needs_it() {
    let (mut machine, blocks, others) = (machine(), chain(2, 1), chain(2, 2));
    blocks.iter().for_each(|block| drop(kept(&mut machine, START, block)));
    let effects = arrives(&mut machine, START, &others[0]);
    let is_evidence = |effect: &Effect| match effect {
        Effect::Evidence { key, first, second } => {
            let place = |signed: &SignedHeader| (signed.header.term, signed.header.height);
            assert_eq!((place(first), place(second)), ((1, 1), (1, 1)));
            // Whoever has these two can prove it.
            [first, second]
                .iter()
                .all(|signed| key.verifies(&signed.header.id(), &signed.signature))
                && first.header != second.header
        }
        _ => false,
    };
    assert!(effects.iter().any(is_evidence) && stores(&effects).is_empty());
    // Whoever sends it again does not make this node verify it again.
    assert!(arrives(&mut machine, START, &others[0]).iter().all(|effect| !is_evidence(effect)));
    let tip = tip_of(&others[1]);
    let effects = machine.step(START, Input::Need(vec![tip]));
    assert_eq!(asks(&effects), [(2, Some(others[1].0.id()))]);
    let effects = arrives(&mut machine, START, &others[1]);
    assert_eq!((stores(&effects), asks(&effects)), (vec![], vec![(1, Some(others[0].0.id()))]));
    let effects = arrives(&mut machine, START, &others[0]);
    assert_eq!(stores(&effects), [(1, true), (2, true)]);
    let after = written(&mut machine, START, &effects);
    assert!(after.iter().any(|effect| matches!(effect, Effect::Here(here) if *here == tip)));
    assert_eq!(machine.span(&tip).expect("both").len(), 2);
    assert_eq!(tells(&after), [], "one vote for a place");
    for voter in [ROUTER, 202, 203] {
        machine.step(START, Input::Vote(vote(voter, 2, blocks[1].0.id())));
    }
    let first = [(1, blocks[0].0.id()), (2, blocks[1].0.id())];
    assert_eq!(machine.available_blocks(ZONE), first, "never the second of a place");
    // The other branch is anchored: what follows it counts, what followed the first does not.
    let lanes = vec![(ZONE, lane_at(&others[0].0))];
    let effects =
        machine.step(START, Input::Anchored { height: 1, lanes, validators: validators() });
    assert_eq!(tells(&effects), []);
    assert_eq!(machine.span(&tip).expect("the rest").len(), 1);
}

/// Broken by: a machine that forgets on restart what stands on its disk.
#[test]
fn after_a_restart_no_other_block_gets_the_vote() {
    let (blocks, others) = (chain(2, 1), chain(2, 2));
    let mut machine = machine_with(vec![(blocks[0].0.clone(), false)]);
    assert_eq!(tells(&machine.step(START, Input::Tick)), [(1, blocks[0].0.id())]);
    let effects = kept(&mut machine, START, &others[0]);
    assert_eq!(tells(&effects), []);
    let after = kept(&mut machine, START, &blocks[1]);
    assert_eq!(tells(&after), [(2, blocks[1].0.id())]);
}

/// Broken by: a buffer without a limit, or checking what is not wanted.
#[test]
fn garbage_is_refused_and_memory_is_bounded() {
    let (mut machine, blocks) = (machine(), chain(120, 1));
    let garbage = (blocks[0].0.clone(), vec![1; 100]);
    assert_eq!(refusals(&arrives(&mut machine, START, &garbage)), ["bytes that are no block"]);
    let mut bytes = blocks[0].1.clone();
    *bytes.last_mut().expect("bytes") ^= 1;
    let changed = (blocks[0].0.clone(), bytes);
    let effects = arrives(&mut machine, START, &changed);
    assert_eq!(refusals(&effects), ["a block that does not verify"]);
    for block in &blocks[1..] {
        let asked = asks(&arrives(&mut machine, START, block)).len();
        assert!(asked <= ASKS_MAX);
    }
    machine.step(START, Input::Vote(vote(203, u64::MAX, blocks[0].0.id())));
    assert!(machine.remembered() <= WAITING_BLOCKS_MAX + ASKS_MAX + 4);
    let effects = kept(&mut machine, START, &blocks[0]);
    assert!(tells(&effects).len() <= 1 + WAITING_BLOCKS_MAX);
    assert_eq!(machine.waiting_bytes(), 0, "all that waited was taken");
}

/// Broken by: keeping everything that a router seals; refusing what an anchor needs; asking
/// for what would not be kept; never taking what was left out once there is room.
#[test]
fn who_seals_too_much_fills_no_disk() {
    let (blocks, others) = (chain(6, 1), chain(4, 2));
    let room = blocks.iter().take(3).map(|(block, _)| block.size()).sum();
    let taken = |machine: &mut _, block| {
        let effects = arrives(machine, START, block);
        written(machine, START, &effects);
        (stores(&effects), asks(&effects))
    };
    let mut machine = machine_within(room, Vec::new());
    for block in &blocks[..3] {
        assert_eq!(taken(&mut machine, block).0.len(), 1);
    }
    for block in &blocks[3..] {
        assert_eq!(taken(&mut machine, block), (vec![], vec![]));
    }
    let effects = machine.step(START.plus(Millis(60_000)), Input::Tick);
    assert_eq!(asks(&effects), []);
    // An anchor's blocks come on top of it, whatever they are.
    machine.step(START, Input::Need(vec![tip_of(&others[3])]));
    let mut effects = Vec::new();
    for block in others.iter().rev() {
        effects.extend(arrives(&mut machine, START, block));
    }
    assert_eq!(stores(&effects), [(1, true), (2, true), (3, true), (4, false)]);
    // What was left out is fetched once the first ones are anchored.
    let mut machine = machine_within(room, Vec::new());
    blocks.iter().for_each(|block| drop(kept(&mut machine, START, block)));
    let lanes = vec![(ZONE, lane_at(&blocks[1].0))];
    machine.step(START, Input::Anchored { height: 1, lanes, validators: validators() });
    machine.step(START, Input::Vote(vote(202, 5, blocks[4].0.id())));
    let effects = machine.step(START.plus(Millis(60_000)), Input::Tick);
    assert_eq!(asks(&effects), [(4, None)], "the fifth waits for it");
    assert_eq!(taken(&mut machine, &blocks[3]).0, [(4, false), (5, false)]);
}

/// Two runs give the same effects.
#[test]
fn availability_is_deterministic() {
    let run = || {
        let (mut machine, blocks) = (machine(), chain(9, 1));
        let mut effects = Vec::new();
        for (step, at) in [7, 3, 1, 0, 8, 2, 5, 4, 6].into_iter().enumerate() {
            let now = START.plus(Millis(step as u64 * 170));
            effects.extend(kept(&mut machine, now, &blocks[at]));
        }
        format!("{effects:?}")
    };
    assert_eq!(run(), run());
}
