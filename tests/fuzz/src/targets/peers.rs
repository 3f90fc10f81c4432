//! What peers send to the machines that keep up with the network: availability and follower.

use ddt_contracts::REGISTRY;
use ddt_core::availability::{
    self, Availability, AvailabilityConfig, LANE_BYTES_MAX, SignedVote, Vote,
};
use ddt_core::follower::{self, Decided, Follower, Position, WINDOW};
use ddt_ledger::anchor::Tip;
use ddt_ledger::lane::LaneBlock;
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Millis, PublicKey, Signature, Zone};
use ddt_tests::people::{Person, Router};

use crate::cursor::Cursor;
use crate::world::world;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "peers",
    about: "Availability and Follower: any order of blocks, votes, asks and anchors from peers.",
    run,
    seeds,
    bytes_max: 1_024,
    tries: 1_500,
};

/// Most inputs of a run.
const STEPS_MAX: usize = 64;

fn run(bytes: &[u8]) -> End {
    let mut cursor = Cursor::of(bytes);
    match cursor.byte() % 2 {
        0 => lanes(&mut cursor),
        _ => anchors(&mut cursor),
    }
}

fn start() -> Vec<(Zone, Lane)> {
    let lane = |zone: u32| {
        let router = Router::of_zone(zone).person;
        (Zone(zone), Lane::first(router.id(), router.key(), Millis(0)))
    };
    vec![lane(1), lane(2)]
}

fn lanes(cursor: &mut Cursor) -> End {
    let me = Router::of_zone(2).person;
    let config = AvailabilityConfig {
        chain: world().chain,
        registry: REGISTRY,
        me: me.key(),
        peers: vec![Router::of_zone(1).person.key(), Person::named("bob").key()],
        lane_bytes_max: LANE_BYTES_MAX,
        anchor_bytes_max: 16 * 1024 * 1024,
        sign: Some(Box::new(move |digest| me.sign(digest))),
    };
    let validators = world().genesis.validators();
    let mut machine = Availability::new(config, 0, start(), validators, Vec::new());
    let (mut now, mut effects) = (Millis(1_000), 0);
    for _ in 0..STEPS_MAX {
        if cursor.is_empty() {
            break;
        }
        now = now.plus(Millis(u64::from(cursor.byte()) * 8));
        let input = lane_input(cursor);
        for effect in machine.step(now, input) {
            effects += 1;
            if let availability::Effect::Store { block, .. } = effect
                && !cursor.byte().is_multiple_of(4)
            {
                let header = block.header();
                let (zone, height, block) = (header.zone, header.height, block.id());
                machine.step(now, availability::Input::Stored { zone, height, block });
            }
        }
        assert!(machine.remembered() <= 4 * STEPS_MAX, "it remembers more than it was told");
        assert!(machine.waiting_bytes() <= availability::WAITING_BYTES_MAX);
    }
    let counts = (machine.available(Zone(1)), machine.available(Zone(2)));
    end((counts, effects.min(8)))
}

fn lane_input(cursor: &mut Cursor) -> availability::Input {
    use availability::Input;
    let from = Router::of_zone(1 + u32::from(cursor.byte() % 2)).person;
    let (zone, block) = cursor.pick(&world().blocks);
    let block: &[u8] = &block;
    match cursor.byte() % 7 {
        0 | 1 => Input::Block { from: from.key(), bytes: altered(cursor, block) },
        2 => {
            let header = ddt_ledger::codec::decode::<LaneBlock>(block, usize::MAX);
            let header = header.expect("of the world").header;
            let vote = Vote {
                chain: world().chain,
                zone,
                term: header.term + u64::from(cursor.byte() / 64),
                height: header.height + u64::from(cursor.byte() / 32),
                block: if cursor.byte() < 200 { header.id() } else { Hash::ZERO },
            };
            let signature = match cursor.byte() < 200 {
                true => from.sign(&vote.digest()),
                false => Signature([7; 64]),
            };
            Input::Vote(SignedVote { vote, key: from.key(), signature })
        }
        3 => {
            let ask = availability::Ask {
                zone: Zone(u32::from(cursor.byte() % 4)),
                term: u64::from(cursor.byte() % 3),
                height: cursor.number(),
                block: (cursor.byte() < 128).then_some(Hash([cursor.byte(); 32])),
            };
            Input::Asked { from: from.key(), ask }
        }
        4 => {
            let header = ddt_ledger::codec::decode::<LaneBlock>(block, usize::MAX);
            let header = header.expect("of the world").header;
            let (height, id) = (header.height, header.id());
            let (height, block) = match cursor.byte() {
                0..128 => (height, id),
                _ => (cursor.number(), Hash::ZERO),
            };
            Input::Need(vec![Tip { zone, term: 1, height, block }])
        }
        5 => {
            let (height, from) = (cursor.number() % 16, Some(from.key()));
            let ask = availability::Ask { zone, term: 1, height, block: None };
            Input::Unanswered { from, ask }
        }
        _ => Input::Tick,
    }
}

/// The bytes as they are, or one of them changed.
fn altered(cursor: &mut Cursor, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (at, by) = (cursor.number() as usize % bytes.len().max(1), cursor.byte());
    if let Some(byte) = bytes.get_mut(at)
        && by >= 128
    {
        *byte ^= by;
    }
    bytes
}

fn anchors(cursor: &mut Cursor) -> End {
    let (chain, validators) = (world().chain, world().genesis.validators());
    let position = Position { height: 0, anchor: chain.0, validators };
    let mut machine = Follower::new(chain, Router::of_zone(2).person.key(), position);
    let (mut now, mut executed) = (Millis(1_000), 0);
    for _ in 0..STEPS_MAX {
        if cursor.is_empty() {
            break;
        }
        now = now.plus(Millis(u64::from(cursor.byte()) * 8));
        let from = Router::of_zone(1 + u32::from(cursor.byte() % 2)).person.key();
        let input = match cursor.byte() % 5 {
            0 | 1 => {
                let anchor = cursor.pick(&world().anchors);
                let body = altered(cursor, &anchor.body.0);
                let mut certificate = anchor.certificate;
                certificate.height += u64::from(cursor.byte() / 128);
                let decided = Box::new(Decided { body, certificate });
                follower::Input::Decided { from, decided }
            }
            2 => peer_input(cursor, from),
            3 => follower::Input::Asked { from, first: cursor.number() },
            _ => follower::Input::Tick,
        };
        executed += followed(&mut machine, now, input);
        assert!(machine.waiting() as u64 <= WINDOW, "more waits than the window holds");
    }
    end((executed, machine.waiting()))
}

/// Peers that come and go, and say how far they are.
fn peer_input(cursor: &mut Cursor, from: PublicKey) -> follower::Input {
    let (kind, number) = (cursor.byte(), cursor.number());
    match kind % 6 {
        0 => follower::Input::Met { peer: from, height: number, lowest: number % 4 },
        1 => follower::Input::Lost(from),
        2 => follower::Input::Unanswered { from, first: number },
        _ => follower::Input::Height { from, height: number, is_router: kind >= 128 },
    }
}

/// Does what the follower wants: everything is here, and what it executes is the world's.
fn followed(machine: &mut Follower, now: Millis, input: follower::Input) -> usize {
    let (mut todo, mut executed) = (vec![input], 0);
    while let Some(input) = todo.pop() {
        for effect in machine.step(now, input) {
            match effect {
                follower::Effect::Need { height, .. } => {
                    todo.push(follower::Input::Here { height });
                }
                follower::Effect::Execute(decided) => {
                    executed += 1;
                    let height = decided.certificate.height;
                    let known = &world().anchors[height as usize - 1];
                    assert_eq!(known.body.0, decided.body, "a forged anchor would be executed");
                    let (anchor, validators) =
                        (decided.certificate.anchor, world().genesis.validators());
                    let position = Position { height, anchor, validators };
                    todo.push(follower::Input::Committed(position));
                }
                _ => {}
            }
        }
    }
    executed
}

fn seeds() -> Vec<Vec<u8>> {
    let order = |machine: u8, kinds: &[u8]| {
        let mut seed = vec![machine];
        for place in 0..world().anchors.len().min(24) as u8 {
            for kind in kinds {
                seed.extend([1, place, place, *kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            }
        }
        seed
    };
    vec![
        order(0, &[0]),
        order(0, &[0, 2]),
        order(0, &[3, 4, 5, 6]),
        order(0, &[4, 0]),
        order(1, &[0]),
        order(1, &[2, 3]),
    ]
}
