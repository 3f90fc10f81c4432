//! Secondary indexes: kept with every anchor, they are what the rows say.

use ddt_ledger::receipt::Outcome;
use ddt_ledger::table::{Rows, index_prefix};
use ddt_ledger::view::{NOT_FOUND, Page};
use ddt_ledger::{Hash, schema::Value};
use proptest::prelude::*;

use crate::support::network::{Network, Person};
use crate::support::programme::{BY_TEXT, BY_TEXT_ALONE, Line, NOTES, REGISTRY, Write};

fn entries(network: &Network, index: u16) -> Vec<(Vec<u8>, Vec<u8>)> {
    let snapshot = network.store.snapshot().expect("a snapshot");
    snapshot.index_after(&index_prefix(index), &[], 10_000)
}

fn note(network: &mut Network, key: u8, text: Option<&str>) -> Vec<u8> {
    let text = text.map(|text| Line::new(text).expect("a short text"));
    network.event(&Person::new(1), &Write { key: Hash([key; 32]), text })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None,
        ..ProptestConfig::default() })]

    /// Broken by: an entry that outlives its row, or a row without its entry.
    #[test]
    fn kept_indexes_equal_recomputed_ones(
        history in proptest::collection::vec(
            proptest::collection::vec((0u8..6, proptest::option::of("[ab]{0,2}")), 0..8), 1..6)
    ) {
        let mut network = Network::new();
        for batch in history {
            let events = batch.iter().map(|(key, text)| note(&mut network, *key, text.as_deref()));
            let events = events.collect();
            network.run(events);
            let rows = NOTES.scan(&network.store.snapshot().expect("a snapshot"), None, 100);
            let kept = entries(&network, BY_TEXT);
            prop_assert_eq!(kept.len(), rows.len());
            for (_, row) in &kept {
                prop_assert!(network.rows().contains_key(row));
            }
            network.store.reindex().expect("an index");
            prop_assert_eq!(entries(&network, BY_TEXT), kept);
        }
    }
}

/// Broken by: removing old entries after new ones were written: an entry that moves to
/// another row in one anchor would be lost.
#[test]
fn an_entry_may_move_from_one_row_to_another() {
    for (from, to) in [(1, 2), (2, 1)] {
        let mut network = Network::new();
        let first = note(&mut network, from, Some("here"));
        network.run(vec![first]);
        let (gone, there) = (note(&mut network, from, None), note(&mut network, to, Some("here")));
        let receipts = network.run(vec![gone, there]);
        assert!(receipts[..2].iter().all(|receipt| receipt.outcome == Outcome::Done));
        let kept = entries(&network, BY_TEXT_ALONE);
        assert_eq!(network.store.reindex().expect("an index"), 2);
        assert_eq!(kept, entries(&network, BY_TEXT_ALONE), "from {from} to {to}");
        assert_eq!(kept[0].1, NOTES.full_key(&Hash([to; 32])));
    }
}

/// Broken by: a view that reads another state than the snapshot's.
#[test]
fn views_read_the_snapshot() {
    let mut network = Network::new();
    let event = note(&mut network, 7, Some("hello"));
    let old = network.store.snapshot().expect("a snapshot");
    network.run(vec![event]);
    let new = network.store.snapshot().expect("a snapshot");
    let view = REGISTRY.view("test.note").expect("a view");
    let query = [("key".to_string(), Value::Hash(Hash([7; 32])))].into();
    let cx = ddt_ledger::admit::context_at(&new, &network.head());
    let found = (view.run)(&query, &cx, &new, &Page::first(1)).expect("a row");
    assert_eq!(found.rows, [vec![("text", Value::Text("hello".to_string()))]]);
    let missing = (view.run)(&query, &cx, &old, &Page::first(1)).expect_err("no row yet");
    assert_eq!(missing.refusal, NOT_FOUND);
    let wrong = (view.run)(&Default::default(), &cx, &new, &Page::first(1)).expect_err("no key");
    assert_eq!(wrong.field, "key");
    assert_eq!((view.proof_key)(&query), Ok(Some(NOTES.full_key(&Hash([7; 32])))));
}
