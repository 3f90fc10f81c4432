//! Usernames as clients see them: names, rows, and what is believed of them.

use ddt_ledger::{AccountId, Address, ChainId, Hash, PublicKey};
use ddt_wallet::Seed;
use ddt_wallet::username::{
    CIPHERTEXT_BYTES, Handle, HashCost, NameKeys, OpenError, RecordError, Username,
};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
const OTHER_CHAIN: ChainId = ChainId(Hash([2; 32]));

fn name(text: &str) -> Username {
    text.parse().expect("a username")
}

fn keys(text: &str) -> NameKeys {
    NameKeys::of(&name(text), CHAIN, HashCost::UNSAFE_TEST).expect("memory")
}

fn seed(number: u8) -> Seed {
    Seed::from_bytes(&[number; 32])
}

fn handle(seed: &Seed, keys: &NameKeys, address: Option<Address>, place: u32) -> Handle {
    let owner = seed.owner_key(0).expect("a key");
    let account = (owner.account(), &owner);
    seed.username_handle(CHAIN, keys, account, address, place).expect("a handle")
}

/// Broken by: a name that is made small silently, or is allowed to be anything.
#[test]
fn a_username_is_small_letters_and_digits() {
    for good in ["a", "7", "alice", "0123456789abcdef"] {
        assert_eq!(name(good).as_str(), good);
    }
    for bad in ["", "Alice", "al-ice", "al ice", "äpfel", "0123456789abcdefg", "a.", "a\0"] {
        let error = bad.parse::<Username>().expect_err(bad).to_string();
        assert!(bad.is_empty() || bad.len() < 3 || !error.contains(bad), "{error}");
    }
    assert!(!format!("{:?}", name("margaret")).contains("margaret"));
}

/// Broken by: a cheaper hash.
#[test]
fn a_guess_costs_a_quarter_of_a_gibibyte() {
    let cost = HashCost::PRODUCTION;
    assert_eq!((cost.memory_kib(), cost.passes()), (256 * 1024, 3));
}

/// Broken by: a salt without the chain, or a row that does not depend on the whole name.
#[test]
fn a_name_is_one_row_on_each_chain() {
    assert_eq!(keys("alice"), keys("alice"));
    assert_ne!(keys("alice").row, keys("alicf").row);
    let there = NameKeys::of(&name("alice"), OTHER_CHAIN, HashCost::UNSAFE_TEST).expect("memory");
    assert_ne!(keys("alice").row, there.row);
    assert!(format!("{:?}", keys("alice")).starts_with("NameKeys("));
}

/// Broken by: anything that is drawn anew, so that an interrupted claim could not go on.
#[test]
fn the_words_alone_bring_a_username_back() {
    let (seed, keys) = (seed(1), keys("alice"));
    let (one, again) = (handle(&seed, &keys, None, 0), handle(&seed, &keys, None, 0));
    assert_eq!((one.ciphertext, one.salt), (again.ciphertext, again.salt));
    assert_eq!(one.key.public(), again.key.public());
    for place in [0, 1, 255] {
        let holder = handle(&seed, &keys, None, place).key.public();
        assert_eq!(seed.username_place(&keys.row, &holder), Some(place));
    }
    let stranger = handle(&self::seed(2), &keys, None, 0).key.public();
    assert_eq!(seed.username_place(&keys.row, &stranger), None);
    assert!(!format!("{one:?}").contains("secret"));
}

/// Broken by: one nonce for two records, which would tell how they differ; one length for a
/// record with an address and another without.
#[test]
fn two_records_share_no_nonce_and_have_one_length() {
    let (seed, keys) = (seed(1), keys("alice"));
    let address = Some(Address([9; 20]));
    let all = [
        handle(&seed, &keys, None, 0),
        handle(&seed, &keys, address, 0),
        handle(&seed, &keys, None, 1),
        handle(&seed, &self::keys("alicf"), None, 0),
        handle(&self::seed(2), &keys, None, 0),
    ];
    for (place, one) in all.iter().enumerate() {
        assert_eq!(one.ciphertext.len(), CIPHERTEXT_BYTES);
        for other in &all[..place] {
            assert_ne!(one.ciphertext[..24], other.ciphertext[..24], "a nonce is used twice");
            assert_ne!(one.salt, other.salt);
        }
    }
    let opened = keys.open(CHAIN, &all[1].ciphertext).expect("it opens");
    assert_eq!(opened.address, address);
    assert_eq!(keys.open(CHAIN, &all[0].ciphertext).expect("it opens").address, None);
}

/// Broken by: a cipher without authentication, or one that is not bound to row and chain.
#[test]
fn only_the_name_opens_its_row() {
    let (seed, keys) = (seed(1), keys("alice"));
    let sealed = handle(&seed, &keys, None, 0).ciphertext;
    assert!(keys.open(CHAIN, &sealed).is_ok());
    assert_eq!(keys.open(OTHER_CHAIN, &sealed), Err(OpenError::Sealed));
    assert_eq!(self::keys("bob").open(CHAIN, &sealed), Err(OpenError::Sealed));
    for place in 0..CIPHERTEXT_BYTES {
        let mut changed = sealed;
        changed[place] ^= 1;
        assert_eq!(keys.open(CHAIN, &changed), Err(OpenError::Sealed), "byte {place}");
    }
    for length in [0, 23, 24, 40, CIPHERTEXT_BYTES - 1] {
        assert_eq!(keys.open(CHAIN, &sealed[..length]), Err(OpenError::Sealed));
    }
}

/// Broken by: a record that is believed without its signature, for another row or holder,
/// or from a key that is not the account's any more.
#[test]
fn a_record_is_believed_only_from_its_accounts_owner_key() {
    let (seed, keys) = (seed(1), keys("alice"));
    let mine = handle(&seed, &keys, None, 0);
    let (row, holder) = (keys.row, mine.key.public());
    let record = keys.open(CHAIN, &mine.ciphertext).expect("it opens");
    let owner = seed.owner_key(0).expect("a key").public();
    assert_eq!(record.check(CHAIN, &row, &holder, None), Ok(()));
    assert_eq!(record.check(CHAIN, &row, &holder, Some(&owner)), Ok(()));
    let other = PublicKey([7; 32]);
    let signature = Err(RecordError::Signature);
    assert_eq!(record.check(OTHER_CHAIN, &row, &holder, None), signature);
    assert_eq!(record.check(CHAIN, &Hash([7; 32]), &holder, None), signature);
    assert_eq!(record.check(CHAIN, &row, &other, None), signature);
    assert_eq!(record.check(CHAIN, &row, &holder, Some(&other)), Err(RecordError::Key));
    let mut moved = record.clone();
    moved.address = Some(Address([1; 20]));
    assert_eq!(moved.check(CHAIN, &row, &holder, None), signature);

    // Somebody names an account that is not theirs.
    let thief = seed.owner_key(1).expect("a key");
    let victim = AccountId([5; 32]);
    let theirs = seed.username_handle(CHAIN, &keys, (victim, &thief), None, 0).expect("a handle");
    let record = keys.open(CHAIN, &theirs.ciphertext).expect("it opens");
    assert_eq!(record.check(CHAIN, &row, &holder, None), Err(RecordError::Key));
}
