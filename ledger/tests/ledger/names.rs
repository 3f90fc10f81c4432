//! Histories by name: what they hold, in which order, and what a book without them says.

use ddt_ledger::receipt::{Outcome, Subject};
use ddt_ledger::schema::List;
use ddt_ledger::store::{BookStore, Place};

use crate::support::disk::Disk;
use crate::support::naming::{CALLED, Call, Other, call, called};
use crate::support::network::{Network, Person, genesis};
use crate::support::programme::{Line, REGISTRY};

/// The programme whose names these are.
const TEST: u16 = 1;

fn history(network: &Network, name: &str) -> Vec<Place> {
    let snapshot = network.store.snapshot().expect("a snapshot");
    snapshot.named(TEST, name, None, 1_000).expect("a history")
}

fn line(text: &str) -> Line {
    Line::new(text).expect("a short text")
}

// Broken by: reading names from fields of other kinds, or not looking inside lists.
#[test]
fn every_field_of_kind_name_is_found_and_no_other() {
    let mut network = Network::new();
    let other = |name: Option<&str>| Other { name: name.map(called) };
    let others = vec![other(Some("second")), other(None), other(Some("first"))];
    let event =
        Call { others: List::new(others).expect("a list"), words: line("third"), ..call("first") };
    let event = network.event(&Person::new(1), &event);
    network.run(vec![event]);
    assert_eq!(history(&network, "first"), [(1, 0)], "once, though it is named twice");
    assert_eq!(history(&network, "second"), [(1, 0)]);
    for nothing in ["third", "firs", "first ", ""] {
        assert_eq!(history(&network, nothing), [], "{nothing:?}");
    }
    let snapshot = network.store.snapshot().expect("a snapshot");
    assert_eq!(snapshot.named(2, "first", None, 10), Ok(vec![]), "another programme's name");
}

// Broken by: leaving refusals out, or letting what is void in.
#[test]
fn a_refused_event_is_told_and_a_void_one_is_not() {
    let mut network = Network::new();
    let someone = Person::new(1);
    let refused = network.event(&someone, &Call { is_refused: true, ..call("name") });
    let poor = network.event(&Person::new(77), &call("name"));
    let receipts = network.run(vec![poor, refused.clone()]);
    assert!(matches!(receipts[0].outcome, Outcome::Void(_)), "{:?}", receipts[0]);
    assert!(matches!(receipts[1].outcome, Outcome::Refused(_)), "{:?}", receipts[1]);
    assert_eq!(history(&network, "name"), [(1, 1)]);
}

// Broken by: taking the key of every deadline for a name.
#[test]
fn a_deadline_for_a_name_is_told_and_one_for_another_row_is_not() {
    let mut network = Network::new();
    let due = |key: &str| Call { due: Some(line(key)), ..call("caller") };
    let hash_like = "0".repeat(32);
    let events = ["name", "Not-a-name", &hash_like].map(|key| {
        let event = due(key);
        network.event(&Person::new(1), &event)
    });
    network.run(events.into());
    let receipts = network.run(vec![]);
    let is_deadline = |subject: &Subject| matches!(subject, Subject::Deadline { tag: CALLED, .. });
    assert_eq!(receipts.iter().filter(|receipt| is_deadline(&receipt.subject)).count(), 3);
    let found = history(&network, "name");
    let [place] = found.as_slice() else { panic!("{found:?}") };
    let snapshot = network.store.snapshot().expect("a snapshot");
    let receipt = snapshot.receipt(*place).expect("a read").expect("a receipt");
    assert_eq!(receipt.subject, Subject::Deadline { tag: CALLED, key: b"name".to_vec() });
    assert_eq!(history(&network, "Not-a-name"), []);
    assert_eq!(history(&network, &hash_like), []);
}

// Broken by: an order by text, names that run into each other, or pages that overlap.
#[test]
fn a_history_is_newest_first_page_by_page() {
    let mut network = Network::new();
    for _ in 0..4 {
        let names = ["a", "ab", "a"];
        let events = names.map(|name| network.event(&Person::new(1), &call(name))).into();
        network.run(events);
    }
    let all: Vec<Place> = (1..=4).rev().flat_map(|height| [(height, 2), (height, 0)]).collect();
    assert_eq!(history(&network, "a"), all);
    let snapshot = network.store.snapshot().expect("a snapshot");
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = snapshot.named(TEST, "a", before, 3).expect("a page");
        let Some(last) = page.last() else { break };
        before = Some(*last);
        seen.extend(page);
    }
    assert_eq!(seen, all);
    assert_eq!(history(&network, "ab").len(), 4);
}

// Broken by: an index that is not written with its anchor.
#[test]
fn histories_outlive_the_process() {
    let disk = Disk::default();
    let mut network = Network::on(&disk);
    let event = network.event(&Person::new(1), &call("kept"));
    network.run(vec![event]);
    drop(network);
    let store = BookStore::open(disk.backend(), &genesis(), REGISTRY).expect("a book");
    assert_eq!(
        store.snapshot().expect("a snapshot").named(TEST, "kept", None, 9),
        Ok(vec![(1, 0)])
    );
}
