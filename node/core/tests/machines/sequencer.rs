//! The sequencer: promises, blocks, order, refusals.

use ddt_core::mempool::MempoolLimits;
use ddt_core::sequencer::{Effect, Input, Sequencer, UNANCHORED_BYTES_MAX};
use ddt_ledger::event::{Checked, EXPIRED};
use ddt_ledger::lane::{BLOCK_BYTES_MAX, CheckedBlock};
use ddt_ledger::{Hash, Millis};

use crate::fixture::*;

fn at(ms: u64) -> Millis {
    START.plus(Millis(ms))
}

fn feed(sequencer: &mut Sequencer, now: Millis, event: &Checked) -> Vec<Effect> {
    sequencer.step(now, Input::Event(event.clone(), 0))
}

fn ids(block: &CheckedBlock) -> Vec<Hash> {
    block.events().iter().map(Checked::id).collect()
}

#[test]
fn a_promise_leaves_only_after_its_block_is_on_disk() {
    let mut sequencer = sequencer();
    let event = note(1, 1);
    let effects = feed(&mut sequencer, START, &event);
    // Mutation: promise before stored.
    let [store @ Effect::Store { header, .. }] = effects.as_slice() else {
        panic!("only a store: {effects:?}")
    };
    assert_eq!((header.height, header.first_number, header.count), (1, 1, 1));
    assert_eq!((header.time, header.after_anchor, header.parent), (START, 0, Hash::ZERO));
    assert!(!sequencer.pending(&event.id()).expect("it is sequenced").is_stored);
    assert_eq!(sequencer.signed_promise(&event.id()), None);
    assert!(sequencer.unanchored_blocks_after(0).is_empty());
    assert!(sequencer.unanchored_blocks_after(0).is_empty());
    // A retry meanwhile adds nothing, and another height's answer is not this one's.
    assert_eq!(feed(&mut sequencer, at(1), &event), []);
    assert_eq!(sequencer.step(at(1), Input::Stored { height: 2 }), []);

    let effects = sequencer.step(at(2), Input::Stored { height: 1 });
    let [Effect::Promise(receipts), Effect::TipWaits] = effects.as_slice() else {
        panic!("a promise and a tip: {effects:?}")
    };
    assert_eq!(promises(&effects), [(event.id(), 1)]);
    let (receipt, signature) = sequencer.signed_promise(&event.id()).expect("a promise");
    assert_eq!(receipts.as_slice(), std::slice::from_ref(&receipt));
    assert!(key(ROUTER).verifies(&receipt.digest(), &signature));
    let block = block_of(store).expect("a block");
    assert_eq!(sequencer.unanchored_blocks_after(0)[0].id(), block.id());
    // Retries are idempotent: the same promise, no second number.
    assert_eq!(feed(&mut sequencer, at(3), &event), [Effect::Promise(vec![receipt])]);
}

#[test]
fn blocks_are_sealed_at_most_every_100_ms_and_one_at_a_time() {
    let mut sequencer = sequencer();
    sealed(&mut sequencer, START, &[note(1, 1)]);
    assert_eq!(feed(&mut sequencer, at(40), &note(2, 1)), [Effect::WakeAt(at(100))]);
    assert_eq!(sequencer.step(at(99), Input::Tick), [Effect::WakeAt(at(100))]);
    let effects = sequencer.step(at(100), Input::Tick);
    assert!(block_of(&effects[0]).is_some());
    // Mutation: sealing a second block while the first may still fail to reach the disk.
    assert_eq!(feed(&mut sequencer, at(900), &note(3, 1)), []);
    let effects = sequencer.step(at(901), Input::Stored { height: 2 });
    assert_eq!(promises(&effects), [(note(2, 1).id(), 2)]);
    let third = effects.iter().find_map(block_of).expect("it was overdue");
    assert_eq!((ids(&third), third.header().first_number), (vec![note(3, 1).id()], 3));
}

#[test]
fn a_clock_put_back_neither_silences_the_lane_nor_turns_its_times_back() {
    let mut sequencer = sequencer();
    sealed(&mut sequencer, at(50_000), &[note(1, 1)]);
    assert_eq!(feed(&mut sequencer, START, &note(1, 2)), [Effect::WakeAt(at(100))]);
    let effects = sequencer.step(at(100), Input::Tick);
    let block = effects.iter().find_map(block_of).expect("a block");
    // Mutation: header.time = now.
    assert_eq!(block.header().time, at(50_000));
}

#[test]
fn within_a_block_class_comes_first_then_arrival() {
    let mut sequencer = sequencer();
    sealed(&mut sequencer, START, &[note(9, 1)]);
    for (author, class) in [(1, 0), (2, 7), (3, 3), (4, 7), (5, 0)] {
        sequencer.step(at(1), Input::Event(note(author, 1), class));
    }
    let effects = sequencer.step(at(100), Input::Tick);
    let block = effects.iter().find_map(block_of).expect("a block");
    let expected: Vec<Hash> = [2, 4, 3, 1, 5].map(|author| note(author, 1).id()).into();
    assert_eq!(ids(&block), expected);
}

fn with_room() -> Sequencer {
    with(|config| {
        config.mempool = MempoolLimits { bytes_max: 8 << 20, events_max: 1_000, ..LIMITS };
        config.work_max = 1_000;
    })
}

fn sized(number: u64, bytes: usize) -> Checked {
    let (author, valid_until) = ((number / 30) as u8, at(9_999_999));
    event(Sample { author, nonce: number, valid_until, is_toil: false, bytes })
}

#[test]
fn a_full_block_is_sealed_early_and_stays_within_its_limits() {
    let mut sequencer = with_room();
    sealed(&mut sequencer, START, &[note(199, 1)]);
    // Together the events are exactly as long as a block may be, so one must wait.
    let cost = |event: &Checked| event.bytes().len() + 4;
    let (large, small) = (cost(&sized(0, 16_000)), cost(&sized(0, 0)));
    let count = BLOCK_BYTES_MAX / large;
    let rest = sized(count as u64, BLOCK_BYTES_MAX - count * large - small);
    assert_eq!(count * large + cost(&rest), BLOCK_BYTES_MAX);
    for number in 0..count as u64 {
        assert_eq!(feed(&mut sequencer, at(1), &sized(number, 16_000)), [Effect::WakeAt(at(100))]);
    }
    let effects = feed(&mut sequencer, at(1), &rest);
    let block = effects.iter().find_map(block_of).expect("4 MiB waited");
    // Mutation: not counting the block's own bytes makes one that cannot be sealed.
    assert_eq!(block.events().len(), count);
    assert!(block.size() <= BLOCK_BYTES_MAX && sequencer.mempool().contains(&rest.id()));
}

#[test]
fn sealing_pauses_while_too_many_bytes_wait_for_an_anchor() {
    let mut sequencer = with_room();
    let (mut bytes, mut anchors) = (0, 0);
    for number in 0_u64.. {
        // Time stands still, so only full blocks are sealed after the first.
        let effects = feed(&mut sequencer, START, &sized(number, 16_000));
        let Some(block) = effects.iter().find_map(block_of) else {
            // More than a block holds: sealing has paused.
            if sequencer.mempool().len() > 300 {
                break;
            }
            continue;
        };
        bytes += block.size();
        sequencer.step(START, Input::Stored { height: block.header().height });
        // The first ones are anchored. Mutation: not giving their bytes back.
        if bytes < 8 << 20 {
            anchors += 1;
            let (height, lane) = (anchors, lane_at(&block));
            sequencer.step(
                START,
                Input::Anchored { height, lane, executed: Vec::new(), void: Vec::new() },
            );
        }
    }
    let waiting: usize =
        sequencer.unanchored_blocks_after(0).iter().map(|block| block.size()).sum();
    assert!((UNANCHORED_BYTES_MAX..UNANCHORED_BYTES_MAX + BLOCK_BYTES_MAX).contains(&waiting));
    assert!(anchors > 0 && bytes > waiting);
}

#[test]
fn a_block_s_work_is_limited() {
    let mut sequencer = with(|config| config.work_max = 25);
    sealed(&mut sequencer, START, &[note(1, 1)]);
    let toil = |author| {
        let valid_until = at(9_999);
        event(Sample { author, nonce: 1, valid_until, is_toil: true, bytes: 1 })
    };
    feed(&mut sequencer, at(1), &toil(2));
    assert_eq!(feed(&mut sequencer, at(2), &toil(3)), [Effect::WakeAt(at(100))]);
    let effects = feed(&mut sequencer, at(4), &toil(4));
    let block = effects.iter().find_map(block_of).expect("work for more than a block waited");
    assert_eq!((block.events().len(), block.work(&REGISTRY)), (2, 20));
}

#[test]
fn a_key_s_bytes_in_flight_are_limited() {
    let mut sequencer = with(|config| config.mempool.author_bytes_max = 65_536);
    let of = |nonce| {
        event(Sample { author: 1, nonce, valid_until: at(9_999), is_toil: false, bytes: 16_000 })
    };
    let block = sealed(&mut sequencer, START, &[of(1)]);
    sealed(&mut sequencer, at(100), &[of(2)]);
    assert_eq!(answers(&feed(&mut sequencer, at(101), &of(3))), []);
    assert_eq!(answers(&feed(&mut sequencer, at(101), &of(4))), []);
    // Mutation: counting only what waits, or never giving back what was anchored.
    let refused = |nonce| [(of(nonce).id(), "mempool.author_limit")];
    assert_eq!(answers(&feed(&mut sequencer, at(101), &of(5))), refused(5));
    let (height, lane) = (1, lane_at(&block));
    sequencer
        .step(at(102), Input::Anchored { height, lane, executed: Vec::new(), void: Vec::new() });
    assert_eq!(answers(&feed(&mut sequencer, at(102), &of(5))), []);
    assert_eq!(answers(&feed(&mut sequencer, at(102), &of(6))), refused(6));
}

#[test]
fn what_expires_soon_is_not_sequenced() {
    let mut sequencer = with(|config| config.mempool.lead_ms = Millis(1_000));
    let until = |nonce, ms| {
        event(Sample { author: 1, nonce, valid_until: at(ms), is_toil: false, bytes: 1 })
    };
    let gone = until(1, 5);
    assert_eq!(answers(&feed(&mut sequencer, at(10), &gone)), [(gone.id(), EXPIRED.code)]);
    let soon = until(2, 1_010);
    let refused = [(soon.id(), "mempool.expires_soon")];
    assert_eq!(answers(&feed(&mut sequencer, at(10), &soon)), refused);
    // Mutation: asking when it comes, and not when it is sealed.
    sealed(&mut sequencer, at(20), &[note(9, 1)]);
    let later = until(3, 1_060);
    assert_eq!(answers(&feed(&mut sequencer, at(30), &later)), []);
    let effects = sequencer.step(at(120), Input::Tick);
    assert_eq!(answers(&effects), [(later.id(), "mempool.expires_soon")]);
    assert!(effects.iter().all(|effect| block_of(effect).is_none()));
}

#[test]
fn each_refusal_of_waiting_is_answered() {
    let mut sequencer = with(|config| config.mempool.per_author_max = 3);
    sealed(&mut sequencer, START, &[note(1, 1), note(2, 7)]);
    let twin =
        event(Sample { author: 1, nonce: 1, valid_until: at(7_777), is_toil: true, bytes: 3 });
    // The first note stands in a block.
    assert_eq!(
        answers(&feed(&mut sequencer, at(1), &twin)),
        [(twin.id(), "mempool.nonce_waiting")]
    );
    feed(&mut sequencer, at(1), &note(1, 2));
    feed(&mut sequencer, at(1), &note(1, 3));
    // Mutation: counting only what waits, not what is sequenced and not anchored.
    let fourth = note(1, 4);
    let refused = [(fourth.id(), "mempool.author_limit")];
    assert_eq!(answers(&feed(&mut sequencer, at(1), &fourth)), refused);
    assert_eq!(answers(&feed(&mut sequencer, at(1), &note(1, 3))), []);
    let late = event(Sample { author: 5, nonce: 1, valid_until: at(1), is_toil: true, bytes: 3 });
    assert_eq!(answers(&feed(&mut sequencer, at(1), &late)), [(late.id(), EXPIRED.code)]);
}

#[test]
fn what_is_evicted_expires_or_becomes_void_is_answered() {
    let mut sequencer = with(|config| config.mempool.events_max = 2);
    sealed(&mut sequencer, START, &[note(9, 1)]);
    let short = event(Sample { author: 1, nonce: 1, valid_until: at(50), is_toil: true, bytes: 3 });
    feed(&mut sequencer, at(1), &short);
    feed(&mut sequencer, at(1), &note(2, 1));
    let effects = sequencer.step(at(2), Input::Event(note(3, 1), 4));
    assert_eq!(answers(&effects), [(note(2, 1).id(), "mempool.full")]);
    assert_eq!(
        answers(&feed(&mut sequencer, at(2), &note(4, 1))),
        [(note(4, 1).id(), "mempool.full")]
    );
    assert_eq!(answers(&sequencer.step(at(50), Input::Tick)), [(short.id(), EXPIRED.code)]);
    let refusal = ddt_ledger::event::NONCE_OLD;
    let void = Input::Void(vec![(note(3, 1).id(), refusal)]);
    assert_eq!(answers(&sequencer.step(at(51), void.clone())), [(note(3, 1).id(), refusal.code)]);
    assert_eq!(sequencer.step(at(52), void), []);
}

#[test]
fn executed_events_are_never_sequenced_again() {
    let mut sequencer = sequencer();
    let block = sealed(&mut sequencer, START, &[note(1, 1)]);
    feed(&mut sequencer, at(1), &note(2, 1));
    // The other router was faster with the second note.
    let executed = vec![note(1, 1).id(), note(2, 1).id()];
    let anchored = Input::Anchored { height: 1, lane: lane_at(&block), executed, void: Vec::new() };
    let effects = sequencer.step(at(2), anchored.clone());
    assert_eq!(effects, [Effect::Executed(note(2, 1).id())]);
    for event in [note(1, 1), note(2, 1)] {
        // Mutation: forgetting ids at the anchor, while events admitted before it arrive.
        assert_eq!(feed(&mut sequencer, at(3), &event), [Effect::Executed(event.id())]);
    }
    assert!(sequencer.mempool().is_empty());
    assert_eq!(sequencer.step(at(4), anchored), []);
    let next = sealed(&mut sequencer, at(200), &[note(3, 1)]);
    assert_eq!((next.header().after_anchor, next.header().first_number), (1, 2));
}

#[test]
fn an_anchor_frees_nonces_and_an_old_anchor_changes_nothing() {
    let mut sequencer = with(|config| config.mempool.per_author_max = 1);
    let block = sealed(&mut sequencer, START, &[note(1, 1)]);
    let anchored =
        |height, lane| Input::Anchored { height, lane, executed: Vec::new(), void: Vec::new() };
    sequencer.step(at(1), anchored(5, lane_at(&block)));
    // Mutation: keeping the anchored event's place in flight.
    assert_eq!(feed(&mut sequencer, at(2), &note(1, 2)), [Effect::WakeAt(at(100))]);
    // Mutation: taking anchors in any order; this lane looks forked.
    assert_eq!(sequencer.step(at(3), anchored(4, first_lane())), [Effect::WakeAt(at(100))]);
    assert!(sequencer.is_open());
    let effects = sequencer.step(at(100), Input::Tick);
    assert_eq!(effects.iter().find_map(block_of).expect("a block").header().after_anchor, 5);
}
