//! Routers: sets of validators that change, and proofs across them; terms that close inside of
//! an anchor; outages; upgrades.

use ddt_ledger::accounts::Account;
use ddt_ledger::anchor::{AnchorBody, AnchorError};
use ddt_ledger::certificate::{Validator, ValidatorSet};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::Role;
use ddt_ledger::execute::{Halt, execute};
use ddt_ledger::receipt::Outcome;
use ddt_ledger::routers::{
    PROTOCOL_VERSION, PlannedUpgrade, Protocol, Router as Row, bond_of, protocol_at,
};
use ddt_ledger::state::{MemoryState, Overlay};
use ddt_ledger::system::{Lane, Supply, Validators};
use ddt_ledger::{AccountId, Amount, Millis, Zone};

use crate::proofs::row_proof;
use crate::support::disk::Disk;
use crate::support::governing::{Close, Punish};
use crate::support::network::{Decided, Network, Person, Router, START_MS, certificate, genesis};
use crate::support::network::{outcomes, void};
use crate::support::programme::{NO, Pay, REGISTRY};

fn apt(apt: u64) -> Amount {
    Amount::from_apt(apt)
}

/// A network whose anchors are signed by those whom the state names.
fn decide(network: &mut Network, step_ms: u64, events: Vec<Vec<u8>>) -> AnchorBody {
    let spans = match events.is_empty() {
        true => Vec::new(),
        false => vec![network.span(1, &[events])],
    };
    let body = body(network, &spans, step_ms);
    network.check(&body, &spans).expect("a valid anchor");
    let signers = council(network).into_iter().map(|place| &network.routers[place]);
    let certificate = certificate(network.chain, &body, &signers.collect::<Vec<&Router>>());
    network.replay(Decided { body: body.clone(), certificate, spans });
    body
}

/// The routers that sign the next anchor.
fn council(network: &Network) -> Vec<usize> {
    let keys = network.validators().next.0;
    let signs = |place: &usize| {
        let key = network.routers[*place].person.key();
        keys.iter().any(|validator| validator.key == key)
    };
    (0..network.routers.len()).filter(signs).collect()
}

fn body(network: &Network, spans: &[ddt_ledger::anchor::Span], step_ms: u64) -> AnchorBody {
    let council = council(network);
    let maker = &network.routers[council[0]];
    AnchorBody {
        statements: network.statements(&council, step_ms),
        maker: ddt_ledger::certificate::ValidatorAddress::of(&maker.person.key()),
        vrf: maker.vrf.prove(&network.head().anchor, network.head().height + 1),
        ..network.body(spans, step_ms)
    }
}

fn punish(network: &mut Network, number: u8) -> Vec<u8> {
    let router = Person::new(number).id();
    network.event(&Person::new(1), &Punish { router })
}

/// Broken by: a set that signs one anchor too early or too late, a handover that is not kept,
/// or a verifier that follows none.
#[test]
fn proofs_follow_every_change_of_the_validators() {
    let mut network = Network::new();
    let mut sizes = Vec::new();
    for number in [104, 103, 102, 101] {
        let event = punish(&mut network, number);
        decide(&mut network, 1_000, vec![event]);
        sizes.push(council(&network).len());
        decide(&mut network, 1_000, Vec::new());
        sizes.push(council(&network).len());
        decide(&mut network, 1_000, Vec::new());
        let proof = row_proof(&network, Account::full_key(&Person::new(1).id()));
        let verified = proof.verify(&network.genesis).expect("a proof");
        assert_eq!(verified.signers.1, council(&network).len());
        assert_eq!(proof.handovers.len(), 4 - council(&network).len());
        let mut cut = proof.clone();
        // Three of four are a quorum of both sets; two of three are none.
        if cut.handovers.pop().is_some() && cut.handovers.len() == 1 {
            assert!(cut.verify(&network.genesis).is_err());
        }
    }
    // Whoever is out at h signs h+1, and not h+2. The last one stays, and so does the last lane.
    assert_eq!(sizes, [4, 3, 3, 2, 2, 1, 1, 1]);
    assert!(network.lane(Zone(1)).is_governed);
    assert!(!network.lane(Zone(2)).is_governed);
    assert_eq!(network.supply().burned, apt(38_000));
}

/// Broken by: an executor that lets blocks of the closed term move the new one, or forgets
/// their numbers; a rule that takes blocks of the old term afterwards.
#[test]
fn a_term_that_closes_in_an_anchor_goes_on_after_its_blocks() {
    let mut network = Network::new();
    let alice = Person::new(1);
    let pay = Pay { to: alice.id(), amount: apt(1) };
    let close = |network: &mut Network, zone| network.event(&Person::new(1), &Close { zone });
    let first = [close(&mut network, Zone(2)), network.event(&alice, &pay)];
    let second = [network.event(&alice, &pay), close(&mut network, Zone(1))];
    let third = vec![network.event(&alice, &pay)];
    let spans = vec![
        network.span(1, &[first.to_vec(), third.clone()]),
        network.span(2, &[second.to_vec()]),
    ];
    let stale = network.span(2, &[third]);
    let made = network.body(&spans, 1_000);
    let executed = network.decide(made, spans);
    assert!(outcomes(&executed.receipts).iter().all(|o| *o == ddt_ledger::receipt::Outcome::Done));
    let lane = |network: &Network, zone| {
        let Lane { term, height, next_number, .. } = network.lane(Zone(zone));
        (term, height, next_number)
    };
    assert_eq!((lane(&network, 1), lane(&network, 2)), ((2, 0, 4), (2, 0, 3)));
    let body = network.body(std::slice::from_ref(&stale), 1_000);
    assert_eq!(network.check(&body, &[stale]), Err(AnchorError("tip is of another term")));
    let event = network.event(&alice, &pay);
    network.run(vec![event]);
    assert_eq!(lane(&network, 1), (2, 1, 5));
}

/// The state of now, with so many units in the bond of a router that had 10,000 APT and the rest
/// never made.
fn with_bond(network: &Network, owner: AccountId, units: u128) -> MemoryState {
    let mut rows = MemoryState { rows: network.rows() };
    let left = Amount::from_units(units).expect("an amount");
    let key = [&[0, 3, 0, 0], &owner.0[..]].concat();
    let had = rows.rows.insert(key, encode(&left)).expect("a bond");
    let had: Amount = decode(&had, 16).expect("an amount");
    let supply = network.supply();
    let less = |sum: Amount| sum.minus(had).and_then(|rest| rest.plus(left)).expect("a sum");
    let supply = Supply { genesis: less(supply.genesis), held: less(supply.held), ..supply };
    rows.rows.insert(vec![0, 4], encode(&supply));
    rows
}

/// Broken by: a price of the whole span rounded once, so that cuts between anchors change it; a
/// router that goes on with a bond of nothing, or that is out one unit too early.
#[test]
fn a_bond_pays_for_void_events_until_it_is_spent() {
    let mut network = Network::new();
    let owner = Person::new(101).id();
    let stranger = Person::new(99);
    let price = |event: &Vec<u8>| (500_000 + 2_000 * event.len() as u128) / 32;
    let bond = |network: &Network| {
        let snapshot = network.store.snapshot().expect("a snapshot");
        bond_of(&snapshot, &owner).units()
    };
    let pay = Pay { to: stranger.id(), amount: apt(1) };
    let voids: Vec<_> = (0..7).map(|_| network.event(&stranger, &pay)).collect();
    let owed: u128 = voids.iter().map(price).sum();
    let (before, pool) = (bond(&network), network.supply().pool.units());
    network.run(voids);
    assert_eq!(bond(&network), before - owed);
    assert_eq!(network.supply().pool.units(), pool + owed);

    // A bond that is hardly there, in a state made by hand.
    let last = network.event(&stranger, &pay);
    let spans = vec![network.span(1, &[vec![last.clone()]])];
    let body = network.body(&spans, 1_000);
    for (left, is_out) in [(price(&last) + 1, false), (price(&last), true), (1, true)] {
        let mut rows = with_bond(&network, owner, left);
        let executed = execute(&REGISTRY, &rows, &body, &spans).expect("execution");
        let paid = executed.receipts[1].postings[0].amount.units();
        assert_eq!(paid, left.min(price(&last)));
        rows.apply(&executed.changes);
        let router = Row::read(&Overlay::new(&rows), &owner).expect("a router");
        assert_eq!((router.is_out, router.zone.is_none()), (is_out, is_out), "{left}");
    }
}

/// Broken by: counting anchor time instead of the epoch clock, so that an outage of everybody
/// takes everybody's lane.
#[test]
fn an_outage_of_three_days_silences_nobody() {
    let mut start = genesis();
    start.params.router_silent_ms = Millis(90_000);
    let mut network = Network::of(start, &Disk::default());
    for step_ms in [1_000, 3 * 24 * 3_600_000, 1_000, 20_000, 19_000] {
        decide(&mut network, step_ms, Vec::new());
    }
    assert_eq!(network.head().epoch, 1, "an epoch ended since");
    assert!((1..=4).all(|zone| network.lane(Zone(zone)).is_governed));
    // Silent on the epoch clock, all but the last one lose their lanes at an epoch's end.
    (0..3).for_each(|_| drop(decide(&mut network, 20_000, Vec::new())));
    let governed = (1..=4).filter(|zone| network.lane(Zone(*zone)).is_governed).count();
    assert_eq!((network.head().epoch, governed), (2, 1));
}

/// Broken by: a node that goes on by rules that it does not know, or stops an anchor too early.
#[test]
fn a_node_that_is_too_old_stops_where_the_upgrade_begins() {
    let network = Network::new();
    let planned = |version, epoch| {
        let next = Some(PlannedUpgrade { version, epoch });
        let mut state = MemoryState { rows: network.rows() };
        let protocol = Protocol { version: PROTOCOL_VERSION, ready: version, next };
        state.rows.insert(vec![0, 18], encode(&protocol));
        state
    };
    let run = |state: &MemoryState, step_ms| {
        let executed = execute(&REGISTRY, state, &network.body(&[], step_ms), &[]);
        executed.map(|executed| executed.head.epoch)
    };
    let soon = planned(PROTOCOL_VERSION + 1, 0);
    let halt = Halt::Outdated { needed: PROTOCOL_VERSION + 1, known: PROTOCOL_VERSION };
    assert_eq!(run(&soon, 1_000), Err(halt));
    assert_eq!(run(&planned(PROTOCOL_VERSION + 1, 1), 1_000), Ok(0));
    assert_eq!(run(&planned(PROTOCOL_VERSION, 0), 1_000), Ok(0));
    let rows = ddt_ledger::state::Overlay::new(&soon);
    assert_eq!(protocol_at(&rows, 0), PROTOCOL_VERSION + 1);
}

/// Broken by: a free word that costs something, that is refused instead of void, that is
/// free for who is no router, or that is executed twice where its rules break.
#[test]
fn a_routers_own_word_is_free_and_void_where_it_does_nothing() {
    let mut network = Network::new();
    let router = Person::new(102);
    let word = |network: &mut Network, zone| {
        let draft = network.draft(&router, &Close { zone });
        router.seal(ddt_ledger::event::Draft { role: Role::Router, ..draft })
    };
    let good = word(&mut network, Zone(2));
    let receipts = network.run(vec![good.clone()]);
    assert_eq!((receipts.len(), receipts[0].fee), (1, Amount::ZERO));
    assert_eq!(network.lane(Zone(2)).term, 2);
    let bad = word(&mut network, Zone(9));
    let supply = network.supply();
    assert_eq!(network.outcome(bad.clone()), void(NO));
    assert_eq!(network.outcome(bad), void(NO), "the nonce is not used");
    assert_eq!(network.outcome(good), void(ddt_ledger::event::NONCE_USED));
    let broken = word(&mut network, Zone(0));
    assert_eq!(network.outcome(broken.clone()), Outcome::Bug("ledger.bug".to_string()));
    assert_eq!(network.outcome(broken), void(ddt_ledger::event::NONCE_USED));
    let (held, pool) = (network.supply().held, network.supply().pool);
    assert_eq!(network.supply(), Supply { held, pool, ..supply }, "bonds pay for voids");
    let snapshot = network.store.snapshot().expect("a snapshot");
    let row = Row::read(&snapshot, &router.id()).expect("a router");
    assert_eq!((row.zone, row.heard), (Some(Zone(2)), Millis(START_MS)));
}

/// Broken by: a set whose members keep the zones that they had, if they are not among the first
/// `validators_max`: then two validators of one zone.
#[test]
fn a_validator_that_is_no_longer_chosen_stays_with_the_zone_of_now() {
    let mut start = genesis();
    (start.params.validators_max, start.params.epoch_ms) = (2, Millis(20_000));
    for (zone, bond) in start.zones.iter_mut().zip([11_000, 10_000, 30_000, 20_000]) {
        zone.bond = apt(bond);
    }
    let network = Network::of(start, &Disk::default());
    let mut state = MemoryState { rows: network.rows() };
    let validator = |place: usize| Validator {
        zone: Zone(place as u32 + 1),
        key: network.routers[place].person.key(),
        vrf_key: network.routers[place].vrf.public(),
    };
    // The first two decided so far; the first one and the third have each other's zone by now.
    let set = ValidatorSet(vec![validator(0), validator(1)]);
    let sets = Validators { next: set.clone(), after_next: set };
    state.rows.insert(vec![0, 7], encode(&sets));
    for (place, zone) in [(0, 3), (2, 1)] {
        let person = &network.routers[place].person;
        let rows = ddt_ledger::state::Overlay::new(&state);
        let row = Row::read(&rows, &person.id()).expect("a router");
        let lane = Lane::read(&rows, Zone(zone)).expect("a lane");
        drop(rows);
        let row = Row { zone: Some(Zone(zone)), ..row };
        let lane = Lane { router: person.id(), key: person.key(), ..lane };
        state.rows.insert(Row::full_key(&person.id()), encode(&row));
        state.rows.insert([&[0, 6][..], &zone.to_be_bytes()].concat(), encode(&lane));
    }
    let body = network.body(&[], 20_000);
    let executed = execute(&REGISTRY, &state, &body, &[]).expect("execution");
    state.apply(&executed.changes);
    let sets = Validators::read(&ddt_ledger::state::Overlay::new(&state)).expect("validators");
    let now = |place, zone| Validator { zone: Zone(zone), ..validator(place) };
    assert_eq!((executed.head.epoch, sets.after_next.0), (1, vec![now(2, 1), now(0, 3)]));
}

/// Broken by: a closed term that stays until the lane's next one closes, or is forgotten while
/// somebody answers for it.
#[test]
fn a_closed_term_is_forgotten_by_itself() {
    let mut network = Network::new();
    let noted = |network: &Network| {
        network.rows().into_keys().filter(|key| key.starts_with(&[0, 17])).count()
    };
    for zone in [2, 2, 3, 4, 4] {
        let event = network.event(&Person::new(1), &Close { zone: Zone(zone) });
        decide(&mut network, 1_000, vec![event]);
    }
    assert_eq!(noted(&network), 5);
    // Two minutes, of which the first was noted five seconds ago.
    (0..5).for_each(|_| drop(decide(&mut network, 20_000, Vec::new())));
    decide(&mut network, 15_000, Vec::new());
    let mut left = vec![noted(&network)];
    for _ in 0..6 {
        decide(&mut network, 1_000, Vec::new());
        left.push(noted(&network));
    }
    assert_eq!(left, [5, 4, 3, 2, 1, 0, 0]);
}
