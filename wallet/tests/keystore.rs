//! Wallets in their files: made, listed, opened, watching, and telling no secret.

use std::fs;
use std::path::PathBuf;

use ddt_ledger::{AccountId, Hash};
use ddt_wallet::keystore::ACCOUNTS_MAX;
use ddt_wallet::mnemonic::TEST_WORDS;
use ddt_wallet::{KdfCost, Keystore, KeystoreError, Mnemonic, Secret, Seed, WordCount};
use tempfile::TempDir;
use zeroize::Zeroizing;

const FAST: KdfCost = KdfCost::UNSAFE_TEST;

struct Place {
    root: TempDir,
    keystore: Keystore,
}

impl Place {
    fn new() -> Place {
        let root = tempfile::tempdir().unwrap();
        let keystore = Keystore::open_dir(&root.path().join("keystore")).unwrap();
        Place { root, keystore }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join("keystore").join(format!("{name}.json"))
    }
}

fn raw(byte: u8) -> Secret {
    Secret::Seed(Zeroizing::new([byte; 32]))
}

/// Breaks when: the secret is not the one sealed, or the accounts are not its own.
#[test]
fn a_wallet_comes_back_with_its_secret_and_accounts() {
    let place = Place::new();
    for (name, count) in [("a", WordCount::Twelve), ("b", WordCount::TwentyFour)] {
        let words = Mnemonic::generate(count).unwrap();
        let phrase = words.phrase();
        let entry = place.keystore.create(name, &Secret::Words(words), "pässword", FAST).unwrap();
        let unlocked = place.keystore.unlock(name, "pässword").unwrap();
        let Secret::Words(back) = unlocked.secret() else { panic!("words became a seed") };
        assert_eq!(*back.phrase(), *phrase);
        assert_eq!(unlocked.keys().len(), 1);
        assert_eq!(entry.accounts, [unlocked.keys()[0].account()]);
        let signature = unlocked.keys()[0].sign(&Hash([9; 32]));
        assert!(entry.keys[0].verifies(&Hash([9; 32]), &signature));
        // The same password typed on a keyboard that combines the dots with the letter.
        assert!(place.keystore.unlock(name, "pa\u{308}ssword").is_ok());
    }
    place.keystore.create("seed", &raw(7), "p", FAST).unwrap();
    let unlocked = place.keystore.unlock("seed", "p").unwrap();
    let key = Seed::from_bytes(&[7; 32]).owner_key(0).unwrap();
    assert_eq!(unlocked.key_of(&key.account()).unwrap().public(), key.public());
    assert_eq!(unlocked.seed().salt("bob", 1), Seed::from_bytes(&[7; 32]).salt("bob", 1));
    assert!(unlocked.key_of(&AccountId([0; 32])).is_none());
}

/// Breaks when: libsodium and we disagree on one byte of version 1.
#[test]
fn the_golden_file_opens() {
    let place = Place::new();
    let path = place.file("keystore-v1");
    fs::write(&path, include_str!("../../tests/vectors/keystore-v1.json")).unwrap();
    close(&path, 0o600);
    let unlocked = place.keystore.unlock("keystore-v1", "correct horse battery staple").unwrap();
    let Secret::Words(words) = unlocked.secret() else { panic!("words became a seed") };
    assert_eq!(*words.phrase(), TEST_WORDS);
    assert_eq!(unlocked.keys().len(), 2);
    let entry = &place.keystore.list().unwrap().entries[0];
    let accounts: Vec<_> = unlocked.keys().iter().map(|key| key.account()).collect();
    assert_eq!(entry.accounts, accounts);
    assert!(unlocked.unsafe_test() && entry.unsafe_test);
}

/// Breaks when: listing needs a password, is not sorted, or stops at the first bad file.
#[test]
fn a_list_shows_every_wallet_and_every_problem() {
    let place = Place::new();
    assert!(place.keystore.list().unwrap().entries.is_empty());
    let bob = place.keystore.create("bob", &raw(1), "p", FAST).unwrap();
    let alice = place.keystore.create("alice", &raw(2), "p", FAST).unwrap();
    let seen = place.keystore.add_watch_only("zoe", alice.accounts[0]).unwrap();
    fs::write(place.file("broken"), "{").unwrap();
    close(&place.file("broken"), 0o600);
    fs::write(place.file(".new-left"), "half a file of a crash").unwrap();
    fs::write(place.root.path().join("keystore/notes.txt"), "not a wallet").unwrap();
    let listing = place.keystore.list().unwrap();
    assert_eq!(listing.entries, [alice, bob, seen]);
    assert_eq!(listing.problems.len(), 1);
    assert!(listing.problems[0].to_string().contains("broken.json is damaged"));
}

/// Breaks when: a test wallet does not say that it is one, or a real one says so.
#[test]
fn wallets_for_tests_say_so() {
    let place = Place::new();
    let public = || Secret::Words(Mnemonic::parse(TEST_WORDS).unwrap());
    assert!(place.keystore.create("fast", &raw(1), "p", FAST).unwrap().unsafe_test);
    assert!(place.keystore.create("known", &public(), "p", KdfCost::DEFAULT).unwrap().unsafe_test);
    assert!(!place.keystore.create("real", &raw(1), "p", KdfCost::default()).unwrap().unsafe_test);
    assert!(!place.keystore.unlock("real", "p").unwrap().unsafe_test());
}

/// Breaks when: the number of accounts has no limit, or the limit no longer fits a file.
#[test]
fn a_wallet_has_a_limited_number_of_accounts() {
    let place = Place::new();
    place.keystore.create("alice", &raw(1), "p", FAST).unwrap();
    for _ in 1..ACCOUNTS_MAX {
        place.keystore.add_account("alice", "p").unwrap();
    }
    let full = place.keystore.add_account("alice", "p").unwrap_err();
    assert!(matches!(full, KeystoreError::AccountsFull { .. }), "{full}");
    assert_eq!(place.keystore.unlock("alice", "p").unwrap().keys().len(), ACCOUNTS_MAX);
}

/// Breaks when: a watch-only wallet is taken for one with a key.
#[test]
fn a_watching_wallet_shows_and_does_not_sign() {
    let place = Place::new();
    let account = AccountId([3; 32]);
    let entry = place.keystore.add_watch_only("eye", account).unwrap();
    assert!(entry.watch_only && entry.keys.is_empty());
    assert_eq!(entry.accounts, [account]);
    let errors = [
        place.keystore.unlock("eye", "p").map(|_| ()).unwrap_err(),
        place.keystore.add_account("eye", "p").map(|_| ()).unwrap_err(),
        place.keystore.change_password("eye", "p", "q", FAST).map(|_| ()).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, KeystoreError::WatchOnly { .. }), "{error}");
    }
}

/// Breaks when: a name can leave the folder, hide, or be two on another system.
#[test]
fn names_are_plain() {
    let place = Place::new();
    let longest = "a".repeat(32);
    for name in ["a", "z9_-", longest.as_str()] {
        place.keystore.create(name, &raw(1), "p", FAST).unwrap();
    }
    let too_long = "a".repeat(33);
    let bad = ["", ".", "..", "../a", "a/b", "a.b", "Alice", "é", "a b", "a\0", too_long.as_str()];
    for name in bad {
        let errors = [
            place.keystore.create(name, &raw(1), "p", FAST).map(|_| ()).unwrap_err(),
            place.keystore.unlock(name, "p").map(|_| ()).unwrap_err(),
            place.keystore.add_watch_only(name, AccountId([1; 32])).map(|_| ()).unwrap_err(),
            place.keystore.add_account(name, "p").map(|_| ()).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| matches!(error, KeystoreError::Name(_))), "{name:?}");
    }
    let missing = place.keystore.unlock("nobody", "p").unwrap_err();
    assert!(matches!(missing, KeystoreError::Missing { .. }));
    let empty = place.keystore.create("empty", &raw(1), "", FAST).unwrap_err();
    assert!(matches!(empty, KeystoreError::EmptyPassword));
}

/// Breaks when: `Debug` is derived on something that holds a secret.
#[test]
fn debug_texts_and_files_hold_no_secret() {
    let place = Place::new();
    let secret = raw(0xAB);
    place.keystore.create("alice", &secret, "hunter2", FAST).unwrap();
    let unlocked = place.keystore.unlock("alice", "hunter2").unwrap();
    let error = place.keystore.unlock("alice", "hunter3").unwrap_err();
    let file = fs::read_to_string(place.file("alice")).unwrap();
    let texts = [
        format!("{secret:?}"),
        format!("{unlocked:?} {:?}", unlocked.secret()),
        format!("{error:?} {error}"),
        file,
    ];
    for text in texts {
        for needle in ["hunter", "abababab", "171, 171"] {
            assert!(!text.contains(needle), "{text}");
        }
    }
}

#[cfg(unix)]
fn close(path: &PathBuf, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn close(_: &PathBuf, _: u32) {}
