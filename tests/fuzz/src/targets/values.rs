//! Values of every kind, from texts and JSON.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::schema::{FieldInfo, Kind, Value};
use ddt_ledger::{Address, Amount, Hash, Millis, Zone};
use ddt_tests::people::Person;
use serde_json::Value as Json;

use super::bodies::field_end;
use crate::cursor::Cursor;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "values",
    about: "Value::parse and Value::from_json of all fields, Row::parse and Row::build.",
    run,
    seeds,
    bytes_max: 4_096,
    tries: 12_000,
};

/// All fields of all events and views.
fn fields() -> Vec<&'static FieldInfo> {
    let events = REGISTRY.rows().flat_map(|row| row.fields);
    events.chain(REGISTRY.views().flat_map(|view| view.query.iter().chain(view.row))).collect()
}

fn run(bytes: &[u8]) -> End {
    let mut cursor = Cursor::of(bytes);
    let how = cursor.byte();
    let place = usize::from(cursor.byte());
    let Ok(text) = std::str::from_utf8(cursor.rest()) else { return end("not text") };
    match how % 4 {
        0 => {
            let all = fields();
            let field = all[place % all.len()];
            value(field.kind, Value::parse(&field.kind, text))
        }
        1 => {
            let all = fields();
            let field = all[place % all.len()];
            let Ok(json) = serde_json::from_str::<Json>(text) else { return end("no JSON") };
            value(field.kind, Value::from_json(&field.kind, &json))
        }
        2 => arguments(place, text),
        _ => object(place, text),
    }
}

/// What was read is shown as something that is read as the same.
fn value(kind: Kind, read: Result<Value, ddt_ledger::schema::FieldError>) -> End {
    let value = match read {
        Ok(value) => value,
        Err(error) => return field_end(&error),
    };
    assert_eq!(Value::from_json(&kind, &value.to_json()).as_ref(), Ok(&value));
    if !value.to_string().is_empty() {
        assert_eq!(Value::parse(&kind, &value.to_string()).as_ref(), Ok(&value));
    }
    end((format!("{kind:?}"), value.words().len().min(9)))
}

/// Lines `name=value` of an event.
fn arguments(place: usize, text: &str) -> End {
    let rows: Vec<_> = REGISTRY.rows().collect();
    let row = rows[place % rows.len()];
    let words: Vec<&str> = text.lines().collect();
    match row.parse(&words) {
        Ok(values) => built(row, &values),
        Err(error) => field_end(&error),
    }
}

/// A JSON object of an event's fields.
fn object(place: usize, text: &str) -> End {
    let rows: Vec<_> = REGISTRY.rows().collect();
    let row = rows[place % rows.len()];
    let Ok(json) = serde_json::from_str::<Json>(text) else { return end("no JSON") };
    match Value::from_json(&Kind::Group(row.fields), &json).and_then(|group| group.group()) {
        Ok(values) => built(row, &values),
        Err(error) => field_end(&error),
    }
}

fn built(row: &ddt_ledger::registry::Row, values: &BTreeMap<String, Value>) -> End {
    match (row.build)(values) {
        Ok(body) => {
            // What can be built may be too long together for an event, never unreadable.
            let shown = (row.show)(&body);
            let is_long = body.len() > ddt_ledger::event::BODY_BYTES_MAX;
            assert!(shown.is_ok() || is_long, "{}: built and not read", row.name);
            end((row.tag, (row.check)(&body).map_err(|refusal| refusal.code)))
        }
        Err(error) => field_end(&error),
    }
}

/// The least or the most that a kind holds.
pub fn sample_value(kind: Kind, variant: usize) -> Value {
    let is_most = variant > 0;
    let pick = |least: u64, most: u64| if is_most { most } else { least };
    let person = Person::named(if is_most { "bob" } else { "alice" });
    match kind {
        Kind::Amount => Value::Amount(if is_most { Amount::MAX } else { Amount::from_apt(1) }),
        Kind::Account => Value::Account(person.id()),
        Kind::Address => Value::Address(Address([pick(1, 255) as u8; 20])),
        Kind::PublicKey => Value::PublicKey(person.key()),
        Kind::Hash => Value::Hash(Hash([pick(1, 255) as u8; 32])),
        Kind::Name { .. } => Value::Text(if is_most { "hello-world" } else { "a" }.to_string()),
        Kind::Text { bytes_max } => Value::Text("é".repeat(pick(0, bytes_max as u64 / 2) as usize)),
        Kind::Bytes { bytes_max } => Value::Bytes(vec![7; pick(0, bytes_max as u64) as usize]),
        Kind::Time => Value::Time(Millis(pick(0, u64::MAX))),
        Kind::Duration => Value::Duration(Millis(pick(0, u64::MAX))),
        Kind::Count { max } => Value::Count(pick(1, max)),
        Kind::Zone => Value::Zone(Zone(pick(1, u64::from(u32::MAX)) as u32)),
        Kind::Flag => Value::Flag(is_most),
        Kind::Choice(words) => Value::Text(words[if is_most { words.len() - 1 } else { 0 }].into()),
        Kind::List { of, length_max } => {
            let length = pick(0, length_max.min(3) as u64) as usize;
            Value::List(vec![sample_value(*of, variant); length])
        }
        Kind::Optional(inner) if is_most => sample_value(*inner, variant),
        Kind::Optional(_) => Value::Nothing,
        Kind::Group(fields) => Value::Group(
            fields.iter().map(|field| (field.name, sample_value(field.kind, variant))).collect(),
        ),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut add = |how: u8, place: u8, text: String| {
        seeds.push([&[how, place], text.as_bytes()].concat());
    };
    for (place, field) in (0..=255).zip(fields()) {
        for variant in 0..2 {
            let value = sample_value(field.kind, variant);
            add(0, place, value.to_string());
            add(1, place, value.to_json().to_string());
        }
    }
    for (place, row) in (0..=255).zip(REGISTRY.rows()) {
        let values = row.fields.iter().map(|field| (field.name, sample_value(field.kind, 0)));
        let values: Vec<(&str, Value)> = values.collect();
        let lines: Vec<String> = values.iter().map(|(name, v)| format!("{name}={v}")).collect();
        add(2, place, lines.join("\n"));
        let json: serde_json::Map<String, Json> =
            values.iter().map(|(name, v)| (name.to_string(), v.to_json())).collect();
        add(3, place, Json::Object(json).to_string());
    }
    seeds
}
