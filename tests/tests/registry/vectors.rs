//! Golden bytes: what was signed once must mean the same for ever.
//!
//! After adding an event, or a kind, write its samples with
//! `DDT_WRITE_VECTORS=1 cargo test -p ddt-tests --test registry`, look at the difference,
//! and check it with `python3 tests/vectors/events.py`, which knows nothing of this code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ddt_contracts::REGISTRY;
use ddt_ledger::schema::{FieldInfo, Fields, Kind, Value};
use ddt_ledger::{Address, Amount, Hash, Millis, Zone};
use ddt_tests::people::Person;
use serde_json::{Value as Json, json};

/// Samples of every event: the least and the most that its fields hold.
const VARIANTS: usize = 2;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join("events-v1.json")
}

/// A record's sample values.
pub fn sample(fields: &'static [FieldInfo], variant: usize) -> Fields {
    let value = |field: &FieldInfo| (field.name, sample_value(field.kind, variant));
    fields.iter().map(value).collect()
}

fn sample_value(kind: Kind, variant: usize) -> Value {
    let is_most = variant > 0;
    let pick = |least: u64, most: u64| if is_most { most } else { least };
    let person = Person::named(if is_most { "bob" } else { "alice" });
    let bytes = |most: usize| vec![0xa5; if is_most { most } else { 0 }];
    match kind {
        Kind::Amount => Value::Amount(match is_most {
            true => Amount::MAX,
            false => "12.000000001".parse().expect("an amount"),
        }),
        Kind::Account => Value::Account(person.id()),
        Kind::Address => Value::Address(Address([pick(0x11, 0xee) as u8; 20])),
        Kind::PublicKey => Value::PublicKey(person.key()),
        Kind::Hash => Value::Hash(Hash([pick(0x11, 0xee) as u8; 32])),
        Kind::Name { .. } => Value::Text(if is_most { "hello-world" } else { "a" }.to_string()),
        Kind::Text { bytes_max } => {
            Value::Text(if is_most { "é".repeat(bytes_max / 2) } else { String::new() })
        }
        Kind::Bytes { bytes_max } => Value::Bytes(bytes(bytes_max)),
        Kind::Time => Value::Time(Millis(pick(0, 1_700_000_000_000))),
        Kind::Duration => Value::Duration(Millis(pick(0, 1_700_000_000_000))),
        Kind::Count { max } => Value::Count(pick(1, max)),
        Kind::Zone => Value::Zone(Zone(pick(0, u64::from(u32::MAX)) as u32)),
        Kind::Flag => Value::Flag(is_most),
        Kind::Choice(words) => {
            let word = if is_most { words.last() } else { words.first() };
            Value::Text(word.copied().unwrap_or_default().to_string())
        }
        Kind::List { of, length_max } => {
            let length = pick(0, length_max.min(3) as u64) as usize;
            Value::List(vec![sample_value(*of, variant); length])
        }
        Kind::Optional(inner) if is_most => sample_value(*inner, variant),
        Kind::Optional(_) => Value::Nothing,
        Kind::Group(fields) => Value::Group(sample(fields, variant)),
    }
}

/// A kind, as another language can read it.
fn kind_json(kind: Kind) -> Json {
    match kind {
        Kind::Amount => json!("amount"),
        Kind::Account => json!("account"),
        Kind::Address => json!("20 bytes"),
        Kind::PublicKey | Kind::Hash => json!("32 bytes"),
        Kind::Name { .. } | Kind::Text { .. } => json!("text"),
        Kind::Bytes { .. } => json!("bytes"),
        Kind::Time | Kind::Duration => json!({ "count": u64::MAX }),
        Kind::Count { max } => json!({ "count": max }),
        Kind::Zone => json!({ "count": u32::MAX }),
        Kind::Flag => json!("flag"),
        Kind::Choice(words) => json!({ "choice": words }),
        Kind::List { of, .. } => json!({ "list": kind_json(*of) }),
        Kind::Optional(inner) => json!({ "optional": kind_json(*inner) }),
        Kind::Group(fields) => {
            let fields: Vec<Json> = fields.iter().map(field_json).collect();
            json!({ "group": fields })
        }
    }
}

fn field_json(field: &FieldInfo) -> Json {
    json!({ "name": field.name, "kind": kind_json(field.kind) })
}

fn vectors() -> Json {
    let mut events = Vec::new();
    for row in REGISTRY.rows() {
        for variant in 0..VARIANTS {
            let values = sample(row.fields, variant);
            let by_name: BTreeMap<String, Value> =
                values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            let body = (row.build)(&by_name).expect("a sample is good");
            let fields = row.fields.iter().zip(&values).map(|(field, (_, value))| {
                let mut json = field_json(field);
                json["value"] = value.to_json();
                json
            });
            let fields: Vec<Json> = fields.collect();
            let body = hex::encode(body);
            events.push(json!({
                "tag": row.tag, "name": row.name, "fields": fields, "body": body,
            }));
        }
    }
    json!({ "version": 1, "events": events })
}

/// Broken by: a field that is moved, renamed, widened or given another kind; then bytes that
/// were signed before would be read as something else.
#[test]
fn bodies_are_the_golden_bytes() {
    if std::env::var_os("DDT_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&vectors()).expect("JSON");
        std::fs::write(path(), text + "\n").expect("a writable file");
    }
    let text = std::fs::read_to_string(path()).expect("events-v1.json");
    let golden: Json = serde_json::from_str(&text).expect("JSON");
    let now = vectors();
    assert_eq!(golden["version"], now["version"]);
    let list = |json: &Json| json["events"].as_array().cloned().unwrap_or_default();
    assert_eq!(list(&golden).len(), VARIANTS * REGISTRY.rows().count());
    for (golden, now) in list(&golden).iter().zip(list(&now)) {
        assert_eq!(*golden, now, "{}", now["name"]);
    }
}

/// Broken by: a reader that takes golden bytes for something else than was signed.
#[test]
fn golden_bytes_are_read_back() {
    let text = std::fs::read_to_string(path()).expect("events-v1.json");
    let golden: Json = serde_json::from_str(&text).expect("JSON");
    for event in golden["events"].as_array().expect("a list") {
        let row = REGISTRY.row_named(event["name"].as_str().expect("a name")).expect("a row");
        assert_eq!(event["tag"], row.tag);
        let body = hex::decode(event["body"].as_str().expect("hex")).expect("hex");
        let shown = (row.show)(&body).expect("a body");
        let fields = event["fields"].as_array().expect("a list");
        assert_eq!(fields.len(), shown.len());
        for (field, (name, value)) in fields.iter().zip(shown) {
            assert_eq!((&field["name"], &field["value"]), (&Json::from(name), &value.to_json()));
        }
    }
}
