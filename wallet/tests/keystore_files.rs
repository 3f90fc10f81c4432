//! Wallets' files on the disk: whole or not there, one writer at a time, for their owner alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ddt_ledger::AccountId;
use ddt_wallet::keystore::MEMORY_KIB_MAX;
use ddt_wallet::{KdfCost, Keystore, KeystoreError, Secret, Seed};
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

/// Breaks when: a write replaces what is there.
#[test]
fn no_wallet_is_overwritten() {
    let place = Place::new();
    place.keystore.create("alice", &raw(1), "p", FAST).unwrap();
    let before = fs::read(place.file("alice")).unwrap();
    let again = place.keystore.create("alice", &raw(2), "q", FAST).unwrap_err();
    assert!(matches!(again, KeystoreError::Exists { .. }), "{again}");
    let watch = place.keystore.add_watch_only("alice", AccountId([1; 32])).unwrap_err();
    assert!(matches!(watch, KeystoreError::Exists { .. }), "{watch}");
    assert_eq!(fs::read(place.file("alice")).unwrap(), before);
}

/// Breaks when: the check for an existing file and the write are not one step.
#[test]
fn of_many_that_create_one_name_one_wins() {
    let place = Place::new();
    let path = place.root.path().join("keystore");
    let create = |byte: u8| {
        let keystore = Keystore::open_dir(&path).unwrap();
        keystore.create("alice", &raw(byte), "p", FAST).ok()
    };
    let won: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|byte| scope.spawn(move || create(byte))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(won.len(), 1);
    assert_eq!(place.keystore.list().unwrap().entries, won);
    assert!(place.keystore.unlock("alice", "p").is_ok());
}

/// Breaks when: writers do not wait for each other (an account would be lost).
#[test]
fn accounts_added_at_once_are_all_kept() {
    let place = Place::new();
    place.keystore.create("alice", &raw(1), "p", FAST).unwrap();
    let path = place.root.path().join("keystore");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Keystore::open_dir(&path).unwrap().add_account("alice", "p").unwrap());
        }
    });
    let unlocked = place.keystore.unlock("alice", "p").unwrap();
    assert_eq!(unlocked.keys().len(), 5);
    let seed = Seed::from_bytes(&[1; 32]);
    for (index, key) in (0..).zip(unlocked.keys()) {
        assert_eq!(key.public(), seed.owner_key(index).unwrap().public());
    }
}

/// Breaks when: the file is written in place, or salt and nonce are used again.
#[test]
fn a_changed_password_seals_anew_and_leaves_the_old_file_whole() {
    let place = Place::new();
    let path = place.file("alice");
    let entry = place.keystore.create("alice", &raw(1), "old", FAST).unwrap();
    let backup = place.root.path().join("backup");
    fs::hard_link(&path, &backup).unwrap();
    let before = fs::read(&path).unwrap();
    let cost = KdfCost { memory_kib: 128, passes: 2, lanes: 2 };
    let changed = place.keystore.change_password("alice", "old", "new", cost).unwrap();
    assert_eq!(changed, entry);
    // The backup is another name of the old file: an in-place write would show in it.
    assert_eq!(fs::read(&backup).unwrap(), before);
    let old = place.keystore.unlock("alice", "old").unwrap_err();
    assert!(matches!(old, KeystoreError::DoesNotOpen { .. }), "{old}");
    assert_eq!(place.keystore.unlock("alice", "new").unwrap().keys()[0].public(), entry.keys[0]);
    let field = |text: &[u8], name: &str| {
        let json: serde_json::Value = serde_json::from_slice(text).unwrap();
        json["header"][name].as_str().unwrap().to_owned()
    };
    let after = fs::read(&path).unwrap();
    for name in ["salt", "nonce"] {
        assert_ne!(field(&before, name), field(&after, name));
    }
    let names: BTreeSet<_> = fs::read_dir(place.root.path().join("keystore"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, BTreeSet::from([".lock".to_owned(), "alice.json".to_owned()]));
}

/// Breaks when: a refused change touches the file.
#[test]
fn refused_changes_leave_the_file_as_it_was() {
    let place = Place::new();
    place.keystore.create("alice", &raw(1), "p", FAST).unwrap();
    let before = fs::read(place.file("alice")).unwrap();
    let huge = KdfCost { memory_kib: MEMORY_KIB_MAX + 1, ..FAST };
    let change = |old: &str, new: &str, cost| {
        place.keystore.change_password("alice", old, new, cost).unwrap_err()
    };
    assert!(matches!(change("wrong", "new", FAST), KeystoreError::DoesNotOpen { .. }));
    assert!(matches!(change("p", "", FAST), KeystoreError::EmptyPassword));
    assert!(matches!(change("p", "new", huge), KeystoreError::Cost(_)));
    let add = place.keystore.add_account("alice", "wrong").unwrap_err();
    assert!(matches!(add, KeystoreError::DoesNotOpen { .. }));
    assert_eq!(fs::read(place.file("alice")).unwrap(), before);
}

/// Breaks when: a file or folder is made for others too, or one that is open to them is used.
#[cfg(unix)]
#[test]
fn others_on_the_machine_are_kept_out() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let (folder, file) = (place.root.path().join("keystore"), place.file("alice"));
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    place.keystore.create("alice", &raw(1), "p", FAST).unwrap();
    place.keystore.change_password("alice", "p", "q", FAST).unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    for open in [0o640, 0o604, 0o660, 0o644] {
        close(&file, open);
        let error = place.keystore.unlock("alice", "q").unwrap_err();
        assert!(matches!(error, KeystoreError::TooOpen { .. }));
        assert!(error.to_string().contains("chmod 600 "), "{error}");
        assert!(place.keystore.list().unwrap().entries.is_empty());
    }
    close(&file, 0o600);
    for open in [0o755, 0o750, 0o701] {
        close(&folder, open);
        let error = Keystore::open_dir(&folder).unwrap_err();
        assert!(error.to_string().contains("chmod 700 "), "{error}");
    }
    close(&folder, 0o700);
    assert!(Keystore::open_dir(&folder).unwrap().unlock("alice", "q").is_ok());
}

/// Breaks when: a fault of the disk is a panic, or something else is opened as a file.
#[cfg(unix)]
#[test]
fn faults_are_errors_that_name_the_path() {
    let place = Place::new();
    place.keystore.create("alice", &raw(1), "p", FAST).unwrap();
    std::os::unix::fs::symlink(place.file("alice"), place.file("link")).unwrap();
    fs::create_dir(place.file("folder")).unwrap();
    for name in ["link", "folder"] {
        let error = place.keystore.unlock(name, "p").unwrap_err();
        assert!(matches!(error, KeystoreError::WrongKind { .. }), "{error}");
        let error = place.keystore.create(name, &raw(1), "p", FAST).unwrap_err();
        assert!(matches!(error, KeystoreError::Exists { .. }), "{error}");
    }
    let error = Keystore::open_dir(&place.file("alice")).unwrap_err();
    assert!(error.to_string().contains("alice.json"), "{error}");
    fs::remove_dir_all(place.root.path().join("keystore")).unwrap();
    let gone = place.keystore.create("bob", &raw(1), "p", FAST).unwrap_err();
    assert!(matches!(gone, KeystoreError::Io { .. }), "{gone}");
    assert!(matches!(place.keystore.list(), Err(KeystoreError::Io { .. })));
}

#[cfg(unix)]
fn close(path: &PathBuf, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn close(_: &PathBuf, _: u32) {}
