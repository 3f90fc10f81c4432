//! A form's inputs from the kinds of an event's fields.

use ddt_ledger::registry::Row;
use ddt_ledger::schema::{FieldInfo, Kind};
use maud::{Markup, html};
use serde_json::{Map, Value as Json, json};

use super::form::Form;

/// The name of a field's input: apart from the form's own.
pub fn input_name(field: &FieldInfo) -> String {
    format!("field.{}", field.name)
}

/// The event's fields as `name=value`; what is optional and empty is left out.
pub fn arguments(row: &Row, form: &Form) -> Vec<String> {
    let typed = row.fields.iter().filter_map(|field| {
        // Spaces around a text may be meant; nowhere else are they.
        let name = input_name(field);
        let text = match field.kind {
            Kind::Text { .. } => form.get(&name),
            _ => form.trimmed(&name),
        };
        let is_left_out = text.is_empty() && matches!(field.kind, Kind::Optional(_));
        (!is_left_out).then(|| format!("{}={text}", field.name))
    });
    typed.collect()
}

/// What to type.
pub fn hint(kind: &Kind) -> String {
    match kind {
        Kind::Amount => "In APT, such as 2.5.".to_string(),
        Kind::Account => "An account id, apt1…, or the name of a wallet here.".to_string(),
        Kind::Address => "A DDT address, ddt1….".to_string(),
        Kind::PublicKey | Kind::Hash => "64 hex digits.".to_string(),
        Kind::Name { bytes_max } | Kind::Text { bytes_max } => {
            format!("At most {bytes_max} bytes.")
        }
        Kind::Bytes { bytes_max } => format!("At most {bytes_max} bytes, in hex."),
        Kind::Time => "Milliseconds since 1970-01-01 UTC.".to_string(),
        Kind::Duration => "Milliseconds.".to_string(),
        Kind::Count { max } => format!("A whole number, at most {max}."),
        Kind::Zone => "A zone's number.".to_string(),
        Kind::Flag | Kind::Choice(_) => String::new(),
        Kind::List { .. } | Kind::Group(_) => format!("JSON, such as {}", example(kind)),
        Kind::Optional(inner) => format!("May be empty. {}", hint(inner)),
    }
}

/// JSON of this kind.
fn example(kind: &Kind) -> Json {
    match kind {
        Kind::Amount => json!("2.5"),
        Kind::Account => json!("apt1…"),
        Kind::Address => json!("ddt1…"),
        Kind::PublicKey | Kind::Hash | Kind::Bytes { .. } => json!("00…"),
        Kind::Choice(words) => json!(words.first()),
        Kind::Flag => json!(true),
        Kind::Name { .. } | Kind::Text { .. } => json!("…"),
        Kind::Count { .. } | Kind::Zone | Kind::Time | Kind::Duration => json!(1),
        Kind::List { of, .. } => json!([example(of)]),
        Kind::Optional(inner) => example(inner),
        Kind::Group(fields) => {
            let fields = fields.iter().map(|field| (field.name.to_string(), example(&field.kind)));
            Json::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// The input of a field, with what was typed.
pub fn input(field: &FieldInfo, typed: &str) -> Markup {
    let (kind, is_optional) = match field.kind {
        Kind::Optional(inner) => (*inner, true),
        kind => (kind, false),
    };
    let name = input_name(field);
    let choose = |words: &[&str]| {
        html! {
            select id=(name) name=(name) {
                @if is_optional { option value="" { "–" } }
                @for word in words { option value=(word) selected[*word == typed] { (word) } }
            }
        }
    };
    let line = |mode: &str| {
        html! {
            input id=(name) name=(name) value=(typed) required[!is_optional] inputmode=(mode)
                spellcheck="false" autocapitalize="off";
        }
    };
    match kind {
        Kind::Choice(words) => choose(words),
        Kind::Flag => choose(&["false", "true"]),
        Kind::List { .. } | Kind::Group(_) | Kind::Bytes { .. } => html! {
            textarea id=(name) name=(name) rows="4" spellcheck="false" { (typed) }
        },
        Kind::Text { .. } => html! { input id=(name) name=(name) value=(typed); },
        Kind::Amount => line("decimal"),
        Kind::Count { .. } | Kind::Zone | Kind::Time | Kind::Duration => line("numeric"),
        _ => line("text"),
    }
}

#[cfg(test)]
mod tests {
    use ddt_contracts::REGISTRY;

    use super::*;

    // Broken by: a field of any event that has no input, or whose name is lost on the way.
    #[test]
    fn every_field_of_every_event_can_be_typed() {
        for row in REGISTRY.rows() {
            for field in row.fields {
                let shown = input(field, "<typed>").into_string();
                assert!(shown.contains(&format!("name=\"field.{}\"", field.name)), "{shown}");
                assert!(!shown.contains("<typed>"), "{shown}");
                hint(&field.kind);
            }
            let typed = row.fields.iter().map(|field| format!("field.{}=x", field.name));
            let form = Form::parse(typed.collect::<Vec<_>>().join("&").as_bytes());
            let arguments = arguments(row, &form);
            assert_eq!(arguments.len(), row.fields.len(), "{}", row.name);
        }
    }

    // Broken by: sending an empty text for what is absent, or dropping one that is required.
    #[test]
    fn what_is_optional_and_empty_is_absent() {
        let row = REGISTRY.row_named("bank.transfer").unwrap();
        let form = Form::parse(b"field.to=%20apt1x%20&field.amount=&field.memo=");
        assert_eq!(arguments(row, &form), ["to=apt1x", "amount="]);
        let form = Form::parse(b"field.memo=+two+words+");
        assert_eq!(arguments(row, &form), ["to=", "amount=", "memo=two words"]);
    }
}
