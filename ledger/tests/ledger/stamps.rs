//! Stamps: what they carry, for whom, and for how long (spec STP-1 … STP-6).

use ddt_ledger::accounts::Account;
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ACCOUNT, Draft, EXPIRED, STAMP, STAMP_OLD, TICKET, VALIDITY_MS_MAX};
use ddt_ledger::params::Params;
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{PerWeight, Period, Stamp};
use ddt_ledger::{Amount, ChainId, Hash, Millis};

use crate::support::disk::Disk;
use crate::support::network::{Network, Person, genesis, outcomes, refused, void};
use crate::support::programme::{NO, Pay, REGISTRY};
use crate::support::stamped::{
    Heavily, Lightly, bits, draft, heavy, light, seal, stamped, stamps, task,
};
use ddt_ledger::receipt::Outcome;

const DAY_MS: u64 = 24 * 3_600_000;
const PERIOD_MS: u64 = 10_000;
/// Somebody without an account.
const NEWCOMER: u8 = 50;

/// Light stamps have 4 bits, heavy ones 7; more than two in 10 s make the next ones harder.
fn params() -> Params {
    Params {
        stamp_bits: 4,
        stamp_bits_heavy: 3,
        stamp_target: 2,
        stamp_period_ms: Millis(PERIOD_MS),
        clock_step_ms_max: Millis(DAY_MS),
        epoch_ms: Millis(DAY_MS),
        ..genesis().params
    }
}

fn network() -> Network {
    with(params())
}

fn with(params: Params) -> Network {
    Network::of(ddt_ledger::genesis::Genesis { params, ..genesis() }, &Disk::default())
}

/// So much time passes, on the epoch clock too.
fn pass(network: &mut Network, mut time_ms: u64) {
    while time_ms > 0 {
        let step = time_ms.min(DAY_MS);
        network.run_after(step, Vec::new());
        time_ms -= step;
    }
}

fn account(network: &Network, who: &Person) -> Option<Account> {
    Account::read(&network.store.snapshot().expect("a snapshot"), &who.id())
}

/// Broken by: `Fare::Fee` for a stamped event; a row that is not opened; `payer` asked
/// although nothing is paid.
#[test]
fn a_stamped_event_is_free_for_everybody() {
    let mut network = network();
    let before = network.supply();
    let (newcomer, rich) = (Person::new(NEWCOMER), Person::new(1));
    assert_eq!(account(&network, &newcomer), None);
    let event = stamped(&mut network, &newcomer);
    let receipts = network.run(vec![event]);
    assert_eq!(outcomes(&receipts), [Outcome::Done]);
    assert_eq!((receipts[0].fee, receipts[0].postings.len()), (Amount::ZERO, 0));
    let row = account(&network, &newcomer).expect("a row");
    assert_eq!((row.balance, row.lapses.is_some()), (Amount::ZERO, true));
    assert_eq!(network.supply().account_count, before.account_count + 1);

    let event = stamped(&mut network, &rich);
    assert_eq!(network.outcome(event), Outcome::Done);
    let had = network.balance(rich.id());
    assert_eq!(had, Amount::from_apt(1_000));

    // Without a stamp the fee is paid, by whoever can.
    let unstamped = Heavily { is_refused: false, tickets: 0, stamp: None };
    let event = network.event(&rich, &unstamped);
    assert_eq!(network.outcome(event), Outcome::Done);
    assert!(network.balance(rich.id()) < had);
    let other = Person::new(NEWCOMER + 1);
    let event = network.event(&other, &unstamped);
    assert_eq!(network.outcome(event), void(ACCOUNT));
    let event = network.event(&newcomer, &unstamped);
    assert_eq!(network.outcome(event), void(ddt_ledger::event::FEE));
}

/// Broken by: a refusal that forgets the nonce, so that one stamp is tried for ever.
#[test]
fn a_refused_event_uses_its_nonce_and_pays_nothing() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    let draft = network.draft(&who, &Heavily { is_refused: true, tickets: 0, stamp: None });
    let stamp = heavy(&draft, &stamps(&network).now);
    let body = encode(&Heavily { is_refused: true, tickets: 0, stamp: Some(stamp) });
    let event = who.seal(Draft { body: Bytes::new(body).expect("short"), ..draft });
    let receipts = network.run(vec![event.clone()]);
    assert_eq!((receipts[0].outcome.clone(), receipts[0].fee), (refused(NO), Amount::ZERO));
    assert_eq!(network.outcome(event), void(ddt_ledger::event::NONCE_USED));
    assert_eq!(stamps(&network).made.heavy, 1, "it counts all the same");
}

/// Broken by: leaving any of chain, author, key, tag, nonce, number and beacon out of `Task::new`,
/// or heaviness out of `stamp::check`.
#[test]
fn a_stamp_serves_one_event_alone() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    let now = stamps(&network).now;
    type Change = fn(&mut Draft, &mut Period);
    let changes: [Change; 7] = [
        |draft, _| draft.chain = ChainId(Hash([9; 32])),
        |draft, _| draft.author = Person::new(NEWCOMER + 1).id(),
        |draft, _| draft.key = Person::new(NEWCOMER + 1).key(),
        |draft, _| draft.tag += 1,
        |draft, _| draft.nonce += 1,
        |_, period| period.number += 1,
        |_, period| period.beacon = Hash([9; 32]),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let own = draft(&mut network, &who, 0);
        let (mut other, mut period) = (own.clone(), now);
        change(&mut other, &mut period);
        let (own_task, other_task) = (task(&own, &now), task(&other, &period));
        let [_, wanted] = bits(&now);
        let is_theirs =
            |nonce: &u64| other_task.bits(*nonce) >= wanted && own_task.bits(*nonce) < wanted;
        let nonce = (0..).find(is_theirs).expect("a stamp");
        let event = seal(&who, &own, Stamp { period: now.number, nonce });
        assert_eq!(network.outcome(event), void(STAMP), "change {place}");
    }
    assert_eq!(account(&network, &who), None, "a void event opens nothing");

    // Light where heavy is wanted.
    let own = draft(&mut network, &who, 0);
    let ([light, wanted], own_task) = (bits(&now), task(&own, &now));
    let nonce = (0..).find(|nonce| (light..wanted).contains(&own_task.bits(*nonce)));
    let event = seal(&who, &own, Stamp { period: now.number, nonce: nonce.expect("light") });
    assert_eq!(network.outcome(event), void(STAMP));
    let mut own = network.draft(&who, &Lightly { stamp: None });
    let own_task = task(&own, &now);
    let nonce = (0..).find(|nonce| (light..wanted).contains(&own_task.bits(*nonce)));
    let stamp = Stamp { period: now.number, nonce: nonce.expect("light") };
    own.body = Bytes::new(encode(&Lightly { stamp: Some(stamp) })).expect("short");
    assert_eq!(network.outcome(who.seal(own)), Outcome::Done);
}

/// Broken by: a beacon that is good for ever, or for its own period only.
#[test]
fn a_stamp_is_good_for_its_period_and_the_next() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    network.run_after(PERIOD_MS, Vec::new());
    let made_in = stamps(&network).now;
    assert_eq!(made_in.number, 1);
    let drafts: Vec<Draft> = (0..3).map(|_| draft(&mut network, &who, 0)).collect();
    let events: Vec<Vec<u8>> =
        drafts.iter().map(|draft| seal(&who, draft, heavy(draft, &made_in))).collect();
    assert_eq!(network.outcome(events[0].clone()), Outcome::Done);
    network.run_after(PERIOD_MS, Vec::new());
    assert_eq!(stamps(&network).before, made_in);
    assert_eq!(network.outcome(events[1].clone()), Outcome::Done);
    network.run_after(PERIOD_MS, Vec::new());
    assert_eq!(network.outcome(events[2].clone()), void(STAMP_OLD));

    // A period without an anchor passes too: the one before it is no neighbour.
    let draft = draft(&mut network, &who, 0);
    let event = seal(&who, &draft, heavy(&draft, &stamps(&network).now));
    network.run_after(2 * PERIOD_MS, Vec::new());
    assert_eq!(network.outcome(event), void(STAMP_OLD));
}

/// Broken by: an admission that asks for the periods of the last anchor instead of the next
/// one's; what it lets in at a period's end would be void.
#[test]
fn admission_knows_that_a_period_is_over() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    let made_in = stamps(&network).now;
    network.run_after(PERIOD_MS, Vec::new());
    let draft = draft(&mut network, &who, 0);
    let event = seal(&who, &draft, heavy(&draft, &made_in));
    let (checked, snapshot) = (network.checked(&event), network.store.snapshot().expect("one"));
    let answer = |after| {
        let now = network.head().time.plus(Millis(after));
        admit(&REGISTRY, &snapshot, &checked, now).expect("an answer")
    };
    assert!(matches!(answer(PERIOD_MS - 1), Admission::Admitted { .. }));
    assert_eq!(answer(PERIOD_MS), Admission::Void(STAMP_OLD));
    let receipts = network.run_after(PERIOD_MS, vec![event]);
    assert_eq!(receipts[0].outcome, void(STAMP_OLD));
}

/// Broken by: a number of stamps that is not counted, or a size that never falls, or falls
/// below the parameter.
#[test]
fn stamps_grow_when_many_are_made_and_shrink_again() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    let mut sizes = Vec::new();
    for count in [3, 3, 2, 1, 0, 0, 0] {
        let events: Vec<Vec<u8>> = (0..count).map(|_| stamped(&mut network, &who)).collect();
        let receipts = network.run_after(1, events);
        assert!(outcomes(&receipts).iter().all(|outcome| *outcome == Outcome::Done));
        assert_eq!(stamps(&network).made, PerWeight { light: 0, heavy: count });
        network.run_after(PERIOD_MS, Vec::new());
        sizes.push(stamps(&network).now.bits.heavy);
        assert_eq!(stamps(&network).now.bits.light, 4, "nobody made light ones");
    }
    assert_eq!(sizes, [8, 9, 9, 9, 8, 7, 7]);
}

/// Broken by: one count for both weights, so that many who show life make names dear.
#[test]
fn light_stamps_make_heavy_ones_no_dearer() {
    let mut network = network();
    let who = Person::new(1);
    for _ in 0..3 {
        let mut draft = network.draft(&who, &Lightly { stamp: None });
        let stamp = light(&draft, &stamps(&network).now);
        draft.body = Bytes::new(encode(&Lightly { stamp: Some(stamp) })).expect("short");
        assert_eq!(network.outcome(who.seal(draft)), Outcome::Done);
    }
    assert_eq!(stamps(&network).made, PerWeight { light: 3, heavy: 0 });
    network.run_after(PERIOD_MS, Vec::new());
    assert_eq!(stamps(&network).now.bits, PerWeight { light: 5, heavy: 7 });
}

/// Broken by: a row that goes before the last event it could have signed has expired, or one
/// that never goes.
#[test]
fn a_row_without_coins_lapses_when_nothing_it_signed_can_return() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    let before = network.supply().account_count;
    let mut long = draft(&mut network, &who, 0);
    // As long as an event at the next anchor may be valid.
    let executed = network.head().time.plus(Millis(1));
    long.valid_until = executed.plus(Millis(VALIDITY_MS_MAX));
    let event = seal(&who, &long, heavy(&long, &stamps(&network).now));
    assert_eq!(outcomes(&network.run_after(1, vec![event.clone()])), [Outcome::Done]);

    pass(&mut network, VALIDITY_MS_MAX - 1);
    assert!(account(&network, &who).is_some(), "one millisecond before");
    network.run_after(1, Vec::new());
    assert_eq!(account(&network, &who), None);
    assert_eq!(network.supply().account_count, before);
    assert_eq!(network.outcome(event), void(EXPIRED));

    // It may come again, as if it had never been there; use keeps it.
    let event = stamped(&mut network, &who);
    assert_eq!(network.outcome(event), Outcome::Done);
    pass(&mut network, 6 * DAY_MS);
    let event = stamped(&mut network, &who);
    assert_eq!(network.outcome(event), Outcome::Done);
    pass(&mut network, 6 * DAY_MS);
    assert!(account(&network, &who).is_some());
    network.run_after(DAY_MS, Vec::new());
    assert_eq!(account(&network, &who), None);
}

/// Broken by: a lapse judged by anchor time, which an outage moves while nobody can show life.
#[test]
fn an_outage_takes_no_row() {
    let step = Millis(PERIOD_MS);
    let mut network = with(Params { clock_step_ms_max: step, epoch_ms: step, ..params() });
    let who = Person::new(NEWCOMER);
    let event = stamped(&mut network, &who);
    assert_eq!(network.outcome(event), Outcome::Done);
    for _ in 0..3 {
        network.run_after(8 * DAY_MS, Vec::new());
        assert!(account(&network, &who).is_some());
    }
    let event = stamped(&mut network, &who);
    assert_eq!(network.outcome(event), Outcome::Done, "its key is good after the outage");
}

/// Broken by: a lapse that asks for the balance instead of whether there ever was one; then
/// the nonces of events that moved money would be forgotten.
#[test]
fn who_ever_had_coins_never_lapses() {
    let mut network = network();
    let (who, rich) = (Person::new(NEWCOMER), Person::new(1));
    let event = stamped(&mut network, &who);
    assert_eq!(network.outcome(event), Outcome::Done);
    let pay = network.event(&rich, &Pay { to: who.id(), amount: Amount::from_apt(1) });
    assert_eq!(network.outcome(pay), Outcome::Done);
    for _ in 0..3 {
        pass(&mut network, 8 * DAY_MS);
    }
    let row = account(&network, &who).expect("a row");
    assert_eq!((row.balance, row.lapses), (Amount::from_apt(1), None));
    let event = stamped(&mut network, &who);
    assert_eq!(network.outcome(event), Outcome::Done);
    assert_eq!(account(&network, &who).expect("a row").lapses, None);
}

/// Broken by: a stamp that is bound to something else than the nonce on the event, or a
/// ticket that a stamped event does not use up.
#[test]
fn a_ticket_takes_a_stamp_too() {
    let mut network = network();
    let who = Person::new(NEWCOMER);
    let reserve = draft(&mut network, &who, 2);
    let event = seal(&who, &reserve, heavy(&reserve, &stamps(&network).now));
    assert_eq!(network.outcome(event), Outcome::Done);
    for (nonce, outcome) in [(2, Outcome::Done), (2, void(TICKET)), (1, Outcome::Done)] {
        let mut draft = draft(&mut network, &who, 0);
        draft.nonce = nonce;
        let event = seal(&who, &draft, heavy(&draft, &stamps(&network).now));
        assert_eq!(network.outcome(event), outcome, "ticket {nonce}");
    }
}
