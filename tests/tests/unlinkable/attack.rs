//! What an attacker does with bytes: look for the same ones elsewhere.

use std::collections::BTreeSet;

use ddt_ledger::{AccountId, Domain, Hash, PublicKey};

/// Equal bytes that are no accident.
const MARK: usize = 16;

/// Contexts from which a careless client could compute something of a username.
const CONTEXTS: [&str; 12] = [
    "ddt v1 account id",
    "ddt v1 key possession",
    "ddt v1 username salt",
    "ddt v1 username row",
    "ddt v1 username key",
    "ddt v1 username commit",
    "ddt v1 username possession",
    "ddt v1 username record",
    "ddt v1 username one-time key",
    "ddt v1 username claim salt",
    "ddt v1 username nonce",
    "ddt v1 domain commit salt",
];

/// Fewer different bytes are a counter or a time among zeros.
const BYTES_OF_A_MARK: usize = 8;

/// Every run of 16 bytes that could be of a key, a hash, a signature or an address.
pub fn windows(bytes: &[u8]) -> impl Iterator<Item = [u8; MARK]> + '_ {
    let is_mark =
        |window: &[u8; MARK]| window.iter().collect::<BTreeSet<_>>().len() >= BYTES_OF_A_MARK;
    bytes.windows(MARK).filter_map(|window| window.try_into().ok()).filter(is_mark)
}

/// Runs of 16 bytes that stand in something of both.
pub fn shared(one: &[Vec<u8>], other: &[Vec<u8>]) -> BTreeSet<[u8; MARK]> {
    let of = |all: &[Vec<u8>]| all.iter().flat_map(|bytes| windows(bytes)).collect();
    let (one, other): (BTreeSet<_>, BTreeSet<_>) = (of(one), of(other));
    one.intersection(&other).copied().collect()
}

/// What everybody can compute from a text with the contexts there are, and one step more.
pub fn derived(text: &[u8]) -> Vec<Hash> {
    let plain = Hash(*blake3::hash(text).as_bytes());
    let once: Vec<Hash> =
        CONTEXTS.iter().map(|context| Domain(context).hash(&[text])).chain([plain]).collect();
    let account = |hash: &Hash| Hash(AccountId::of(&PublicKey(hash.0)).0);
    let key = |hash: &Hash| {
        let signing = ed25519_dalek::SigningKey::from_bytes(&hash.0);
        Hash(signing.verifying_key().to_bytes())
    };
    let keys: Vec<Hash> = once.iter().map(key).collect();
    let accounts: Vec<Hash> = keys.iter().map(account).collect();
    [once, keys, accounts].concat()
}
