//! Signed events in files, address books, and wallets' files from elsewhere.

use ddt_contracts::REGISTRY;
use ddt_ledger::event::Role;
use ddt_ledger::schema::Bytes;
use ddt_ledger::{AccountId, ChainId, Hash};
use ddt_wallet::address_book::{BookError, ENTRIES_MAX};
use ddt_wallet::sign::{AHEAD_MS_MAX, Occasion, sign};
use ddt_wallet::signed_file::SignedFileError;
use ddt_wallet::{
    AddressBook, KdfCost, Keystore, KeystoreError, Mnemonic, Secret, Seed, SignedFile,
};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

fn signed_file() -> SignedFile {
    let key = Seed::from_bytes(&[7; 32]).owner_key(0).unwrap();
    let chain = ChainId(Hash([5; 32]));
    let occasion = Occasion::owner(chain, key.account(), key.public(), 1_700_000_000_000_000);
    let occasion = occasion.ahead(3, 1_700_000_000_000_000, 86_400_000);
    let row = REGISTRY.row_named("bank.transfer").unwrap();
    let to = AccountId([1; 32]);
    let values = row.parse(&[&format!("to={to}"), "amount=5"]).unwrap();
    let draft = ddt_wallet::sign::draft(row, &values, occasion).unwrap();
    assert_eq!((draft.role, draft.nonce), (Role::Owner, 3));
    assert_eq!(draft.valid_until.0, 1_700_086_400_000);
    SignedFile::new(&sign(draft, &key), &REGISTRY).unwrap()
}

/// Breaks when: a file says less than, or something else than, its bytes.
#[test]
fn a_signed_event_comes_back_from_its_file() {
    let file = signed_file();
    let text = file.to_json().unwrap();
    let (read, checked) = SignedFile::check(&text, &REGISTRY).unwrap();
    assert_eq!(read, file);
    assert_eq!(checked.id(), file.event);
    assert_eq!(hex::encode(checked.bytes()), file.bytes);
    assert_eq!(file.words, format!("Pay 5 APT to {}", AccountId([1; 32])));
}

/// Breaks when: a field that people read is not compared with the bytes, or a bad signature
/// is noticed by the node alone.
#[test]
fn a_file_that_was_changed_is_not_submitted() {
    let file = signed_file();
    let good: Json = serde_json::from_str(&file.to_json().unwrap()).unwrap();
    let check = |json: &Json| SignedFile::check(&json.to_string(), &REGISTRY).map(|_| ());
    assert_eq!(check(&good), Ok(()));
    let other = AccountId([2; 32]);
    for (field, value) in [
        ("chain", json!(ChainId(Hash([6; 32])))),
        ("event", json!(Hash([6; 32]))),
        ("name", json!("bank.batch")),
        ("author", json!(other)),
        ("key", json!(Hash([6; 32]))),
        ("nonce", json!(4)),
        ("valid_until", json!(1)),
    ] {
        let mut changed = good.clone();
        changed[field] = value;
        assert_eq!(check(&changed), Err(SignedFileError::Differs(field)));
    }
    let last = if file.bytes.ends_with('0') { '1' } else { '0' };
    let mut forged = good.clone();
    forged["bytes"] = json!(format!("{}{last}", &file.bytes[..file.bytes.len() - 1]));
    let refused = check(&forged).unwrap_err();
    assert!(matches!(refused, SignedFileError::Refused(no) if no.code == "event.signature"));
    let mut newer = good.clone();
    newer["version"] = json!(2);
    newer["later"] = json!(true);
    assert_eq!(check(&newer), Err(SignedFileError::Newer(2)));
    let mut damaged: Vec<Json> =
        ["format", "bytes", "version"].map(|_| good.clone()).into_iter().collect();
    damaged[0]["format"] = json!("ddt-keystore");
    damaged[1]["bytes"] = json!("zz");
    damaged[2]["version"] = json!(0);
    damaged.push(json!([]));
    for json in &damaged {
        assert!(matches!(check(json), Err(SignedFileError::Damaged(_))), "{json}");
    }
    assert!(matches!(SignedFile::check("", &REGISTRY), Err(SignedFileError::Damaged(_))));
    let mut short = good;
    short["bytes"] = json!("01");
    assert!(matches!(check(&short), Err(SignedFileError::Refused(_))));
}

/// Breaks when: an event may be signed for longer than the ledger takes.
#[test]
fn nothing_is_signed_for_longer_than_it_can_count() {
    let key = Seed::from_bytes(&[7; 32]).owner_key(0).unwrap();
    let occasion = Occasion::owner(ChainId(Hash([5; 32])), key.account(), key.public(), 0);
    let days = |days: u64| occasion.ahead(1, 5_000_000, days * 86_400_000).valid_until.0;
    assert_eq!(days(1), 5_000 + 86_400_000);
    assert_eq!(days(7), 5_000 + AHEAD_MS_MAX);
    assert_eq!(days(700), 5_000 + AHEAD_MS_MAX);
    const { assert!(AHEAD_MS_MAX < ddt_ledger::event::VALIDITY_MS_MAX) };
}

/// Breaks when: a name changes its account by being added again, or a book grows for ever.
#[test]
fn an_address_book_keeps_what_it_is_told() {
    let mut book = AddressBook::default();
    book.add("dora", AccountId([1; 32])).unwrap();
    book.add("dora", AccountId([1; 32])).unwrap();
    let taken = book.add("dora", AccountId([2; 32])).unwrap_err();
    assert!(taken.to_string().contains("remove it first"), "{taken}");
    for name in ["", "Dora", "a/1", "apt1ü", &"a".repeat(33)] {
        assert_eq!(book.add(name, AccountId([3; 32])), Err(BookError::Name), "{name}");
    }
    assert_eq!(book.name_of(&AccountId([1; 32])), Some("dora"));
    let again = AddressBook::parse(&book.to_json().unwrap()).unwrap();
    assert_eq!(again, book);
    assert_eq!(book.remove("dora"), Ok(AccountId([1; 32])));
    assert_eq!(book.remove("dora"), Err(BookError::Missing("dora".to_string())));
    for number in 0..ENTRIES_MAX {
        book.add(&format!("n{number}"), AccountId([4; 32])).unwrap();
    }
    assert_eq!(book.add("one-more", AccountId([4; 32])), Err(BookError::Full));
    let whole = book.to_json().unwrap();
    assert!(whole.len() < 64 * 1024, "the longest book fits the file that is read");
    assert_eq!(AddressBook::parse(&whole).unwrap().entries().count(), ENTRIES_MAX);
}

/// Breaks when: a damaged book is an empty one (its names would be free for others).
#[test]
fn a_damaged_address_book_is_no_book() {
    let good = json!({ "format": "ddt-address-book", "version": 1, "entries": {} });
    let parse = |json: &Json| AddressBook::parse(&json.to_string());
    assert_eq!(parse(&good), Ok(AddressBook::default()));
    let with = |field: &str, value: Json| {
        let mut changed = good.clone();
        changed[field] = value;
        changed
    };
    assert_eq!(parse(&with("version", json!(2))), Err(BookError::Newer(2)));
    let many: serde_json::Map<String, Json> =
        (0..=ENTRIES_MAX).map(|number| (format!("n{number}"), json!(AccountId([1; 32])))).collect();
    for damaged in [
        with("version", json!(0)),
        with("format", json!("ddt-keystore")),
        with("surprise", json!(1)),
        with("entries", json!({ "Bad Name": AccountId([1; 32]) })),
        with("entries", json!({ "dora": "apt1wrong" })),
        with("entries", Json::Object(many)),
        json!(null),
    ] {
        assert!(matches!(parse(&damaged), Err(BookError::Damaged(_))), "{damaged}");
    }
    assert!(AddressBook::parse("{").is_err());
}

/// Breaks when: accounts are lost on the way, or a file is opened without its password.
#[test]
fn a_wallets_file_is_opened_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let keystore = Keystore::open_dir(&folder.path().join("keystore")).unwrap();
    let secret = Secret::Seed(Zeroizing::new([7; 32]));
    let made = keystore.create_with("alice", &secret, 3, "p", KdfCost::UNSAFE_TEST).unwrap();
    assert_eq!(made.accounts.len(), 3);
    let elsewhere = folder.path().join("some backup");
    std::fs::copy(folder.path().join("keystore/alice.json"), &elsewhere).unwrap();
    let opened = Keystore::open_file(&elsewhere, "p").unwrap();
    assert_eq!(opened.keys().len(), 3);
    assert!(matches!(opened.secret(), Secret::Seed(seed) if **seed == [7; 32]));
    let wrong = Keystore::open_file(&elsewhere, "q").unwrap_err();
    assert!(matches!(wrong, KeystoreError::DoesNotOpen { .. }), "{wrong}");
    let missing = Keystore::open_file(&folder.path().join("no"), "p").unwrap_err();
    assert!(matches!(missing, KeystoreError::Missing { .. }), "{missing}");
    for count in [0, 257, u32::MAX] {
        let error = keystore.create_with("many", &secret, count, "p", KdfCost::UNSAFE_TEST);
        assert!(matches!(error.unwrap_err(), KeystoreError::AccountCount { limit: 256 }));
    }
    keystore.remove("alice").unwrap();
    assert!(matches!(keystore.remove("alice"), Err(KeystoreError::Missing { .. })));
    assert!(matches!(keystore.remove("../alice"), Err(KeystoreError::Name(_))));
    assert!(keystore.list().unwrap().entries.is_empty());
}

/// Breaks when: places count from 0, case or white space matter, or a longer backup passes.
#[test]
fn the_first_wrong_word_is_found() {
    let words = Mnemonic::parse(ddt_wallet::mnemonic::TEST_WORDS).unwrap();
    let right = ddt_wallet::mnemonic::TEST_WORDS;
    assert_eq!(words.first_difference(right), None);
    assert_eq!(words.first_difference(&format!(" {}\n", right.to_uppercase())), None);
    for (typed, place) in [
        (right.replacen("test", "tset", 1), 1),
        (right.replace("junk", "test"), 12),
        (right.replace(" junk", ""), 12),
        (format!("{right} junk"), 13),
        (String::new(), 1),
    ] {
        assert_eq!(words.first_difference(&typed), Some(place), "{place}");
    }
}

/// Breaks when: a body's length is no longer bounded where a file is read.
#[test]
fn a_file_has_room_for_the_longest_event() {
    let longest = Bytes::<{ ddt_ledger::event::BODY_BYTES_MAX }>::new(vec![
        0;
        ddt_ledger::event::BODY_BYTES_MAX
    ]);
    assert!(longest.is_some());
    let digits = 2 * ddt_ledger::event::EVENT_BYTES_MAX as u64;
    assert!(ddt_wallet::signed_file::FILE_BYTES_MAX > 3 * digits);
}
