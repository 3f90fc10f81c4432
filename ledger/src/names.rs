//! Names that receipts are about, for histories by name: found by kind, for every programme
//! alike. Outside every root: no rule reads them (spec STO-7).

use std::collections::BTreeSet;

use crate::registry::{Registry, Row};
use crate::schema::{FieldInfo, Kind, Value};

/// Longest name that a history is kept for, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// A receipt is about a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Naming {
    /// The receipt's place in its anchor.
    pub index: u32,
    /// The programme whose name it is.
    pub programme: u16,
    /// The name.
    pub name: String,
}

/// The names in an event's fields of [`Kind::Name`], also inside lists and groups.
pub(crate) fn of_event(row: &Row, body: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // Most events name nothing: their bodies are not decoded again.
    if row.fields.iter().any(|field| may_name(&field.kind)) {
        let values = (row.show)(body).unwrap_or_default();
        collect_fields(row.fields, &values, &mut names);
    }
    names
}

/// The name that a deadline is for: its key is the key of a row of its programme, and that
/// reads as this one text.
pub(crate) fn of_deadline(registry: &Registry, tag: u16, key: &[u8]) -> Option<String> {
    let (programme, _) = registry.deadline(tag)?;
    let text = std::str::from_utf8(key).ok().filter(|text| is_name(text))?;
    let is_key = |shown: Option<crate::schema::Fields>| match shown.as_deref() {
        Some([(_, Value::Text(shown))]) => shown == text,
        _ => false,
    };
    let is_name = programme.tables.iter().any(|table| is_key((table.show)(key, None)));
    is_name.then(|| text.to_string())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX
}

fn may_name(kind: &Kind) -> bool {
    match kind {
        Kind::Name { .. } => true,
        Kind::Optional(inner) => may_name(inner),
        Kind::List { of, .. } => may_name(of),
        Kind::Group(fields) => fields.iter().any(|field| may_name(&field.kind)),
        _ => false,
    }
}

fn collect_fields(
    fields: &[FieldInfo],
    values: &[(&'static str, Value)],
    names: &mut BTreeSet<String>,
) {
    for (field, (_, value)) in fields.iter().zip(values) {
        collect(&field.kind, value, names);
    }
}

fn collect(kind: &Kind, value: &Value, names: &mut BTreeSet<String>) {
    match (kind, value) {
        (Kind::Name { .. }, Value::Text(name)) if is_name(name) => {
            names.insert(name.clone());
        }
        (Kind::Optional(inner), value) => collect(inner, value, names),
        (Kind::List { of, .. }, Value::List(items)) => {
            items.iter().for_each(|item| collect(of, item, names));
        }
        (Kind::Group(fields), Value::Group(values)) => collect_fields(fields, values, names),
        _ => {}
    }
}
