//! What is wrong with an event at a state: each refusal in the admission answer, and as a
//! void receipt that changes nothing.

use ddt_ledger::accounts::{Account, Duty, NONCES_MAX, Nonces};
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::book::{Party, Posting};
use ddt_ledger::event::{
    ACCOUNT, Draft, EXPIRED, FEE, KEY, NONCE_AHEAD, NONCE_AHEAD_US_MAX, NONCE_OLD, NONCE_USED,
    Role, TICKET, VALIDITY, VALIDITY_MS_MAX,
};
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::routers::bond_party;
use ddt_ledger::system::Supply;
use ddt_ledger::tickets::TICKET_NONCE_END;
use ddt_ledger::{Amount, Hash, Millis, Refusal, Zone};

use crate::support::network::{NODE, Network, Person, STEP_MS, refused, void};
use crate::support::programme::{
    Grab, Grant, NO, Panic, Pay, Payless, Poke, REGISTRY, Refuse, Rotate, Serve,
};

fn pay() -> Pay {
    Pay { to: Person::new(2).id(), amount: Amount::from_apt(1) }
}

fn admission(network: &Network, bytes: &[u8]) -> Admission {
    let snapshot = network.store.snapshot().expect("a snapshot");
    let now = network.head().time.plus(Millis(STEP_MS));
    admit(&REGISTRY, &snapshot, &network.checked(bytes), now).expect("an answer")
}

/// The rows that an event of this author may change: everything but what every anchor does,
/// the totals and bonds.
fn people(network: &Network) -> Vec<(Vec<u8>, Vec<u8>)> {
    let is_own = |key: &[u8]| !matches!(key, [0, 4..=7, ..] | [0, 3, 0, 0, ..]);
    network.rows().into_iter().filter(|(key, _)| is_own(key)).collect()
}

/// Demands that the event is void, for this reason, for the mempool and the executor.
fn demand_void(network: &mut Network, bytes: Vec<u8>, reason: Refusal) {
    assert_eq!(admission(network, &bytes), Admission::Void(reason));
    let (before, voids) = (people(network), network.lane(Zone(1)).voids);
    let (supply, size) = (network.supply(), bytes.len());
    let receipts = network.run(vec![bytes]);
    assert_eq!(receipts[0].outcome, void(reason));
    assert_eq!((receipts[0].fee, receipts[0].postings.len()), (Amount::ZERO, 0));
    assert_eq!(people(network), before, "void ({reason:?}) changed the state");
    // No fee that could be shared; its router pays for its room.
    let price = paid_for_voids(&receipts[1..]);
    assert_eq!(price, Amount::from_units((500_000 + 2_000 * size as u128) / 32).expect("a price"));
    let held = supply.held.minus(price).expect("bonds");
    let pool = supply.pool.plus(price).expect("a pool");
    assert_eq!(network.supply(), Supply { held, pool, ..supply });
    assert_eq!(network.lane(Zone(1)).voids, voids + 1);
}

/// What these receipts say that the router of zone 1 paid for void events, and nothing else.
fn paid_for_voids(receipts: &[Receipt]) -> Amount {
    let [Receipt { subject: Subject::Fees { zone: Zone(1) }, postings, .. }] = receipts else {
        panic!("not one sharing-out: {receipts:?}")
    };
    let [Posting { from, to: Party::Pool, amount, reason }] = postings.as_slice() else {
        panic!("not one payment: {postings:?}")
    };
    assert_eq!((from, reason.as_str()), (&bond_party(&Person::new(101).id()), "void events"));
    *amount
}

fn demand_draft_void(who: u8, change: impl FnOnce(&mut Draft, Millis), reason: Refusal) {
    let mut network = Network::new();
    let who = Person::new(who);
    let mut draft = network.draft(&who, &pay());
    let now = network.head().time.plus(Millis(STEP_MS));
    change(&mut draft, now);
    demand_void(&mut network, who.seal(draft), reason);
}

/// Broken by: leaving out a comparison in `may_execute`, or taking the fee before it.
#[test]
fn each_wrong_draft_is_void_for_its_reason() {
    demand_draft_void(1, |draft, now| draft.valid_until = now, EXPIRED);
    demand_draft_void(1, |draft, _| draft.valid_until = Millis(0), EXPIRED);
    let late = Millis(VALIDITY_MS_MAX + 1);
    demand_draft_void(1, |draft, now| draft.valid_until = now.plus(late), VALIDITY);
    demand_draft_void(1, |draft, _| draft.valid_until = Millis(u64::MAX), VALIDITY);
    demand_draft_void(1, |draft, _| draft.nonce = 0, TICKET);
    demand_draft_void(1, |draft, _| draft.nonce = TICKET_NONCE_END - 1, TICKET);
    demand_draft_void(1, |draft, _| draft.nonce = u64::MAX, NONCE_AHEAD);
    let ahead = |now: Millis| now.0 * 1_000 + NONCE_AHEAD_US_MAX + 1;
    demand_draft_void(1, |draft, now| draft.nonce = ahead(now), NONCE_AHEAD);
    demand_draft_void(50, |_, _| {}, ACCOUNT);
    demand_draft_void(2, |draft, _| draft.author = Person::new(1).id(), KEY);
    demand_draft_void(1, |draft, _| draft.author = Person::new(2).id(), KEY);
}

/// Broken by: `<` where `<=` stands, at either end.
#[test]
fn the_last_good_values_are_admitted() {
    let alice = Person::new(1);
    let changes: [fn(&mut Draft, Millis); 4] = [
        |draft, now| draft.valid_until = now.plus(Millis(1)),
        |draft, now| draft.valid_until = now.plus(Millis(VALIDITY_MS_MAX)),
        |draft, now| draft.nonce = now.0 * 1_000 + NONCE_AHEAD_US_MAX,
        |draft, _| draft.nonce = TICKET_NONCE_END,
    ];
    for change in changes {
        let mut network = Network::new();
        let mut draft = network.draft(&alice, &pay());
        change(&mut draft, network.head().time.plus(Millis(STEP_MS)));
        let bytes = alice.seal(draft);
        let admitted = admission(&network, &bytes);
        assert!(matches!(admitted, Admission::Admitted { forecast: Ok(()), .. }), "{admitted:?}");
        assert_eq!(network.outcome(bytes), Outcome::Done);
    }
}

/// An event whose nonce is this much above the tickets.
fn nonced(network: &mut Network, nonce: u64) -> Vec<u8> {
    let mut draft = network.draft(&Person::new(1), &pay());
    draft.nonce = TICKET_NONCE_END + nonce;
    Person::new(1).seal(draft)
}

/// Broken by: remembering 31 or 33 nonces, or comparing with the highest.
#[test]
fn thirty_two_nonces_are_remembered_in_any_order() {
    let mut network = Network::new();
    let first: Vec<u64> = (1..=NONCES_MAX as u64).map(|n| n * 10).rev().collect();
    let events = first.iter().map(|nonce| nonced(&mut network, *nonce)).collect();
    let receipts = network.run(events);
    assert!(receipts[..32].iter().all(|receipt| receipt.outcome == Outcome::Done));
    for used in [10, 160, 320] {
        let event = nonced(&mut network, used);
        demand_void(&mut network, event, NONCE_USED);
    }
    for old in [1, 9] {
        let event = nonced(&mut network, old);
        demand_void(&mut network, event, NONCE_OLD);
    }
    let between = nonced(&mut network, 11);
    assert_eq!(network.outcome(between), Outcome::Done);
    let forgotten = nonced(&mut network, 10);
    demand_void(&mut network, forgotten, NONCE_OLD);
    let lowest = nonced(&mut network, 11);
    demand_void(&mut network, lowest, NONCE_USED);
}

/// Broken by: a floor above 0 while the set is not full, or insertion out of order.
#[test]
fn a_nonce_set_is_full_at_thirty_two() {
    assert_eq!(Nonces::default().check(0), Err(NONCE_OLD));
    assert_eq!(Nonces::default().check(1), Ok(()));
    assert_eq!(Nonces::default().highest(), 0);
    let mut network = Network::new();
    let events = (101..=131).map(|nonce| nonced(&mut network, nonce)).collect();
    network.run(events);
    let snapshot = network.store.snapshot().expect("a snapshot");
    let account = Account::read(&snapshot, &Person::new(1).id()).expect("an account");
    assert_eq!(account.nonces.highest(), TICKET_NONCE_END + 131);
    assert_eq!(account.nonces.check(1), Ok(()), "31 are held: no floor yet");
    assert_eq!(account.nonces.check(TICKET_NONCE_END + 131), Err(NONCE_USED));
}

/// Broken by: executing the same bytes again, in the same block's anchor or a later one.
#[test]
fn the_same_event_counts_once() {
    let mut network = Network::new();
    let event = network.event(&Person::new(1), &pay());
    let spans =
        vec![network.span(1, &[vec![event.clone()]]), network.span(2, &[vec![event.clone()]])];
    let body = network.body(&spans, STEP_MS);
    let receipts = network.decide(body, spans).receipts;
    let outcomes = crate::support::network::outcomes(&receipts);
    assert_eq!(outcomes, [Outcome::Done, void(NONCE_USED)]);
    let id = network.checked(&event).id();
    demand_void(&mut network, event, NONCE_USED);
    assert_eq!(network.balance(Person::new(2).id()), Amount::from_apt(1_001));
    let snapshot = network.store.snapshot().expect("a snapshot");
    assert_eq!(snapshot.event_place(&id), Ok(Some((1, 0))), "its first receipt stays its own");
}

/// Broken by: an event's id leading to its first receipt for ever; then the owner reads
/// "void", pays anew, and the old bytes move the money after all.
#[test]
fn a_void_event_may_still_be_executed_and_is_then_found_so() {
    let mut network = Network::new();
    let stranger = Person::new(99);
    let event = network.event(&stranger, &pay());
    let id = network.checked(&event).id();
    demand_void(&mut network, event.clone(), ACCOUNT);
    let found = |network: &Network| {
        let snapshot = network.store.snapshot().expect("a snapshot");
        let place = snapshot.event_place(&id).expect("a read").expect("a place");
        snapshot.receipt(place).expect("a read").expect("a receipt").outcome
    };
    assert_eq!(found(&network), void(ACCOUNT));
    let opens = Pay { to: stranger.id(), amount: Amount::from_apt(10) };
    let opening = network.event(&Person::new(1), &opens);
    network.run(vec![opening]);
    network.run(vec![event]);
    assert_eq!(found(&network), Outcome::Done);
}

/// Broken by: letting the first key sign on after a rotation, or the new one before.
#[test]
fn only_the_current_owner_key_signs() {
    let mut network = Network::new();
    let (alice, new) = (Person::new(1), Person::new(40));
    let early = {
        let mut draft = network.draft(&new, &pay());
        draft.author = alice.id();
        new.seal(draft)
    };
    demand_void(&mut network, early.clone(), KEY);
    let rotate = network.event(&alice, &Rotate { key: new.key() });
    assert_eq!(network.outcome(rotate), Outcome::Done);
    assert_eq!(network.outcome(early), Outcome::Done);
    let late = network.event(&alice, &pay());
    demand_void(&mut network, late, KEY);
    let mut again = network.draft(&new, &Rotate { key: new.key() });
    again.author = alice.id();
    assert_eq!(network.outcome(new.seal(again)), refused(ddt_ledger::book::SAME_KEY));
}

fn by_node(network: &mut Network, role: Role, key: Hash) -> Vec<u8> {
    let node = Person::new(NODE);
    let mut draft = network.draft(&node, &Poke { key });
    if role == Role::Node {
        draft = network.draft(&node, &Serve { key });
    }
    (draft.author, draft.role) = (Person::new(1).id(), role);
    node.seal(draft)
}

/// Broken by: taking a node key for another role, after its revocation, or the account's
/// balance where its allowance is empty.
#[test]
fn a_node_key_works_in_its_role_until_it_is_revoked() {
    let mut network = Network::new();
    let (alice, key) = (Person::new(1), Person::new(NODE).key());
    let duty = |network: &Network| {
        Duty::read(&network.store.snapshot().expect("a snapshot"), &alice.id(), &key)
    };
    let before = (network.balance(alice.id()), duty(&network).expect("a duty").allowance);
    let event = by_node(&mut network, Role::Node, Hash::ZERO);
    let receipts = network.run(vec![event]);
    assert_eq!(receipts[0].outcome, Outcome::Done);
    let left = duty(&network).expect("a duty").allowance;
    assert_eq!(left.plus(receipts[0].fee), Some(before.1), "the allowance pays");
    assert_eq!(network.balance(alice.id()), before.0, "the balance does not");
    for role in [Role::Owner, Role::Router] {
        let event = by_node(&mut network, role, Hash::ZERO);
        demand_void(&mut network, event, KEY);
    }
    let revoke = Grant { key, allowance: Amount::ZERO, role: Role::Node, what: 2 };
    let revoke = network.event(&alice, &revoke);
    assert_eq!(network.outcome(revoke), Outcome::Done);
    let event = by_node(&mut network, Role::Node, Hash::ZERO);
    demand_void(&mut network, event, KEY);
    let again = Grant { key, allowance: Amount::from_apt(1), role: Role::Node, what: 0 };
    let again = network.event(&alice, &again);
    assert_eq!(network.outcome(again), refused(ddt_ledger::book::DUTY_EXISTS));
}

/// Broken by: an event that nobody pays for, whoever should.
#[test]
fn an_event_whose_fee_cannot_be_paid_is_void() {
    let mut network = Network::new();
    let (alice, poor) = (Person::new(1), Person::new(60));
    let first =
        network.event(&alice, &Pay { to: poor.id(), amount: Amount::from_units(9).unwrap() });
    assert_eq!(network.outcome(first), Outcome::Done);
    let event = network.event(&poor, &pay());
    demand_void(&mut network, event, FEE);
    let event = network.event(&alice, &Poke { key: Hash([5; 32]) });
    demand_void(&mut network, event, FEE);
    let key = Person::new(61).key();
    let grant = Grant { key, allowance: Amount::from_units(9).unwrap(), role: Role::Node, what: 0 };
    let grant = network.event(&alice, &grant);
    assert_eq!(network.outcome(grant), Outcome::Done);
    let mut draft = network.draft(&Person::new(61), &Serve { key: Hash::ZERO });
    (draft.author, draft.role) = (alice.id(), Role::Node);
    demand_void(&mut network, Person::new(61).seal(draft), FEE);
}

/// Broken by: a forecast that differs from what executing says, or that keeps its changes.
#[test]
fn the_forecast_is_what_happens() {
    let mut network = Network::new();
    let alice = Person::new(1);
    let amount = Amount::from_apt(10);
    let events = [
        (network.event(&alice, &pay()), Ok(())),
        (network.event(&alice, &Refuse { amount }), Err(NO)),
        (
            network.event(&alice, &Pay { to: alice.id(), amount: Amount::MAX }),
            Err(ddt_ledger::book::INSUFFICIENT),
        ),
    ];
    for (event, forecast) in events {
        let before = network.rows();
        let fee = ddt_ledger::fees::Fees::at(ddt_ledger::fees::ValueIndex::ONE).event(event.len());
        let (answer, hold) = (admission(&network, &event), None);
        assert_eq!(answer, Admission::Admitted { fee, hold, forecast });
        assert_eq!(network.rows(), before);
        let expected = forecast.map_or_else(refused, |()| Outcome::Done);
        let receipts = network.run(vec![event]);
        assert_eq!((&receipts[0].outcome, receipts[0].fee), (&expected, fee));
    }
}

/// Broken by: a hot key that may spend its account's balance.
#[test]
fn a_node_key_spends_no_balance() {
    let mut network = Network::new();
    let node = Person::new(NODE);
    let mut draft = network.draft(&node, &Grab { amount: Amount::from_apt(1) });
    (draft.author, draft.role) = (Person::new(1).id(), Role::Node);
    let outcome = network.outcome(node.seal(draft));
    assert_eq!(outcome, refused(ddt_ledger::book::NOT_OWNER));
}

/// Broken by: running a programme's rule in admission without a guard: one event would stop
/// the node that is asked about it.
#[test]
fn a_programme_that_panics_does_not_stop_admission() {
    let mut network = Network::new();
    let event = network.event(&Person::new(1), &Panic { amount: Amount::from_apt(1) });
    let answer = admission(&network, &event);
    assert!(matches!(answer, Admission::Admitted { .. }), "{answer:?}");
}

/// Broken by: asking a programme who pays without a guard: one event would stop the network.
#[test]
fn a_programme_that_panics_over_who_pays_does_not_stop_the_network() {
    let mut network = Network::new();
    let alice = Person::new(1);
    let before = network.supply();
    let event = network.event(&alice, &Payless {});
    let outcome = network.outcome(event);
    assert!(matches!(outcome, Outcome::Void(_) | Outcome::Bug(_)), "{outcome:?}");
    assert_eq!(network.supply().total(), before.total());
}
