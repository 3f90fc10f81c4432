//! Bodies of every event: bytes, values, JSON and texts, there and back.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Kind, Value};

use super::values::sample_value;
use crate::cursor::Cursor;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "bodies",
    about: "A body of any event of the registry: check, show, stamp, build, JSON, arguments.",
    run,
    seeds,
    bytes_max: 16 * 1024 + 1,
    tries: 8_000,
};

fn rows() -> Vec<&'static Row> {
    REGISTRY.rows().collect()
}

fn run(bytes: &[u8]) -> End {
    let mut cursor = Cursor::of(bytes);
    let row = cursor.pick(&rows());
    let body = cursor.rest();
    let checked = (row.check)(body);
    let stamp = (row.stamp)(body);
    let fields = match (row.show)(body) {
        Ok(fields) => fields,
        Err(refusal) => {
            assert!(checked.is_err() && stamp.is_none(), "{}: accepted and not shown", row.name);
            return end((row.tag, refusal.code));
        }
    };
    let by_name: BTreeMap<String, Value> =
        fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let built = (row.build)(&by_name).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    assert_eq!(built, body, "{}: two encodings of one value", row.name);
    for (field, (name, value)) in row.fields.iter().zip(&fields) {
        let again = Value::from_json(&field.kind, &value.to_json());
        let again = again.unwrap_or_else(|error| panic!("{} {name}: {error}", row.name));
        assert_eq!(again, *value, "{} {name}: JSON says something else", row.name);
    }
    arguments(row, &fields, body);
    end((row.tag, checked.map_err(|refusal| refusal.code), stamp.is_some()))
}

/// As people type it. A present but empty text cannot be told from an absent one.
fn arguments(row: &Row, fields: &[(&'static str, Value)], body: &[u8]) {
    let is_typed = row.fields.iter().zip(fields).all(|(field, (_, value))| {
        !matches!(field.kind, Kind::Optional(_))
            || *value == Value::Nothing
            || !value.to_string().is_empty()
    });
    if !is_typed {
        return;
    }
    let texts: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let parsed = row.parse(&texts).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    let built = (row.build)(&parsed).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    assert_eq!(built, body, "{}: arguments say something else", row.name);
}

/// A body with the least (0) or the most (1) that its fields hold.
pub fn sample(row: &Row, variant: usize) -> Vec<u8> {
    let value = |field: &ddt_ledger::schema::FieldInfo| {
        (field.name.to_string(), sample_value(field.kind, variant))
    };
    (row.build)(&row.fields.iter().map(value).collect()).expect("a sample is good")
}

fn seeds() -> Vec<Vec<u8>> {
    let rows = rows();
    let mut seeds = Vec::new();
    for (place, row) in (0u8..).zip(&rows) {
        for variant in 0..2 {
            seeds.push([&[place], sample(row, variant).as_slice()].concat());
        }
    }
    for event in &crate::world::world().events {
        let signed = ddt_ledger::event::Signed::decode(event).expect("of the world");
        let place = rows.iter().position(|row| row.tag == signed.draft.tag).unwrap_or_default();
        seeds.push([&[place as u8], signed.draft.body.as_slice()].concat());
    }
    seeds
}

/// The end of an error of fields.
pub fn field_end(error: &ddt_ledger::schema::FieldError) -> End {
    end_of(error)
}
