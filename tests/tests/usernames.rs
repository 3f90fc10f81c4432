//! Usernames and stamps against `vectors/usernames.json`, which another program computes.

use std::ops::ControlFlow;
use std::path::Path;

use ddt_contracts::usernames::{self, claim_hash, possession_digest};
use ddt_ledger::schema::Bytes;
use ddt_ledger::stamp::{PerWeight, Period, Task};
use ddt_ledger::{AccountId, Address, ChainId, Hash, PublicKey};
use ddt_wallet::stamp::{Order, solve_on};
use ddt_wallet::username::{CIPHERTEXT_BYTES, HashCost, NameKeys};
use ddt_wallet::{Mnemonic, Seed};
use serde_json::Value as Json;

fn vectors() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join("usernames.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("usernames.json")).expect("JSON")
}

fn text<'j>(json: &'j Json, field: &str) -> &'j str {
    json[field].as_str().unwrap_or_else(|| panic!("{field} is a text"))
}

fn hash(json: &Json, field: &str) -> Hash {
    Hash::from_hex(text(json, field)).expect("a hash")
}

fn number(json: &Json, field: &str) -> u64 {
    json[field].as_u64().expect("a number")
}

/// Broken by: another salt, cost, context, layout or padding; then a name claimed by an
/// older release would be another row, or would not open.
#[test]
fn usernames_are_the_golden_bytes() {
    let golden = vectors();
    let chain = ChainId(hash(&golden, "chain"));
    let words = Mnemonic::parse(text(&golden, "mnemonic")).expect("words");
    let seed = Seed::from_words(&words);
    assert_eq!(usernames::CIPHERTEXT_BYTES, CIPHERTEXT_BYTES);
    let mut costs = Vec::new();
    for vector in golden["usernames"].as_array().expect("a list") {
        let costs_of = |cost: &HashCost| (u64::from(cost.memory_kib()), u64::from(cost.passes()));
        let wanted = (number(vector, "memory_kib"), number(vector, "passes"));
        let all = [HashCost::PRODUCTION, HashCost::UNSAFE_TEST];
        let cost = all.into_iter().find(|cost| costs_of(cost) == wanted).expect("a cost");
        costs.push(cost);
        let name = text(vector, "name").parse().expect("a username");
        let keys = NameKeys::of(&name, chain, cost).expect("memory");
        assert_eq!(keys.row, hash(vector, "row"));
        let owner = seed.owner_key(number(vector, "index") as u32).expect("a key");
        let address = vector["address"]
            .as_str()
            .map(|text| Address(hex::decode(text).expect("hex").try_into().expect("20 bytes")));
        let place = number(vector, "place") as u32;
        let account = (owner.account(), &owner);
        let handle = seed.username_handle(chain, &keys, account, address, place).expect("a handle");
        let holder = handle.key.public();
        assert_eq!(holder.to_string(), text(vector, "holder"));
        assert_eq!(owner.account().to_string(), text(vector, "account"));
        assert_eq!(hex::encode(handle.ciphertext), text(vector, "ciphertext"));
        assert_eq!(handle.salt, hash(vector, "salt"));
        let ciphertext = Bytes::new(handle.ciphertext).expect("in range");
        let commit = claim_hash(&handle.key.account(), &keys.row, &ciphertext, &handle.salt);
        assert_eq!(commit, hash(vector, "commit"));
        assert_eq!(possession_digest(&keys.row, &holder), hash(vector, "possession"));
        let record = keys.open(chain, &handle.ciphertext).expect("it opens");
        assert_eq!((record.account, record.address), (owner.account(), address));
        record.check(chain, &keys.row, &holder, None).expect("it is signed");
    }
    assert!(costs.contains(&HashCost::PRODUCTION), "the real cost is checked too");
}

/// Broken by: another order, width or context of what a stamp is bound to.
#[test]
fn stamps_are_the_golden_ones() {
    let golden = vectors();
    let chain = ChainId(hash(&golden, "chain"));
    for vector in golden["stamps"].as_array().expect("a list") {
        let author = AccountId(hash(vector, "author").0);
        let key = PublicKey(hash(vector, "key").0);
        let tag = number(vector, "tag") as u16;
        let event_nonce = number(vector, "event_nonce");
        let bits = number(vector, "wanted") as u8;
        let (period, beacon) = (number(vector, "period"), hash(vector, "beacon"));
        let over = Period { number: period, beacon, bits: PerWeight::default() };
        let task = Task::new(chain, &author, &key, tag, event_nonce, &over);
        for (nonce, bits) in vector["bits"].as_object().expect("an object") {
            assert_eq!(Some(u64::from(task.bits(nonce.parse().expect("a nonce")))), bits.as_u64());
        }
        let order = Order { chain, author, key, tag, event_nonce, period, beacon, bits };
        let stamp = solve_on(&order, 1, |_| ControlFlow::Continue(())).expect("a stamp");
        assert_eq!(stamp.nonce, number(vector, "first"), "one thread finds the first");
    }
}
