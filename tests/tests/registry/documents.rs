//! The OpenAPI document, row by row: whatever an event's fields or a view's answer may be, its
//! schema allows it.

use std::collections::BTreeSet;

use ddt_contracts::REGISTRY;
use ddt_ledger::schema::{Kind, Value};
use serde_json::{Value as Json, json};

use crate::values::{check, records};

/// What is wrong with a value by its schema; patterns aside.
fn wrong(schema: &Json, value: &Json) -> Option<String> {
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| wrong(one, value).is_none());
        return (!fits).then(|| format!("{value} is none of {any:?}"));
    }
    let is = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => schema["enum"].is_array(),
    };
    let length = value.as_str().map_or(0, |text| text.chars().count());
    let bounds = [
        is,
        schema["enum"].as_array().is_none_or(|all| all.contains(value)),
        schema["maxLength"].as_u64().is_none_or(|most| length as u64 <= most),
        schema["maximum"].as_u64().is_none_or(|most| value.as_u64().is_none_or(|n| n <= most)),
        schema["maxItems"]
            .as_u64()
            .is_none_or(|most| value.as_array().is_none_or(|all| all.len() as u64 <= most)),
    ];
    if !bounds.iter().all(|holds| *holds) {
        return Some(format!("{value} is not {schema}"));
    }
    if let Some(items) = value.as_array() {
        return items.iter().find_map(|item| wrong(&schema["items"], item));
    }
    let object = value.as_object()?;
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let missing = required.iter().find(|name| !object.contains_key(name.as_str().unwrap_or("")));
    let parts = object.iter().find_map(|(name, part)| match schema["properties"].get(name) {
        Some(schema) => wrong(schema, part).map(|words| format!("{name}: {words}")),
        None => Some(format!("{name} is no property")),
    });
    missing.map(|name| format!("{name} is missing")).or(parts)
}

/// Broken by: an event without a schema, a field whose schema is narrower than its kind, a
/// number, signer or refusal that the document does not tell.
#[test]
fn every_event_fits_its_schema() {
    let document = ddt_api::openapi(&REGISTRY);
    for row in REGISTRY.rows() {
        let schema = &document["components"]["schemas"][format!("event.{}", row.name)];
        assert_eq!(schema["x-tag"], row.tag, "{}", row.name);
        assert_eq!(schema["description"], row.words);
        let told: BTreeSet<&str> = row.refusals.iter().map(|refusal| refusal.code).collect();
        let listed = schema["x-refusals"].as_array().expect("a list");
        let listed: BTreeSet<&str> = listed.iter().filter_map(Json::as_str).collect();
        assert_eq!(listed, told, "{}", row.name);
        check(records(row.fields), |values| {
            let json = Value::Group(values.clone()).to_json();
            let found = wrong(schema, &json).map(|words| format!("{}: {words}", row.name));
            proptest::prop_assert_eq!(found, None);
            // And the object is read as the same body.
            let group = Value::from_json(&Kind::Group(row.fields), &json);
            proptest::prop_assert_eq!(group, Ok(Value::Group(values)));
            Ok(())
        });
    }
}

/// Broken by: a view whose path, query or rows the document does not tell.
#[test]
fn every_view_fits_its_schema() {
    let document = ddt_api::openapi(&REGISTRY);
    for view in REGISTRY.views() {
        let path = format!("/v1/views/{}", view.name.replace('.', "/"));
        let parameters = document["paths"][&path]["get"]["parameters"].as_array().expect("a list");
        for field in view.query {
            assert!(
                parameters.iter().any(|one| one["name"] == field.name),
                "{path}: {}",
                field.name
            );
        }
        let schema = &document["components"]["schemas"][format!("view.{}", view.name)];
        check(records(view.row), |values| {
            let found = wrong(schema, &Value::Group(values).to_json());
            proptest::prop_assert_eq!(found.map(|words| format!("{}: {words}", view.name)), None);
            Ok(())
        });
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": {
            "a": {"type": "integer", "maximum": 3},
            "b": {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]},
        },
    });
    assert_eq!(wrong(&schema, &json!({"a": 3, "b": null})), None);
    for bad in [
        json!({"b": "x"}),
        json!({"a": 4}),
        json!({"a": 1, "b": "xyz"}),
        json!({"a": 1, "c": 1}),
        json!([]),
    ] {
        assert!(wrong(&schema, &bad).is_some(), "{bad}");
    }
}
