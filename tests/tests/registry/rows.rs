//! What every row of the registry keeps to.

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::REGISTRY;
use ddt_ledger::Refusal;
use ddt_ledger::refusal::CODE_BYTES_MAX;
use ddt_ledger::registry::ledger_refusals;
use ddt_ledger::schema::{FieldInfo, fill_words};

/// Fails with the items that stand there more than once.
#[track_caller]
fn assert_once<T: Ord + Copy + std::fmt::Debug>(items: impl Iterator<Item = T>) {
    let mut seen = BTreeSet::new();
    let repeated: Vec<T> = items.filter(|item| !seen.insert(*item)).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
}

/// Broken by: a row copied without a new number; then old bytes would mean something else.
#[test]
fn numbers_and_names_stand_once() {
    let programmes = || REGISTRY.programmes.iter();
    assert_once(programmes().map(|programme| programme.id));
    assert_once(programmes().map(|programme| programme.name));
    assert_once(REGISTRY.rows().map(|row| row.tag));
    assert_once(REGISTRY.rows().map(|row| row.name));
    assert_once(REGISTRY.views().map(|view| view.name));
    assert_once(REGISTRY.tables().map(|table| table.id));
    assert_once(REGISTRY.tables().map(|table| table.name));
    let indexes = REGISTRY.tables().flat_map(|table| table.indexes);
    assert_once(indexes.map(|index| index.id));
    let deadlines = || programmes().flat_map(|programme| programme.deadlines);
    assert_once(deadlines().map(|deadline| deadline.tag));
    assert_once(deadlines().map(|deadline| deadline.name));
    for row in REGISTRY.rows() {
        assert_once(row.fields.iter().map(|field| field.name));
        assert_eq!(REGISTRY.row(row.tag).map(|found| found.name), Some(row.name));
        assert_eq!(REGISTRY.row_named(row.name).map(|found| found.tag), Some(row.tag));
    }
}

/// Broken by: an event in another programme's room.
#[test]
fn names_start_with_their_programme() {
    for programme in REGISTRY.programmes {
        let events = programme.rows.iter().map(|row| row.name);
        let views = programme.views.iter().map(|view| view.name);
        let tables = programme.tables.iter().map(|table| table.name);
        let deadlines = programme.deadlines.iter().map(|deadline| deadline.name);
        for name in events.chain(views).chain(tables).chain(deadlines) {
            let own = name.split_once('.').filter(|(owner, _)| *owner == programme.name);
            let own = own.unwrap_or_else(|| panic!("{name} is not of {}", programme.name));
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
            assert!(!own.1.is_empty() && own.1.bytes().all(plain), "{name}");
        }
        assert!(programme.purpose.ends_with('.'), "{}", programme.name);
    }
}

/// Broken by: a renamed field; then the signer would read `{to}` and not who is paid.
#[test]
fn words_say_every_value_they_promise() {
    for row in REGISTRY.rows() {
        for place in row.words.split('{').skip(1) {
            let (name, _) = place.split_once('}').expect("a place closes");
            assert!(row.fields.iter().any(|field| field.name == name), "{}: {name}", row.name);
        }
        let sample = crate::vectors::sample(row.fields, 1);
        let words = fill_words(row.words, &sample);
        assert!(!words.contains(['{', '}']) && !words.is_empty(), "{words}");
    }
}

/// Broken by: a field that nobody explained.
#[test]
fn every_field_is_explained() {
    let views = REGISTRY
        .views()
        .flat_map(|view| view.query.iter().chain(view.row).map(|field| (view.name, field)));
    let events = REGISTRY.rows().flat_map(|row| row.fields.iter().map(|field| (row.name, field)));
    for (name, field) in events.chain(views) {
        let FieldInfo { name: field, doc, .. } = field;
        assert!(doc.trim().ends_with('.'), "{name}: {field} has no sentence");
    }
    for view in REGISTRY.views() {
        assert!(view.doc.ends_with('.'), "{}", view.name);
    }
}

/// Broken by: two rules with one code; then nobody could tell which one said no.
#[test]
fn a_code_has_one_sentence() {
    let mut words: BTreeMap<&str, &str> = BTreeMap::new();
    let declared = REGISTRY.rows().flat_map(|row| row.refusals.iter().copied());
    for Refusal { code, words: sentence } in declared.chain(ledger_refusals()) {
        let first = *words.entry(code).or_insert(sentence);
        assert_eq!(first, sentence, "{code}");
        assert!(sentence.ends_with('.') && code.len() <= CODE_BYTES_MAX, "{code}");
        let plain = |b: u8| b.is_ascii_lowercase() || b == b'_' || b == b'.';
        assert!(code.bytes().all(plain) && code.split('.').count() == 2, "{code}");
    }
    assert!(words.len() > 30, "the refusals were not found");
}
