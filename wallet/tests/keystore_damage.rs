//! Damaged, cut, swapped and hostile wallet files: refused, or read as what was written.

use std::fs::{self, OpenOptions};
use std::io::Write;

use ddt_ledger::AccountId;
use ddt_wallet::{Entry, KdfCost, Keystore, KeystoreError, Secret};
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

const PASSWORD: &str = "p";
const TINY: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };

struct Place {
    _root: TempDir,
    keystore: Keystore,
}

impl Place {
    /// Two wallets of one password, `alice` with two accounts, and a watching one.
    fn new() -> Place {
        let root = tempfile::tempdir().unwrap();
        let keystore = Keystore::open_dir(&root.path().join("keystore")).unwrap();
        for (name, byte) in [("alice", 1), ("bob", 2)] {
            let secret = Secret::Seed(Zeroizing::new([byte; 32]));
            keystore.create(name, &secret, PASSWORD, TINY).unwrap();
        }
        keystore.add_account("alice", PASSWORD).unwrap();
        keystore.add_watch_only("eye", AccountId([3; 32])).unwrap();
        Place { _root: root, keystore }
    }

    fn text(&self, name: &str) -> Vec<u8> {
        fs::read(self.keystore.path().join(format!("{name}.json"))).unwrap()
    }

    /// Writes into the file that is there, which keeps its permissions.
    fn put(&self, name: &str, text: &[u8]) {
        let path = self.keystore.path().join(format!("{name}.json"));
        let mut file = OpenOptions::new().write(true).truncate(true).open(path).unwrap();
        file.write_all(text).unwrap();
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.text(name)).unwrap()
    }

    /// What is in the list under this name.
    fn listed(&self, name: &str) -> Option<Entry> {
        self.keystore.list().unwrap().entries.into_iter().find(|entry| entry.name == name)
    }

    fn refusal(&self, name: &str, value: &Value) -> KeystoreError {
        self.put(name, &serde_json::to_vec(value).unwrap());
        self.keystore.unlock(name, PASSWORD).unwrap_err()
    }
}

/// Breaks when: any field is outside what is authenticated, or is read leniently.
#[test]
fn every_flipped_byte_is_refused_or_read_as_it_was() {
    let place = Place::new();
    let (text, entry) = (place.text("alice"), place.listed("alice").unwrap());
    let (mut refused, mut same) = (0, 0);
    for index in 0..text.len() {
        // Lowest bit, case, sign bit, all.
        for flip in [0x01, 0x02, 0x20, 0x80, 0xFF] {
            let mut flipped = text.clone();
            flipped[index] ^= flip;
            place.put("alice", &flipped);
            match place.keystore.unlock("alice", PASSWORD) {
                Ok(unlocked) => {
                    let accounts: Vec<_> = unlocked.keys().iter().map(|k| k.account()).collect();
                    assert_eq!(accounts, entry.accounts, "byte {index} flipped by {flip:#x}");
                    assert_eq!(unlocked.unsafe_test(), entry.unsafe_test);
                    same += 1;
                }
                Err(_) => refused += 1,
            }
            if let Some(listed) = place.listed("alice") {
                assert_eq!(listed, entry, "byte {index} flipped by {flip:#x}");
            }
        }
    }
    // White space and the case of hex digits may change; nothing else.
    assert!(refused > text.len() * 3 && same < text.len(), "{refused} refused, {same} the same");
}

/// Breaks when: the account's own checksum, or the file's fields, are not checked.
#[test]
fn every_flipped_byte_of_a_watching_wallet_is_refused_or_read_as_it_was() {
    let place = Place::new();
    let (text, entry) = (place.text("eye"), place.listed("eye").unwrap());
    for index in 0..text.len() {
        for flip in (0..8).map(|bit| 1 << bit) {
            let mut flipped = text.clone();
            flipped[index] ^= flip;
            place.put("eye", &flipped);
            if let Some(listed) = place.listed("eye") {
                assert_eq!(listed, entry, "byte {index} flipped by {flip:#x}");
            }
        }
    }
}

/// Breaks when: half a file is read as a whole one.
#[test]
fn every_cut_is_refused() {
    let place = Place::new();
    let text = place.text("alice");
    // Without the last line feed it is still all there.
    for length in 0..text.len() - 1 {
        place.put("alice", &text[..length]);
        let error = place.keystore.unlock("alice", PASSWORD).unwrap_err();
        assert!(matches!(error, KeystoreError::Damaged { .. }), "{length}: {error}");
    }
    place.put("alice", &[text.as_slice(), b"{}"].concat());
    assert!(place.keystore.unlock("alice", PASSWORD).is_err());
}

/// Breaks when: a field of the header is left out of what is authenticated.
#[test]
fn every_changed_field_is_refused() {
    let place = Place::new();
    let (good, other) = (place.json("alice"), place.json("bob"));
    let changes: [(&str, Value); 9] = [
        ("/header/unsafe_test", json!(false)),
        ("/header/cost/memory_kib", json!(16)),
        ("/header/cost/passes", json!(2)),
        ("/header/salt", other["header"]["salt"].clone()),
        ("/header/nonce", other["header"]["nonce"].clone()),
        ("/header/accounts", other["header"]["accounts"].clone()),
        ("/header/accounts/0", good["header"]["accounts"][1].clone()),
        ("/header/accounts", json!([good["header"]["accounts"][0]])),
        ("/ciphertext", other["ciphertext"].clone()),
    ];
    for (pointer, value) in changes {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let error = place.refusal("alice", &changed);
        assert!(matches!(error, KeystoreError::DoesNotOpen { .. }), "{pointer}: {error}");
    }
    // One wallet's whole file under another's name.
    let error = place.refusal("alice", &other);
    assert!(matches!(error, KeystoreError::Damaged { .. }), "{error}");
    assert!(place.listed("alice").is_none());
    place.put("alice", &serde_json::to_vec(&good).unwrap());
    assert!(place.keystore.unlock("alice", PASSWORD).is_ok());
}

/// Breaks when: bounds are checked after the work they bound, or not at all.
#[test]
fn no_file_can_ask_for_too_much() {
    let place = Place::new();
    let good = place.json("alice");
    let costs: [(u64, u64, u64); 11] = [
        (1024 * 1024 + 1, 1, 1),
        (u64::from(u32::MAX), 1, 1),
        (u64::MAX, 1, 1),
        (8, 65, 1),
        (8, u64::from(u32::MAX), 1),
        (1024 * 1024, 5, 1),
        (64 * 1024 + 1, 64, 1),
        (8, 0, 1),
        (0, 1, 1),
        (8, 1, 2),
        (1024, 1, 17),
    ];
    for (memory_kib, passes, lanes) in costs {
        let mut changed = good.clone();
        changed["header"]["cost"] =
            json!({"memory_kib": memory_kib, "passes": passes, "lanes": lanes});
        let error = place.refusal("alice", &changed);
        assert!(matches!(error, KeystoreError::Damaged { .. }), "{memory_kib} {passes}: {error}");
    }
    let mut many = good.clone();
    let record = good["header"]["accounts"][0].clone();
    many["header"]["accounts"] = Value::Array(vec![record; 257]);
    assert!(matches!(place.refusal("alice", &many), KeystoreError::Damaged { .. }));
    many["header"]["accounts"] = json!([]);
    assert!(matches!(place.refusal("alice", &many), KeystoreError::Damaged { .. }));
    place.put("alice", &vec![b' '; 200 * 1024]);
    let error = place.keystore.unlock("alice", PASSWORD).unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
    place.put("alice", &b"[".repeat(100 * 1024));
    assert!(place.keystore.unlock("alice", PASSWORD).is_err());
}

/// Breaks when: two failures with different ways out are told alike, or no way out is told.
#[test]
fn errors_are_told_apart_and_say_what_to_do() {
    let place = Place::new();
    let good = place.json("alice");
    let wrong = place.keystore.unlock("alice", "q").unwrap_err();
    assert!(matches!(wrong, KeystoreError::DoesNotOpen { .. }));
    assert!(wrong.to_string().contains("the two cannot be told apart"), "{wrong}");
    let mut newer = good.clone();
    newer["version"] = json!(2);
    newer["something"] = json!("new");
    let newer = place.refusal("alice", &newer);
    assert!(matches!(newer, KeystoreError::Newer { version: 2, known: 1, .. }), "{newer}");
    assert!(newer.to_string().contains("update it"), "{newer}");
    let mut older = good.clone();
    older["version"] = json!(0);
    let mut unknown = good.clone();
    unknown["header"]["surprise"] = json!(1);
    let mut mixed = good.clone();
    mixed["watch_only"] = json!(AccountId([1; 32]));
    let mut key = good.clone();
    key["header"]["accounts"][0]["key"] = good["header"]["accounts"][1]["key"].clone();
    for damaged in [older, unknown, mixed, key, json!({}), json!("text"), json!(null)] {
        let error = place.refusal("alice", &damaged);
        assert!(matches!(error, KeystoreError::Damaged { .. }), "{damaged}: {error}");
        let text = error.to_string();
        assert!(text.contains("alice.json") && text.contains("from its words"), "{text}");
    }
}
