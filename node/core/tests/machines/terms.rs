//! Availability when a lane's term closes, when it has no router, and when the node has
//! another key.

use ddt_core::availability::{Effect, Input};
use ddt_ledger::anchor::Tip;
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Zone};

use crate::fixture::*;
use crate::lanes_fixture::*;

fn anchored(lane: Lane) -> Input {
    Input::Anchored { height: 1, lanes: vec![(ZONE, lane)], validators: validators() }
}

fn second_term() -> Lane {
    Lane { term: 2, height: 0, tip: Hash::ZERO, next_number: 1, ..first_lane() }
}

/// Broken by: votes, blocks or needs of the old term that go on in the new one.
#[test]
fn what_was_known_of_a_term_lapses_with_it() {
    let (mut machine, blocks) = (machine(), chain(3, 1));
    kept(&mut machine, START, &blocks[0]);
    let writing = arrives(&mut machine, START, &blocks[1]);
    let (block, first) = (blocks[0].0.id(), blocks[0].0.header().clone());
    for voter in [ROUTER, 202, 203] {
        machine.step(START, Input::Vote(vote(voter, 1, block)));
    }
    assert_eq!(machine.available(ZONE), Some(1));
    let effects = machine.step(START, anchored(second_term()));
    assert_eq!((machine.available(ZONE), tells(&effects)), (None, vec![]));
    assert_eq!(machine.remembered(), 0);
    // A block that was being written, votes, blocks and tips of the old term count no more.
    assert_eq!(tells(&written(&mut machine, START, &writing)), []);
    machine.step(START, Input::Vote(vote(202, 2, blocks[1].0.id())));
    assert_eq!(stores(&arrives(&mut machine, START, &blocks[2])), []);
    let tip = Tip { zone: ZONE, term: 1, height: 1, block: first.id() };
    assert!(asks(&machine.step(START, Input::Need(vec![tip]))).is_empty());
    assert_eq!((machine.remembered(), machine.span(&tip)), (0, None));
}

/// Broken by: taking blocks for a lane that nobody governs.
#[test]
fn a_lane_without_a_router_takes_nothing() {
    let (mut machine, blocks) = (machine(), chain(1, 1));
    machine.step(START, anchored(Lane { is_governed: false, ..first_lane() }));
    assert_eq!(stores(&arrives(&mut machine, START, &blocks[0])), []);
    assert_eq!(machine.remembered(), 0);
}

/// Broken by: a node that votes for another block at a place because it has another key.
#[test]
fn another_key_votes_for_the_same_blocks() {
    let (mut machine, blocks, others) = (machine(), chain(1, 1), chain(1, 2));
    kept(&mut machine, START, &blocks[0]);
    machine.set_key(key(202), Some(Box::new(|digest| signature(202, digest))));
    let effects = machine.step(START, Input::Tick);
    let votes: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Tell(signed) => Some((signed.key, signed.vote.block)),
            _ => None,
        })
        .collect();
    assert_eq!(votes, [(key(202), blocks[0].0.id())]);
    assert_eq!(tells(&kept(&mut machine, START, &others[0])), []);
    // The vote counts once, under the new key.
    machine.step(START, Input::Vote(vote(ROUTER, 1, blocks[0].0.id())));
    assert_eq!(machine.available(ZONE), None);
    machine.step(START, Input::Vote(vote(203, 1, blocks[0].0.id())));
    assert_eq!((machine.available(ZONE), machine.available(Zone(9))), (Some(1), None));
}
