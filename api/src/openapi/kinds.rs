//! JSON schemas of the registry's kinds and records.

use ddt_ledger::schema::{FieldInfo, Kind};
use serde_json::{Map, Value as Json, json};

use super::shapes::type_schema;

/// The JSON schema of a kind's values, as views answer them and events take them.
pub fn kind_schema(kind: &Kind) -> Json {
    match kind {
        Kind::Amount => type_schema("amount"),
        Kind::Account => type_schema("account"),
        Kind::Address => type_schema("address"),
        Kind::PublicKey => type_schema("key"),
        Kind::Hash => type_schema("hash"),
        Kind::Name { bytes_max } => {
            json!({"type": "string", "maxLength": bytes_max, "description": "A name."})
        }
        Kind::Text { bytes_max } => json!({"type": "string", "maxLength": bytes_max}),
        Kind::Bytes { bytes_max } => {
            let digits = bytes_max.saturating_mul(2);
            json!({"type": "string", "pattern": "^([0-9a-f]{2})*$", "maxLength": digits})
        }
        Kind::Time => type_schema("time"),
        Kind::Duration => {
            json!({"type": "integer", "minimum": 0, "description": "Milliseconds."})
        }
        Kind::Count { max } => json!({"type": "integer", "minimum": 0, "maximum": max}),
        Kind::Zone => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::List { of, length_max } => {
            json!({"type": "array", "items": kind_schema(of), "maxItems": length_max})
        }
        Kind::Optional(of) => json!({"anyOf": [kind_schema(of), {"type": "null"}]}),
        Kind::Group(fields) => fields_schema(fields),
    }
}

/// The JSON schema of a record.
pub fn fields_schema(fields: &[FieldInfo]) -> Json {
    let property = |field: &FieldInfo| {
        let mut schema = kind_schema(&field.kind);
        if let Some(object) = schema.as_object_mut().filter(|_| !field.doc.is_empty()) {
            object.insert("description".into(), field.doc.trim().into());
        }
        (field.name.to_string(), schema)
    };
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| !matches!(field.kind, Kind::Optional(_)))
        .map(|field| field.name)
        .collect();
    json!({
        "type": "object",
        "properties": fields.iter().map(property).collect::<Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}
