//! The sequencer's lane: spans, terms, lost data.

use ddt_core::sequencer::{
    Effect, Input, Sequencer, UNANCHORED_BLOCKS_MAX, UNANCHORED_MS_MAX, reach,
};
use ddt_ledger::event::EXPIRED;
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Millis};

use crate::fixture::*;

fn at(ms: u64) -> Millis {
    START.plus(Millis(ms))
}

fn three_blocks() -> (Sequencer, Vec<CheckedBlock>) {
    let mut sequencer = sequencer();
    let mut seal =
        |number: u8| sealed(&mut sequencer, at(u64::from(number) * 100), &[note(number, 1)]);
    let blocks = [1, 2, 3].map(&mut seal).into();
    (sequencer, blocks)
}

fn heights(blocks: &[CheckedBlock]) -> Vec<u64> {
    blocks.iter().map(|block| block.header().height).collect()
}

fn anchored(height: u64, lane: Lane) -> Input {
    Input::Anchored { height, lane, executed: Vec::new(), void: Vec::new() }
}

fn alarms(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Alarm(_))).count()
}

#[test]
fn a_span_is_what_an_anchor_can_cover_and_never_nothing() {
    let (mut sequencer, blocks) = three_blocks();
    let two = (blocks[0].size() + blocks[1].size()) as u64;
    assert_eq!(heights(sequencer.unanchored_blocks_after(0)), [1, 2, 3]);
    let far = |bytes_max, work_max| {
        let waiting = sequencer.unanchored_blocks_after(0);
        reach(waiting, bytes_max, work_max, &REGISTRY).map(|reach| reach.height)
    };
    assert_eq!(far(two, u64::MAX), Some(2));
    assert_eq!(far(two - 1, u64::MAX), Some(1));
    assert_eq!(far(u64::MAX, 2), Some(2));
    // Mutation: nothing when the first is too large; the lane would stand still for ever.
    assert_eq!(far(0, 0), Some(1));
    assert_eq!(reach([], u64::MAX, u64::MAX, &REGISTRY), None);
    let effects = sequencer.step(at(600), anchored(1, lane_at(&blocks[0])));
    assert_eq!(effects, [Effect::TipWaits], "the rest still waits");
    assert_eq!(heights(sequencer.unanchored_blocks_after(0)), [2, 3]);
    assert_eq!(heights(sequencer.unanchored_blocks_after(2)), [3]);
    assert!(sequencer.unanchored_blocks_after(3).is_empty());
}

#[test]
fn sealing_pauses_while_too_much_waits_for_an_anchor() {
    let mut sequencer = with(|config| config.seal_every_ms = Millis(1));
    let events: Vec<_> = (0_u8..=128).flat_map(|a| (0..32).map(move |n| (a, n))).collect();
    let mut first = None;
    for (count, (author, nonce)) in (0..UNANCHORED_BLOCKS_MAX as u64).zip(&events) {
        let block = sealed(&mut sequencer, at(count), &[note(*author, *nonce)]);
        first.get_or_insert(block);
    }
    let late = at(5_000);
    // Mutation: without a limit a stalled network fills the memory.
    assert_eq!(sequencer.step(late, Input::Event(note(250, 1), 0)), []);
    let effects = sequencer.step(late, anchored(1, lane_at(&first.expect("a block"))));
    assert!(effects.iter().any(|effect| block_of(effect).is_some()));
}

/// What expires while the network stands still must not be void at the router's expense.
#[test]
fn sealing_pauses_while_a_block_waits_for_long() {
    let mut sequencer = sequencer();
    let first = sealed(&mut sequencer, START, &[note(1, 1)]);
    let second = sealed(&mut sequencer, START.plus(UNANCHORED_MS_MAX), &[note(2, 1)]);
    let late = START.plus(UNANCHORED_MS_MAX).plus(Millis(500));
    // Mutation: asking how long the last block waits, not the first.
    assert_eq!(sequencer.step(late, Input::Event(note(3, 1), 0)), []);
    assert!(sequencer.mempool().contains(&note(3, 1).id()));
    assert!(sequencer.is_held(late));
    // The second block waits for half a second only.
    sequencer.step(late, Input::Event(note(4, 1), 0));
    let (height, lane, executed) = (1, lane_at(&first), Vec::new());
    let void = vec![(note(3, 1).id(), EXPIRED)];
    let effects = sequencer.step(late, Input::Anchored { height, lane, executed, void });
    let third = effects.iter().find_map(block_of).expect("a block");
    assert_eq!(third.header().parent, second.id());
    // Mutation: sealing what waits before what the anchor made void is taken out.
    assert_eq!(third.events(), [note(4, 1)]);
    let (event, refusal) = (note(3, 1).id(), EXPIRED);
    assert_eq!(effects[0], Effect::Answer { event, refusal });
}

#[test]
fn a_new_term_continues_the_numbers_and_takes_the_lapsed_events_back() {
    let (mut sequencer, blocks) = three_blocks();
    // The fourth block is being written, and an event waits, when the term ends after the
    // first block.
    sequencer.step(at(700), Input::Event(note(7, 1), 0));
    sequencer.step(at(700), Input::Event(note(8, 1), 0));
    let (tip, next_number) = (Hash::ZERO, 2);
    let lane = Lane { term: 2, height: 0, tip, next_number, ..first_lane() };
    let executed = vec![blocks[0].events()[0].id()];
    let effects =
        sequencer.step(at(701), Input::Anchored { height: 4, lane, executed, void: Vec::new() });
    // The first event is in the book; the others wait again. Nothing is sealed meanwhile.
    assert_eq!(effects, [Effect::Executed(note(1, 1).id())]);
    assert!(sequencer.unanchored_blocks_after(0).is_empty());
    let effects = sequencer.step(at(900), Input::Stored { height: 4 });
    // Mutation: promising a number of a term that is over.
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Promise(_))));
    // Mutation: sealing what lapsed before admission was asked of it again.
    assert!(sequencer.is_asking() && effects.iter().all(|effect| block_of(effect).is_none()));
    let void = vec![(note(8, 1).id(), EXPIRED)];
    let effects = sequencer.step(at(901), Input::Void(void));
    assert_eq!(answers(&effects), [(note(8, 1).id(), EXPIRED.code)]);
    let block = effects.iter().find_map(block_of).expect("the new term's first block");
    let header = block.header();
    assert_eq!((header.term, header.height, header.parent), (2, 1, Hash::ZERO));
    assert_eq!((header.first_number, header.after_anchor), (next_number, 4));
    let ids: Vec<Hash> = block.events().iter().map(|event| event.id()).collect();
    // Those that had a promise come first.
    assert_eq!(ids, [2, 3, 7].map(|author| note(author, 1).id()));
    assert_eq!(sequencer.term(), 2);
}

#[test]
fn another_key_closes_the_lane_and_answers_everybody() {
    let (mut sequencer, blocks) = three_blocks();
    sequencer.step(at(500), Input::Event(note(7, 1), 0));
    sequencer.step(at(501), Input::Event(note(8, 1), 0));
    let lane = Lane { key: key(201), ..lane_at(&blocks[2]) };
    let effects = sequencer.step(at(502), anchored(2, lane));
    assert_eq!(alarms(&effects), 1);
    let refused = [7, 8].map(|author| (note(author, 1).id(), "sequencer.closed"));
    assert!(refused.iter().all(|answer| answers(&effects).contains(answer)), "{effects:?}");
    // Mutation: sealing on with a key that is not the lane's.
    let effects = sequencer.step(at(900), Input::Event(note(9, 1), 0));
    assert_eq!(
        effects,
        [Effect::Answer { event: note(9, 1).id(), refusal: ddt_core::sequencer::CLOSED }]
    );
    assert!(!sequencer.is_open());
    assert_eq!(sequencer.signed_promise(&note(3, 1).id()), None);
}

#[test]
fn an_anchored_lane_that_is_not_on_disk_means_lost_data() {
    let (mut sequencer, blocks) = three_blocks();
    let forked = Lane { tip: Hash([1; 32]), ..lane_at(&blocks[1]) };
    let effects = sequencer.step(at(500), anchored(1, forked));
    // Mutation: sealing on would sign a second block for a height.
    assert_eq!((alarms(&effects), sequencer.is_open()), (1, false));
    assert!(sequencer.unanchored_blocks_after(0).is_empty());
    let ahead = Lane { height: 9, next_number: 40, ..first_lane() };
    assert_eq!(alarms(&sequencer.step(at(501), anchored(2, ahead))), 0);
    assert!(!sequencer.is_open());
    // Only the next term opens it again.
    let lane = Lane { term: 2, height: 0, tip: Hash::ZERO, next_number: 40, ..first_lane() };
    sequencer.step(at(502), anchored(3, lane));
    sequencer.step(at(503), Input::Void(Vec::new()));
    let block = sealed(&mut sequencer, at(900), &[note(9, 1)]);
    assert_eq!((block.header().term, block.header().first_number), (2, 40));
}

#[test]
fn a_disk_with_a_gap_or_another_key_starts_closed() {
    let (_, blocks) = three_blocks();
    let other = Lane { key: key(201), ..first_lane() };
    // The second block is missing.
    let gap = vec![blocks[2].clone()];
    for (lane, unanchored) in [(lane_at(&blocks[0]), gap), (other, Vec::new())] {
        let mut sequencer = Sequencer::new(config(), sign(), &lane, unanchored, 1);
        let effects = sequencer.step(START, Input::Event(note(5, 1), 0));
        assert_eq!(answers(&effects), [(note(5, 1).id(), "sequencer.closed")]);
        assert_eq!((alarms(&effects), sequencer.is_open()), (1, false));
        assert_eq!(alarms(&sequencer.step(at(1), Input::Tick)), 0, "told once");
    }
}

#[test]
fn a_restart_tells_the_proposer_of_the_blocks_on_disk() {
    let mut before = sequencer();
    let block = sealed(&mut before, START, &[note(1, 1)]);
    let unanchored = vec![block];
    let mut after = Sequencer::new(config(), sign(), &first_lane(), unanchored, 0);
    assert_eq!(after.step(at(1), Input::Tick), [Effect::TipWaits]);
    assert_eq!(after.step(at(2), Input::Tick), []);
    assert!(after.pending(&note(1, 1).id()).expect("it is on disk").is_stored);
    let (receipt, _) = after.signed_promise(&note(1, 1).id()).expect("its promise holds");
    assert_eq!(receipt.number, 1);
}

/// Broken by: a sequencer that seals with its next key before the lane has it, or that forgets
/// what waited when it changes keys.
#[test]
fn a_key_that_was_expected_takes_over_with_the_term_that_it_begins() {
    let (mut sequencer, blocks) = three_blocks();
    sequencer.expect_key(key(201), Box::new(|digest| signature(201, digest)));
    let block = sealed(&mut sequencer, at(700), &[note(7, 1)]);
    assert_eq!(*block.key(), key(ROUTER), "the lane still has the old one");
    let (tip, next_number) = (Hash::ZERO, 3);
    let lane = Lane { key: key(201), term: 2, height: 0, tip, next_number, ..first_lane() };
    let executed = blocks[..2].iter().map(|block| block.events()[0].id()).collect();
    let effects =
        sequencer.step(at(701), Input::Anchored { height: 4, lane, executed, void: Vec::new() });
    assert_eq!((alarms(&effects), sequencer.is_open(), sequencer.term()), (0, true, 2));
    sequencer.step(at(702), Input::Void(Vec::new()));
    let effects = sequencer.step(at(900), Input::Tick);
    let bytes = effects.iter().find_map(|effect| match effect {
        Effect::Store { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    let bytes = bytes.expect("what lapsed is sealed anew");
    let block = CheckedBlock::check(&bytes, CHAIN, &key(201), &REGISTRY).expect("a good block");
    assert_eq!(block.header().first_number, 3);
    let ids: Vec<Hash> = block.events().iter().map(|event| event.id()).collect();
    assert_eq!(ids, [3, 7].map(|author| note(author, 1).id()));
    // What was promised of the old term is promised anew, with another number.
    let effects = sequencer.step(at(901), Input::Stored { height: 1 });
    let promises = effects.iter().find_map(|effect| match effect {
        Effect::Promise(receipts) => Some(receipts.clone()),
        _ => None,
    });
    let places = promises.expect("promises").iter().map(|r| (r.term, r.number)).collect::<Vec<_>>();
    assert_eq!(places, [(2, 3), (2, 4)]);
}

/// Broken by: a router that seals on in a lane that it lost.
#[test]
fn a_lane_without_a_router_is_closed_until_it_has_one_again() {
    let (mut sequencer, _) = three_blocks();
    let (tip, next_number) = (Hash::ZERO, 4);
    let lost = Lane { term: 2, tip, next_number, is_governed: false, ..first_lane() };
    let effects = sequencer.step(at(700), anchored(2, lost.clone()));
    assert_eq!((alarms(&effects), sequencer.is_open()), (1, false));
    let fresh = Sequencer::new(config(), sign(), &lost, Vec::new(), 2);
    assert!(!fresh.is_open());
    let back = Lane { term: 3, is_governed: true, ..lost };
    sequencer.step(at(800), anchored(3, back));
    sequencer.step(at(801), Input::Void(Vec::new()));
    let block = sealed(&mut sequencer, at(900), &[note(9, 1)]);
    assert_eq!((block.header().term, block.header().first_number), (3, 4));
}
