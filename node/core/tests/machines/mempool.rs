//! The mempool: refusals, order, limits.

use ddt_core::mempool::{Dropped, Inserted, Mempool, MempoolLimits, Room};
use ddt_ledger::event::Checked;
use ddt_ledger::{Hash, Millis, Refusal};
use proptest::prelude::*;

use crate::fixture::{LIMITS, REGISTRY, START, Sample, event, note};

const ALL: Room = Room { bytes_max: usize::MAX, events_max: usize::MAX, work_max: u64::MAX };

fn mempool(events_max: usize, bytes_max: usize, per_author_max: usize) -> Mempool {
    Mempool::new(MempoolLimits { events_max, bytes_max, per_author_max, ..LIMITS }, REGISTRY)
}

fn ids(events: &[Checked]) -> Vec<Hash> {
    events.iter().map(Checked::id).collect()
}

fn codes(dropped: &[Dropped]) -> Vec<(Hash, &'static str)> {
    dropped.iter().map(|dropped| (dropped.event.id(), dropped.refusal.code)).collect()
}

fn until(author: u8, nonce: u64, valid_until: u64) -> Checked {
    let valid_until = START.plus(Millis(valid_until));
    event(Sample { author, nonce, valid_until, is_toil: false, bytes: 1 })
}

fn code(result: Result<Inserted, Refusal>) -> &'static str {
    result.expect_err("a refusal").code
}

#[test]
fn each_refusal_is_given_and_changes_nothing() {
    let mut pool = mempool(3, 10_000, 2);
    let events = [note(1, 1), note(1, 2), note(2, 1)];
    for event in &events {
        assert_eq!(pool.insert(event.clone(), 3, START), Ok(Inserted::New { dropped: vec![] }));
    }
    let other =
        Sample { author: 1, nonce: 1, valid_until: START.plus(Millis(5)), is_toil: true, bytes: 9 };
    let bytes = pool.bytes();
    assert_eq!(code(pool.insert(event(other), 7, START)), "mempool.nonce_waiting");
    assert_eq!(code(pool.insert(note(1, 3), 7, START)), "mempool.author_limit");
    // Mutation: evicting the same class, so that a flood turns the queue over for ever.
    assert_eq!(code(pool.insert(note(3, 1), 3, START)), "mempool.full");
    assert_eq!(code(pool.insert(until(4, 1, 0), 7, START)), "event.expired");
    assert_eq!(pool.insert(events[0].clone(), 7, START), Ok(Inserted::Known));
    assert_eq!((pool.len(), pool.bytes(), pool.work()), (3, bytes, 3));
    assert_eq!(ids(&pool.take(ALL, START).events), ids(&events));
}

/// Broken by: limits for what was promised already, or a place behind others.
#[test]
fn what_was_promised_finds_room_before_all_others() {
    let mut pool = mempool(1, 10_000, 1);
    let (waiting, promised) = (note(1, 1), [note(1, 2), note(1, 3)]);
    pool.insert(waiting.clone(), 7, START).expect("room");
    let again = until(1, 1, 9_000);
    assert_eq!(pool.put_back(again, START).expect_err("a refusal").code, "mempool.nonce_waiting");
    assert_eq!(pool.put_back(until(2, 1, 0), START).expect_err("a refusal").code, "event.expired");
    pool.remove(&waiting.id());
    pool.insert(waiting.clone(), 6, START).expect("room");
    for event in promised.iter().chain(&promised) {
        pool.put_back(event.clone(), START).expect("room");
    }
    assert_eq!(ids(&pool.take(ALL, START).events), ids(&[&promised[..], &[waiting]].concat()));
}

#[test]
fn a_removed_event_frees_its_place_its_nonce_and_its_bytes() {
    let mut pool = mempool(1, 10_000, 1);
    let first = note(1, 1);
    pool.insert(first.clone(), 0, START).expect("room");
    assert_eq!(pool.remove(&first.id()), Some(first.clone()));
    assert_eq!(pool.remove(&first.id()), None);
    // Mutation: forgetting to give back any one of them.
    assert_eq!((pool.len(), pool.bytes(), pool.work()), (0, 0, 0));
    assert_eq!(pool.insert(first, 0, START), Ok(Inserted::New { dropped: vec![] }));
}

#[test]
fn a_higher_class_takes_the_place_of_the_lowest_class_s_newest() {
    let mut pool = mempool(3, 10_000, 32);
    let (low_old, low_new, high) = (note(1, 1), note(2, 1), note(3, 1));
    for (event, class) in [(&high, 5), (&low_old, 1), (&low_new, 1)] {
        pool.insert(event.clone(), class, START).expect("room");
    }
    let Ok(Inserted::New { dropped }) = pool.insert(note(4, 1), 2, START) else { panic!("room") };
    // Mutation: evicting the oldest punishes who waited longest.
    assert_eq!(codes(&dropped), [(low_new.id(), "mempool.full")]);
    let order = [high.id(), note(4, 1).id(), low_old.id()];
    assert_eq!(ids(&pool.take(ALL, START).events), order);
}

#[test]
fn nothing_is_evicted_when_that_would_not_make_room() {
    let size = note(1, 1).bytes().len() + 4;
    let mut pool = mempool(10, 2 * size, 32);
    pool.insert(note(1, 1), 0, START).expect("room");
    pool.insert(note(2, 1), 5, START).expect("room");
    let valid_until = START.plus(Millis(9_999));
    let large = event(Sample { author: 3, nonce: 1, valid_until, is_toil: false, bytes: size + 2 });
    // Mutation: evicting while looking for room loses the first note for nothing.
    assert_eq!(code(pool.insert(large, 4, START)), "mempool.full");
    assert_eq!(pool.len(), 2);
}

#[test]
fn expired_events_leave_first_and_are_told() {
    let mut pool = mempool(2, 10_000, 32);
    let (short, long) = (until(1, 1, 50), until(2, 1, 500));
    pool.insert(short.clone(), 7, START).expect("room");
    pool.insert(long.clone(), 0, START).expect("room");
    let later = START.plus(Millis(50));
    let Ok(Inserted::New { dropped }) = pool.insert(note(3, 1), 0, later) else { panic!("room") };
    assert_eq!(codes(&dropped), [(short.id(), "event.expired")]);
    let taken = pool.take(ALL, START.plus(Millis(500)));
    // Mutation: sequencing an expired event makes it void, counted against the router.
    assert_eq!(ids(&taken.events), [note(3, 1).id()]);
    assert_eq!(codes(&taken.dropped), [(long.id(), "event.expired")]);
}

#[test]
fn taking_stops_at_the_first_that_does_not_fit() {
    let valid_until = START.plus(Millis(9_999));
    let sample =
        |author, is_toil, bytes| event(Sample { author, nonce: 1, valid_until, is_toil, bytes });
    let events = [sample(1, false, 1), sample(2, false, 900), sample(3, false, 1)];
    let mut pool = mempool(10, 10_000, 32);
    for event in &events {
        pool.insert(event.clone(), 0, START).expect("room");
    }
    let small = events[0].bytes().len() + 4;
    let taken = pool.take(Room { bytes_max: 2 * small, ..ALL }, START);
    // Mutation: letting small ones overtake starves large ones.
    assert_eq!(ids(&taken.events), [events[0].id()]);
    assert_eq!(ids(&pool.take(Room { events_max: 1, ..ALL }, START).events), [events[1].id()]);
    let (toil, note) = (sample(4, true, 1), events[2].clone());
    pool.insert(toil.clone(), 7, START).expect("room");
    // More work than there is room for goes alone, or it would never go.
    assert_eq!(ids(&pool.take(Room { work_max: 9, ..ALL }, START).events), [toil.id()]);
    assert_eq!(ids(&pool.take(Room { work_max: 9, ..ALL }, START).events), [note.id()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Under any flood: limits hold, the order is class then arrival, and every event that
    /// was let in is taken, dropped or still there.
    #[test]
    fn a_flood_stays_within_limits(
        flood in prop::collection::vec((0u8..4, 0u64..20, 0u8..10, 0u64..400, 0u64..20), 1..120),
    ) {
        let limits = MempoolLimits {
            events_max: 12,
            bytes_max: 2_600,
            per_author_max: 5,
            author_bytes_max: 1_000,
            lead_ms: Millis(50),
        };
        let mut pool = Mempool::new(limits, REGISTRY);
        // What should wait: (class, event), oldest first.
        let mut model: Vec<(u8, Checked)> = Vec::new();
        let mut now = START;
        for (author, nonce, class, valid, step) in flood {
            now = now.plus(Millis(step));
            let candidate = until(author, nonce, valid);
            let known = model.iter().any(|(_, waiting)| waiting.id() == candidate.id());
            match pool.insert(candidate.clone(), class, now) {
                Ok(Inserted::Known) => prop_assert!(known),
                Ok(Inserted::New { dropped }) => {
                    prop_assert!(!known);
                    for gone in dropped {
                        let at = model.iter().position(|(_, e)| *e == gone.event);
                        let (victim, _) = model.remove(at.expect("it waited"));
                        let is_expired = gone.event.draft().valid_until <= now.plus(limits.lead_ms);
                        prop_assert!(is_expired || victim < class.min(7));
                    }
                    model.push((class.min(7), candidate));
                }
                Err(_) => prop_assert!(!known),
            }
            prop_assert!(pool.len() <= limits.events_max && pool.bytes() <= limits.bytes_max);
            let mut own = pool.waiting().map(|event| pool.signed_alike(event));
            let fits = own.all(|own| {
                own.events <= limits.per_author_max && own.bytes <= limits.author_bytes_max
            });
            prop_assert!(fits);
            let bytes: usize = model.iter().map(|(_, event)| event.bytes().len() + 4).sum();
            prop_assert_eq!((pool.len(), pool.bytes()), (model.len(), bytes));
        }
        // A stable sort keeps arrival within a class. Mutation: newest first.
        model.sort_by_key(|(class, _)| std::cmp::Reverse(*class));
        model.retain(|(_, event)| event.draft().valid_until > now.plus(limits.lead_ms));
        let expected: Vec<Hash> = model.iter().map(|(_, event)| event.id()).collect();
        prop_assert_eq!(ids(&pool.take(ALL, now).events), expected);
        prop_assert_eq!((pool.len(), pool.bytes(), pool.work()), (0, 0, 0));
    }
}
