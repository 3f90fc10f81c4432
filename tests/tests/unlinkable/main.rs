//! Promise 5, attacked: whoever has the whole ledger still needs one slow hash a guess.
//!
//! The attacker holds every row, event and receipt of a network in which people pay each
//! other, have usernames, hand them on and renew them, and a list of 100,000 words.

mod attack;
mod town;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ddt_contracts::REGISTRY;
use ddt_contracts::usernames::{self, username_key};
use ddt_ledger::codec::encode;
use ddt_ledger::receipt::{Outcome, Subject};
use ddt_ledger::schema::Kind;
use ddt_ledger::{AccountId, Amount, ChainId, Hash};
use ddt_wallet::username::{CIPHERTEXT_BYTES, HashCost, NameKeys};

use attack::{derived, shared, windows};
use town::{SECRET_NAMES, Town, WEAK_NAMES, name};

/// Words on the attacker's list.
const WORDS: usize = 100_000;

static TOWN: LazyLock<Town> = LazyLock::new(Town::build);

/// The list: what attackers try first, and the names that people should not have taken.
fn word_list() -> Vec<String> {
    let plain = (0..WORDS - WEAK_NAMES.len()).map(|number| format!("word{number}"));
    plain.chain(WEAK_NAMES.map(str::to_string)).collect()
}

/// Broken by: a row's key made by a fast hash (then the count says one call too few), a
/// name that stands in an event, a row that opens without its name.
#[test]
fn a_list_of_words_finds_the_names_on_it_at_one_slow_hash_each() {
    let (town, mut calls) = (&*TOWN, 0);
    let mut found = BTreeMap::new();
    for word in word_list() {
        calls += 1;
        let keys = NameKeys::of(&name(&word), town.chain, HashCost::UNSAFE_TEST).expect("memory");
        let Some(row) = town.rows.get(&username_key(&keys.row)) else { continue };
        let row: usernames::UsernameRow = ddt_ledger::codec::decode(row, 1 << 16).expect("a row");
        let record = keys.open(town.chain, row.ciphertext.as_slice()).expect("it opens");
        record.check(town.chain, &keys.row, &row.holder, None).expect("it is signed");
        found.insert(word, record.account);
    }
    let weak = town.usernames.iter().filter(|(name, _)| WEAK_NAMES.contains(name));
    let weak: BTreeMap<String, AccountId> =
        weak.map(|(name, account)| (name.to_string(), *account)).collect();
    assert_eq!((found, calls), (weak, WORDS));

    // No table of hashes serves another chain, and no cost but one finds a row.
    let elsewhere = ChainId(Hash([7; 32]));
    for name in WEAK_NAMES.map(name) {
        let here = NameKeys::of(&name, town.chain, HashCost::UNSAFE_TEST).expect("memory").row;
        let there = NameKeys::of(&name, elsewhere, HashCost::UNSAFE_TEST).expect("memory").row;
        assert_ne!(here, there);
    }
    assert!(HashCost::PRODUCTION.memory_kib() >= 256 * 1024);
}

/// Broken by: the account's owner key as a field of the claim, an owner key that signs a
/// username's event, a record left unsealed, a nonce, salt or one-time key that is computed
/// from the account instead of the wallet's secret, a fee that the account pays.
#[test]
fn nothing_of_an_account_stands_in_anything_of_a_username() {
    let town = &*TOWN;
    let known = town.known_of_accounts();
    let mut marks = BTreeSet::new();
    for text in &known {
        marks.extend(windows(text));
        for hash in derived(text) {
            marks.extend(windows(&hash.0));
        }
    }
    let public = town.of_usernames();
    assert!(public.len() > 40 && marks.len() > 1_000, "the town is empty");
    for bytes in &public {
        let met = windows(bytes).find(|window| marks.contains(window));
        assert_eq!(met, None, "16 bytes of an account in {}", hex::encode(bytes));
    }
    for name in SECRET_NAMES.iter().chain(&WEAK_NAMES) {
        let letters = name.as_bytes();
        let is_in = |bytes: &Vec<u8>| bytes.windows(letters.len()).any(|part| part == letters);
        assert!(!public.iter().any(is_in), "a name stands in the ledger");
    }
}

/// Broken by: a ciphertext as long as what is in it, an address that makes the record longer,
/// a stamp that may be left out.
#[test]
fn all_rows_and_all_events_of_a_kind_have_one_length() {
    let town = &*TOWN;
    assert_eq!(CIPHERTEXT_BYTES, usernames::CIPHERTEXT_BYTES);
    let rows = town.username_rows();
    assert_eq!(rows.len(), town.usernames.len());
    let lengths: BTreeSet<usize> = rows.iter().map(|(_, row)| encode(row).len()).collect();
    assert_eq!(lengths.len(), 1, "{lengths:?}");
    let mut by_tag: BTreeMap<u16, BTreeSet<usize>> = BTreeMap::new();
    for event in town.username_events() {
        by_tag.entry(event.draft().tag).or_default().insert(event.bytes().len());
    }
    assert_eq!(by_tag.keys().copied().collect::<Vec<_>>(), [501, 502, 503, 504, 505]);
    assert!(by_tag.values().all(|lengths| lengths.len() == 1), "{by_tag:?}");
}

/// Broken by: one one-time key for all usernames of a wallet, a one-time account that is
/// paid, or that pays.
#[test]
fn a_one_time_key_does_nothing_else() {
    let town = &*TOWN;
    let authors: BTreeSet<AccountId> =
        town.username_events().map(|event| event.draft().author).collect();
    let mut rows_of: BTreeMap<AccountId, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for event in &town.events {
        let draft = event.draft();
        let is_username = (501..=505).contains(&draft.tag);
        assert_eq!(authors.contains(&draft.author), is_username, "tag {}", draft.tag);
        // All but the commit name the row first.
        if is_username && draft.tag != 501 {
            let row = draft.body.as_slice()[..32].to_vec();
            rows_of.entry(draft.author).or_default().insert(row);
        }
    }
    assert!(rows_of.values().all(|rows| rows.len() == 1), "a key with two usernames");
    for receipt in &town.receipts {
        let Subject::Event(place) = &receipt.subject else { continue };
        if (501..=505).contains(&place.tag) {
            let (fee, moved) = (receipt.fee, receipt.postings.len());
            assert_eq!((&receipt.outcome, fee, moved), (&Outcome::Done, Amount::ZERO, 0));
        }
    }
    for author in authors {
        assert_eq!(town.balance(&author), Some(Amount::ZERO), "it opened by its stamp alone");
    }
}

/// Broken by: anything of the wallet or the account that goes into two usernames alike: an
/// owner key, a salt or nonce without the row in it, one one-time key.
#[test]
fn two_usernames_of_one_account_are_like_those_of_two() {
    let town = &*TOWN;
    let [twin, other] = town.twins;
    let strangers: BTreeSet<[u8; 16]> = town
        .usernames
        .iter()
        .filter(|(name, account)| ![twin, other].contains(name) && *account != town.of(twin))
        .flat_map(|(stranger, _)| shared(&town.bytes_of(twin), &town.bytes_of(stranger)))
        .collect();
    let alike = shared(&town.bytes_of(twin), &town.bytes_of(other));
    assert_eq!(town.of(twin), town.of(other));
    assert!(!strangers.is_empty(), "at least the chain stands in every event");
    let only: Vec<String> = alike.difference(&strangers).map(hex::encode).collect();
    assert!(only.is_empty(), "what only the two share links them: {only:?}");
}

/// Broken by: an index over usernames, or a view that answers with rows to whoever does not
/// know one.
#[test]
fn no_view_and_no_index_lists_usernames() {
    let programme = &usernames::PROGRAMME;
    assert!(programme.tables.iter().all(|table| table.indexes.is_empty()));
    for view in REGISTRY.views() {
        let gives = |name: &str| view.row.iter().any(|field| field.name == name);
        let asks_for_row = view.query.iter().any(|f| f.name == "row" && f.kind == Kind::Hash);
        let is_ours = view.name.starts_with("usernames.");
        if is_ours && (gives("row") || gives("ciphertext") || gives("holder")) {
            assert!(asks_for_row, "{} lists rows", view.name);
        }
    }
}
