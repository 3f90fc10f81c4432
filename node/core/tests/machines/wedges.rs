//! Availability against routers that try to wedge a lane: what an anchor needs always comes.

use std::collections::{BTreeMap, BTreeSet};

use ddt_core::availability::{
    Availability, AvailabilityConfig, Effect, Input, LANE_BYTES_MAX, WAITING_BLOCKS_MAX,
    WAITING_BYTES_MAX,
};
use ddt_ledger::anchor::Tip;
use ddt_ledger::event::Checked;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, BlockHeader, CheckedBlock};
use ddt_ledger::merkle::list_root;
use ddt_ledger::{Hash, Millis, Zone};

use crate::fixture::*;
use crate::lanes_fixture::*;

/// Events that make a block almost as large as one may be.
fn many() -> Vec<Checked> {
    let valid_until = START.plus(Millis(3_600_000));
    let sample = |nonce| Sample { author: 1, nonce, valid_until, is_toil: false, bytes: 16_000 };
    (1..=255).map(|nonce| event(sample(nonce))).collect()
}

/// A block that the router signed, at any place and after any parent.
fn signed(zone: Zone, (height, number): (u64, u64), parent: Hash, events: &[Checked]) -> Block {
    let header = BlockHeader {
        version: 1,
        chain: CHAIN,
        zone,
        term: 1,
        height,
        parent,
        after_anchor: 0,
        first_number: number,
        count: events.len() as u32,
        events_root: list_root(events.iter().map(|event| event.id().0)),
        time: START,
    };
    let sign = |digest: &Hash| signature(ROUTER, digest);
    CheckedBlock::seal(header, key(ROUTER), events.to_vec(), sign).expect("a block")
}

/// Broken by: a vote for a block that claims a later anchor than there is. A quorum of such
/// votes makes everybody propose what nobody can take.
#[test]
fn a_block_that_claims_a_later_anchor_waits_for_it() {
    let (mut machine, blocks) = (machine(), real(2, &[note(1, 1)]));
    let header = BlockHeader { after_anchor: 2, ..blocks[1].0.header().clone() };
    let sign = |digest: &Hash| signature(ROUTER, digest);
    let later = CheckedBlock::seal(header, key(ROUTER), vec![note(1, 1)], sign).expect("a block");
    kept(&mut machine, START, &blocks[0]);
    assert_eq!(tells(&kept(&mut machine, START, &later)), []);
    for voter in [ROUTER, 202, 203] {
        machine.step(START, Input::Vote(vote(voter, 2, later.0.id())));
    }
    assert_eq!(machine.available(ZONE), None);
    let anchored = |height| Input::Anchored {
        height,
        lanes: vec![(ZONE, first_lane())],
        validators: validators(),
    };
    assert_eq!(tells(&machine.step(START, anchored(1))), []);
    assert_eq!(tells(&machine.step(START, anchored(2))), [(2, later.0.id())]);
    assert_eq!(machine.available(ZONE), Some(2));
}

/// Broken by: following the way down from a tip however long it is: one validator's body makes
/// everybody fetch all that its lane has.
#[test]
fn a_way_that_no_anchor_can_take_is_not_followed_to_its_end() {
    let blocks = real(8, &[note(1, 1)]);
    let size = blocks[0].0.size() as u64;
    let mut machine = machine_of((LANE_BYTES_MAX, 3 * size), Vec::new());
    machine.step(START, Input::Need(vec![tip_of(&blocks[7])]));
    let mut fetched = 0;
    for second in (10..).step_by(10) {
        // Long enough for the next question to be due.
        let now = START.plus(Millis(second * 1_000));
        let by_id = |effect: &Effect| match effect {
            Effect::Ask { ask, .. } | Effect::AskAnybody { ask, .. } => ask.block.and(Some(*ask)),
            _ => None,
        };
        let Some(ask) = machine.step(now, Input::Tick).iter().find_map(by_id) else { break };
        arrives(&mut machine, now, &blocks[ask.height as usize - 1]);
        fetched += 1;
    }
    assert_eq!(fetched, 4);
}

/// One whose parent nobody has.
fn bogus(zone: Zone, height: u64, events: &[Checked]) -> Block {
    signed(zone, (height, 1), Hash([height as u8 ^ 0xa5; 32]), events)
}

/// Blocks that follow each other.
fn real(count: u64, events: &[Checked]) -> Vec<Block> {
    let (mut parent, mut number, mut blocks) = (Hash::ZERO, 1, Vec::new());
    for height in 1..=count {
        let block = signed(ZONE, (height, number), parent, events);
        (parent, number) = (block.0.id(), number + events.len() as u64);
        blocks.push(block);
    }
    blocks
}

fn tip_of(block: &Block) -> Tip {
    Tip { zone: ZONE, term: 1, height: block.0.header().height, block: block.0.id() }
}

fn here(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Here(_)))
}

/// Answers questions for a block by its id, and none for a place alone; how many answers it
/// took until the tip was here.
fn answers_until_here(machine: &mut Availability, tip: Tip, blocks: &[Block]) -> Option<usize> {
    let known: BTreeMap<Hash, &Block> = blocks.iter().map(|block| (block.0.id(), block)).collect();
    let mut answers = 0;
    let mut effects = machine.step(START, Input::Need(vec![tip]));
    for second in 1..2_000 {
        let now = START.plus(Millis(second * 1_000));
        // The highest first: that is the worst order.
        let asked: BTreeSet<_> = asks(&effects).into_iter().collect();
        effects.clear();
        for (_, id) in asked.into_iter().rev() {
            let Some(block) = id.and_then(|id| known.get(&id)) else { continue };
            answers += 1;
            let came = arrives(machine, now, block);
            effects.extend(written(machine, now, &came));
            effects.extend(came);
            assert!(machine.waiting_bytes() <= WAITING_BYTES_MAX);
            if here(&effects) {
                return Some(answers);
            }
        }
        effects.extend(machine.step(now.plus(Millis(999)), Input::Tick));
    }
    None
}

/// Broken by: a way down from a tip that is known only as far as its blocks found room; gaps
/// that keep a body's blocks from being asked for.
#[test]
fn many_blocks_without_parents_do_not_keep_an_anchors_blocks_out() {
    let (mut machine, small) = (machine(), [note(1, 1)]);
    for height in 1..=WAITING_BLOCKS_MAX as u64 + 8 {
        arrives(&mut machine, START, &bogus(ZONE, height, &small));
    }
    let blocks = real(WAITING_BLOCKS_MAX as u64 + 36, &small);
    let tip = tip_of(blocks.last().expect("a block"));
    let answers = answers_until_here(&mut machine, tip, &blocks).expect("the tip");
    // What found no room comes twice, and a few that were under way when it was asked for.
    assert!(answers <= 2 * blocks.len() - WAITING_BLOCKS_MAX + 32, "{answers}");
    assert_eq!(machine.span(&tip).map(|span| span.len()), Some(blocks.len()));
}

/// Broken by: room that whoever comes first keeps; asking for more than finds room.
#[test]
fn large_blocks_without_parents_do_not_keep_an_anchors_blocks_out() {
    let (mut machine, large) = (machine(), many());
    let fit = WAITING_BYTES_MAX / BLOCK_BYTES_MAX;
    for height in 10..=10 + fit as u64 + 4 {
        arrives(&mut machine, START, &bogus(ZONE, height, &large));
        assert!(machine.waiting_bytes() <= WAITING_BYTES_MAX);
    }
    assert!(machine.waiting_bytes() > WAITING_BYTES_MAX - BLOCK_BYTES_MAX);
    let blocks = real(fit as u64 + 6, &large);
    let tip = tip_of(blocks.last().expect("a block"));
    let answers = answers_until_here(&mut machine, tip, &blocks).expect("the tip");
    assert!(answers <= blocks.len() + 8, "{answers}");
}

/// Broken by: a block that waits for a parent although another stands at its place.
#[test]
fn a_block_that_can_never_follow_hides_no_gap() {
    let (mut machine, blocks) = (machine(), chain(3, 1));
    let small = [note(9, 1)];
    arrives(&mut machine, START, &bogus(ZONE, 1, &small));
    let effects = machine.step(START, Input::Vote(vote(202, 3, blocks[2].0.id())));
    assert_eq!(asks(&effects), [(1, None), (2, None), (3, None)]);
    // Nobody knows yet that this one can never follow.
    arrives(&mut machine, START, &bogus(ZONE, 2, &small));
    assert!(machine.waiting_bytes() > 0);
    let effects = kept(&mut machine, START, &blocks[0]);
    assert_eq!((stores(&effects), machine.waiting_bytes()), (vec![], 0));
    let now = START.plus(Millis(10_000));
    assert_eq!(asks(&machine.step(now, Input::Tick)), [(2, None), (3, None)]);
    assert_eq!(stores(&arrives(&mut machine, now, &blocks[1])), [(2, false)]);
}

/// Broken by: one budget for all lanes that the first to come may use up.
#[test]
fn a_lane_that_fills_the_room_gives_way_to_another() {
    let other = Zone(6);
    let config = AvailabilityConfig {
        chain: CHAIN,
        registry: REGISTRY,
        me: key(ME),
        peers: Vec::new(),
        lane_bytes_max: LANE_BYTES_MAX,
        anchor_bytes_max: u64::MAX,
        sign: None,
    };
    let lanes = vec![(ZONE, first_lane()), (other, first_lane())];
    let mut machine = Availability::new(config, 0, lanes, validators(), Vec::new());
    let large = many();
    for height in 10..40 {
        arrives(&mut machine, START, &bogus(ZONE, height, &large));
    }
    let blocks: Vec<Block> = [2, 3]
        .map(|height| signed(other, (height, 256 * height - 255), Hash([9; 32]), &large))
        .into();
    let first = signed(other, (1, 1), Hash::ZERO, &large);
    let second = signed(other, (2, 256), first.0.id(), &large);
    assert!(blocks.iter().all(|block| block.0.id() != second.0.id()));
    arrives(&mut machine, START, &second);
    let effects = arrives(&mut machine, START, &first);
    assert_eq!(stores(&effects), [(1, false), (2, false)], "the second waited");
}

/// Broken by: a body's tip over blocks whose numbers do not go on that is asked for for ever.
#[test]
fn what_can_never_be_kept_is_asked_for_no_more() {
    let (mut machine, small) = (machine(), [note(1, 1)]);
    let first = signed(ZONE, (1, 1), Hash::ZERO, &small);
    let wrong = signed(ZONE, (2, 7), first.0.id(), &small);
    kept(&mut machine, START, &first);
    let effects = machine.step(START, Input::Need(vec![tip_of(&wrong)]));
    assert!(asks(&effects).contains(&(2, Some(wrong.0.id()))));
    arrives(&mut machine, START, &wrong);
    let later = machine.step(START.plus(Millis(60_000)), Input::Tick);
    assert_eq!(asks(&later), []);
    // And one that leads past the lane's tip.
    let past = signed(ZONE, (1, 1), Hash([3; 32]), &small);
    machine.step(START, Input::Need(vec![tip_of(&past)]));
    arrives(&mut machine, START, &past);
    assert_eq!(asks(&machine.step(START.plus(Millis(90_000)), Input::Tick)), []);
}

/// Broken by: a lane that counts as full only when not one byte more fits; that stays full
/// when more of it is anchored, or is empty again when another lane is.
#[test]
fn a_lane_that_left_a_block_out_asks_for_no_more() {
    let (blocks, small) = (chain(6, 1), 1);
    let room: usize = blocks.iter().take(4).map(|(block, _)| block.size()).sum();
    let mut machine = machine_within(room - small, Vec::new());
    blocks.iter().for_each(|block| drop(kept(&mut machine, START, block)));
    machine.step(START, Input::Vote(vote(202, 6, blocks[5].0.id())));
    let asked = |machine: &mut Availability, second: u64| {
        asks(&machine.step(START.plus(Millis(second * 1_000)), Input::Tick))
    };
    assert_eq!(asked(&mut machine, 60), []);
    let anchored =
        |lane| Input::Anchored { height: 1, lanes: vec![(ZONE, lane)], validators: validators() };
    machine.step(START, anchored(first_lane()));
    assert_eq!(asked(&mut machine, 120), []);
    let effects = machine.step(START, anchored(lane_at(&blocks[0].0)));
    assert_eq!(asks(&effects), [(4, None)], "the others wait for it");
}
