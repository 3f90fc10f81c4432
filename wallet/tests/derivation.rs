//! Keys from seeds: SLIP-0010's vectors, and ours as an independent programme derived them.

use ddt_ledger::{AccountId, Hash, PublicKey};
use ddt_wallet::derivation::{DerivationError, INDEX_END, private_key};
use ddt_wallet::keys::{COIN_TYPE, PURPOSE};
use ddt_wallet::{Mnemonic, Seed};
use serde::Deserialize;

#[derive(Deserialize)]
struct Slip10 {
    vectors: Vec<Slip10Vector>,
}

#[derive(Deserialize)]
struct Slip10Vector {
    seed: String,
    path: Vec<u32>,
    private: String,
    public: String,
}

#[derive(Deserialize)]
struct Ours {
    mnemonic: String,
    seed: String,
    signed_message: Hash,
    accounts: Vec<Account>,
    salts: Vec<Salt>,
    purpose: Purpose,
}

#[derive(Deserialize)]
struct Account {
    path: String,
    index: u32,
    public_key: PublicKey,
    account: AccountId,
    signature: ddt_ledger::Signature,
}

#[derive(Deserialize)]
struct Salt {
    name: String,
    commit_nonce: u64,
    salt: Hash,
}

#[derive(Deserialize)]
struct Purpose {
    context: String,
    seed: Hash,
}

fn ours() -> Ours {
    serde_json::from_str(include_str!("../../tests/vectors/derivation.json")).unwrap()
}

/// Breaks when: a child is not hardened, the halves are swapped, the zero byte is missing.
#[test]
fn slip_0010_vectors_hold() {
    let text = include_str!("../../tests/vectors/slip-0010.json");
    let Slip10 { vectors } = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let seed = hex::decode(&vector.seed).unwrap();
        let private = private_key(&seed, &vector.path).unwrap();
        assert_eq!(hex::encode(*private), vector.private, "{:?}", vector.path);
        let public = ed25519_dalek::SigningKey::from_bytes(&private).verifying_key();
        assert_eq!(hex::encode(public.to_bytes()), vector.public, "{:?}", vector.path);
    }
}

/// Breaks when: path, coin type, account hash, salt or purpose change for anybody's words.
#[test]
fn the_independent_derivation_agrees() {
    let ours = ours();
    let words = Mnemonic::parse(&ours.mnemonic).unwrap();
    assert_eq!(hex::encode(*words.seed("")), ours.seed);
    let seed = Seed::from_words(&words);
    assert_eq!(ours.accounts.len(), 3);
    for account in &ours.accounts {
        assert_eq!(account.path, format!("m/{PURPOSE}'/{COIN_TYPE}'/{}'", account.index));
        let key = seed.owner_key(account.index).unwrap();
        assert_eq!(key.public(), account.public_key);
        assert_eq!(key.account(), account.account);
        assert_eq!(key.sign(&ours.signed_message), account.signature);
    }
    assert_eq!(ours.salts.len(), 4);
    for salt in &ours.salts {
        assert_eq!(Hash(seed.salt(&salt.name, salt.commit_nonce)), salt.salt);
    }
    assert_eq!(ours.purpose.context, "ddt v1 test purpose");
    assert_eq!(Hash(*seed.purpose_seed("ddt v1 test purpose")), ours.purpose.seed);
}

/// Breaks when: a signature covers something else than the 32 bytes, or another key signs.
#[test]
fn signatures_are_valid_for_their_message_only() {
    let key = Seed::from_bytes(&[7; 32]).owner_key(0).unwrap();
    let signature = key.sign(&Hash([1; 32]));
    assert!(key.public().verifies(&Hash([1; 32]), &signature));
    assert!(!key.public().verifies(&Hash([2; 32]), &signature));
    let other = Seed::from_bytes(&[7; 32]).owner_key(1).unwrap();
    assert!(!other.public().verifies(&Hash([1; 32]), &signature));
}

/// Breaks when: an index with the hardened bit is taken for the one without.
#[test]
fn indexes_and_seeds_out_of_range_are_refused() {
    let seed = Seed::from_bytes(&[7; 32]);
    assert!(seed.owner_key(INDEX_END - 1).is_ok());
    for index in [INDEX_END, u32::MAX] {
        assert_eq!(seed.owner_key(index).unwrap_err(), DerivationError::Index(index));
    }
    for length in [0, 15, 65, 200] {
        let error = private_key(&vec![7; length], &[0]).unwrap_err();
        assert_eq!(error, DerivationError::SeedLength(length));
    }
}

/// Breaks when: a purpose or a salt ignores one of its inputs.
#[test]
fn purposes_names_nonces_and_seeds_give_different_secrets() {
    let (seed, other) = (Seed::from_bytes(&[7; 32]), Seed::from_bytes(&[8; 32]));
    let salts = [
        seed.salt("alice", 1),
        seed.salt("alice", 2),
        seed.salt("alicf", 1),
        seed.salt("", 1),
        other.salt("alice", 1),
        *seed.purpose_seed("ddt v1 test one"),
        *seed.purpose_seed("ddt v1 test two"),
        *seed.purpose_seed("ddt v1 domain commit salt"),
    ];
    let different: std::collections::BTreeSet<_> = salts.iter().collect();
    assert_eq!(different.len(), salts.len());
}

/// Breaks when: `Debug` is derived on a secret.
#[test]
fn debug_texts_hold_no_secret() {
    let seed = Seed::from_bytes(&[0xAB; 32]);
    let key = seed.owner_key(0).unwrap();
    assert_eq!(format!("{seed:?}"), "Seed(secret)");
    assert_eq!(format!("{key:?}"), format!("OwnerKey({})", key.account()));
}
