//! Locks byte by byte, as an independent script computes them (`vectors/swaps.py`).

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_contracts::bank::{CLAIM_BYTES, lock_hash};
use ddt_ledger::event::Checked;
use ddt_ledger::schema::Value;
use ddt_ledger::{ChainId, Hash, Millis};
use serde_json::Value as Json;

fn vectors() -> Json {
    serde_json::from_str(include_str!("../vectors/swaps.json")).expect("JSON")
}

fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json[name].as_str().unwrap_or_else(|| panic!("{name}: {json}"))
}

fn hash(json: &Json, name: &str) -> Hash {
    Hash::from_hex(text(json, name)).expect("64 digits")
}

fn body(name: &str, values: &[(&str, Value)]) -> String {
    let values: BTreeMap<String, Value> =
        values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let row = REGISTRY.row_named(name).expect("a row");
    hex::encode((row.build)(&values).expect("good values"))
}

/// Broken by: another hash than SHA-256, a field that is moved, another id for a lock.
#[test]
fn locks_are_those_of_the_independent_script() {
    let vectors = vectors();
    let chain = ChainId(hash(&vectors, "chain"));
    let locks = vectors["locks"].as_array().expect("a list");
    assert!(locks.len() > 1);
    for known in locks {
        let [lock, secret, of_secret] = ["lock", "secret", "hash"].map(|name| hash(known, name));
        assert_eq!(lock_hash(&secret), of_secret);
        let deadline = Millis(known["deadline"].as_u64().expect("a number"));
        let fields = [
            ("to", Value::Account(text(known, "to").parse().expect("an account"))),
            ("amount", Value::Amount(text(known, "amount").parse().expect("an amount"))),
            ("hash", Value::Hash(of_secret)),
            ("deadline", Value::Time(deadline)),
        ];
        assert_eq!(body("bank.lock", &fields), text(known, "lock_body"));
        let claim = [("lock", Value::Hash(lock)), ("secret", Value::Hash(secret))];
        assert_eq!(body("bank.claim", &claim), text(known, "claim_body"));
        assert_eq!(body("bank.give_back", &claim[..1]), text(known, "give_back_body"));
        assert_eq!(known["claim_event_bytes"], CLAIM_BYTES, "what a lock sets aside for a claim");
        let bytes = hex::decode(text(known, "lock_event")).expect("hex");
        let event = Checked::check(&bytes, chain, &REGISTRY).expect("a good event");
        assert_eq!(event.id(), lock);
        assert_eq!(event.draft().author.to_string(), text(known, "author"));
    }
}
