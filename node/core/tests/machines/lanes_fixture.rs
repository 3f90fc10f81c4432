//! Lane blocks with their bytes, four routers, and a shell's hands for availability.

use ddt_core::availability::{
    Availability, AvailabilityConfig, Effect, Input, LANE_BYTES_MAX, SignedVote, Vote,
};
use ddt_core::sequencer::{Effect as SealEffect, Input as SealInput, Sequencer};
use ddt_ledger::certificate::{Validator, ValidatorSet};
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::{Hash, Millis, Zone};

use crate::fixture::*;

/// Keys of the four routers; the first is that of the fixture's lane.
pub const ROUTERS: [u8; 4] = [ROUTER, 201, 202, 203];
/// Which of them the tests are.
pub const ME: u8 = 201;

pub type Block = (CheckedBlock, Vec<u8>);

/// Blocks of one event each that follow each other; another salt makes other blocks.
pub fn chain(count: u8, salt: u8) -> Vec<Block> {
    branch(&[], count, salt)
}

/// The same, after other blocks.
pub fn branch(before: &[Block], count: u8, salt: u8) -> Vec<Block> {
    let before = before.iter().map(|(block, _)| block.clone()).collect();
    let mut sequencer = Sequencer::new(config(), sign(), &first_lane(), before, 0);
    let mut blocks = Vec::new();
    for number in 0..count {
        let now = START.plus(Millis(100 * u64::from(number)));
        let event = note(salt, u64::from(number) + 1);
        for effect in sequencer.step(now, SealInput::Event(event, 0)) {
            let block = block_of(&effect);
            if let (Some(block), SealEffect::Store { bytes, .. }) = (block, effect) {
                blocks.push((block, bytes));
            }
        }
        let height = blocks.last().expect("a block").0.header().height;
        sequencer.step(now, SealInput::Stored { height });
    }
    blocks
}

pub fn validators() -> ValidatorSet {
    let validator = |(zone, seed): (u32, &u8)| Validator {
        zone: Zone(zone),
        key: key(*seed),
        vrf_key: key(*seed),
    };
    ValidatorSet((1..).zip(&ROUTERS).map(validator).collect())
}

pub fn machine_with(stored: Vec<(CheckedBlock, bool)>) -> Availability {
    machine_within(LANE_BYTES_MAX, stored)
}

/// One that keeps only so many bytes of a lane.
pub fn machine_within(lane_bytes_max: usize, stored: Vec<(CheckedBlock, bool)>) -> Availability {
    machine_of((lane_bytes_max, u64::MAX), stored)
}

/// One that also follows bodies over so many bytes of a lane.
pub fn machine_of(
    (lane_bytes_max, anchor_bytes_max): (usize, u64),
    stored: Vec<(CheckedBlock, bool)>,
) -> Availability {
    let config = AvailabilityConfig {
        chain: CHAIN,
        registry: REGISTRY,
        me: key(ME),
        peers: ROUTERS.iter().map(|seed| key(*seed)).collect(),
        lane_bytes_max,
        anchor_bytes_max,
        sign: Some(Box::new(|digest| signature(ME, digest))),
    };
    Availability::new(config, 0, vec![(ZONE, first_lane())], validators(), stored)
}

pub fn machine() -> Availability {
    machine_with(Vec::new())
}

pub fn arrives(machine: &mut Availability, now: Millis, block: &Block) -> Vec<Effect> {
    machine.step(now, Input::Block { from: key(ROUTER), bytes: block.1.clone() })
}

/// Lets the disk keep what these effects write, and answers what follows.
pub fn written(machine: &mut Availability, now: Millis, effects: &[Effect]) -> Vec<Effect> {
    let mut after = Vec::new();
    for effect in effects {
        if let Effect::Store { block, .. } = effect {
            let (height, id) = (block.header().height, block.id());
            after.extend(machine.step(now, Input::Stored { zone: ZONE, height, block: id }));
        }
    }
    after
}

/// A block arrives and is written.
pub fn kept(machine: &mut Availability, now: Millis, block: &Block) -> Vec<Effect> {
    let effects = arrives(machine, now, block);
    written(machine, now, &effects)
}

pub fn vote(seed: u8, height: u64, block: Hash) -> SignedVote {
    let vote = Vote { chain: CHAIN, zone: ZONE, term: 1, height, block };
    SignedVote { vote, key: key(seed), signature: signature(seed, &vote.digest()) }
}

/// Heights of the blocks to be written, and whether beside another.
pub fn stores(effects: &[Effect]) -> Vec<(u64, bool)> {
    let store = |effect: &Effect| match effect {
        Effect::Store { block, is_other, .. } => Some((block.header().height, *is_other)),
        _ => None,
    };
    effects.iter().filter_map(store).collect()
}

/// Heights voted for.
pub fn tells(effects: &[Effect]) -> Vec<(u64, Hash)> {
    let tell = |effect: &Effect| match effect {
        Effect::Tell(vote) => Some((vote.vote.height, vote.vote.block)),
        _ => None,
    };
    effects.iter().filter_map(tell).collect()
}

/// Places asked for.
pub fn asks(effects: &[Effect]) -> Vec<(u64, Option<Hash>)> {
    let ask = |effect: &Effect| match effect {
        Effect::Ask { ask, .. } => Some((ask.height, ask.block)),
        _ => None,
    };
    effects.iter().filter_map(ask).collect()
}

pub fn refusals(effects: &[Effect]) -> Vec<&'static str> {
    let why = |effect: &Effect| match effect {
        Effect::Refused { why, .. } | Effect::Forged { why, .. } => Some(*why),
        _ => None,
    };
    effects.iter().filter_map(why).collect()
}
