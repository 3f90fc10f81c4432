//! Views: any query, page and cursor over the world's state.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::admit::context_at;
use ddt_ledger::schema::{Kind, Value};
use ddt_ledger::state::Overlay;
use ddt_ledger::system::Head;
use ddt_ledger::view::{Page, ViewRow};
use serde_json::Value as Json;

use super::bodies::field_end;
use super::values::sample_value;
use crate::cursor::Cursor;
use crate::world::world;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "views",
    about: "Every view with any query and cursor: no fault, no more rows than asked for.",
    run,
    seeds,
    bytes_max: 4_096,
    tries: 6_000,
};

/// A view, a limit, a cursor, and the query as JSON.
fn run(bytes: &[u8]) -> End {
    let mut cursor = Cursor::of(bytes);
    let views: Vec<&ViewRow> = REGISTRY.views().collect();
    let view = cursor.pick(&views);
    let limit = usize::from(cursor.byte());
    let after = cursor.bytes(300);
    let after = (!after.is_empty()).then_some(after);
    let Ok(json) = serde_json::from_slice::<Json>(cursor.rest()) else { return end("no JSON") };
    let values = Value::from_json(&Kind::Group(view.query), &json).and_then(|group| group.group());
    match values {
        Ok(values) => asked(view, &values, &Page { limit, after }),
        Err(error) => field_end(&error),
    }
}

fn asked(view: &ViewRow, values: &BTreeMap<String, Value>, page: &Page) -> End {
    let rows = Overlay::new(&world().state);
    let head = Head::read(&rows).expect("a head");
    let cx = context_at(&rows, &head);
    let found = (view.run)(values, &cx, &rows, page);
    let key = (view.proof_key)(values);
    assert!(rows.fault().is_none(), "{}: {:?}", view.name, rows.fault());
    let found = match found {
        Ok(found) => found,
        Err(error) => return field_end(&error),
    };
    assert!(found.rows.len() <= page.limit.max(1), "{}: more rows than asked for", view.name);
    for row in &found.rows {
        let names = row.iter().map(|(name, _)| *name);
        assert!(names.eq(view.row.iter().map(|field| field.name)), "{}", view.name);
    }
    if let Some(next) = &found.next {
        let page = Page { limit: page.limit, after: Some(next.clone()) };
        let further = (view.run)(values, &cx, &rows, &page);
        assert!(further.is_ok(), "{}: its own cursor is refused", view.name);
    }
    end((view.name, found.rows.len().min(3), found.next.is_some(), key.is_ok()))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (place, view) in (0u8..).zip(REGISTRY.views()) {
        for (variant, limit) in [(0, 1), (0, 100), (1, 2)] {
            let values = view.query.iter().map(|field| {
                let value = match (field.name, field.kind) {
                    ("name", Kind::Name { .. }) => Value::Text("letters".to_string()),
                    (_, kind) => sample_value(kind, variant),
                };
                (field.name.to_string(), value.to_json())
            });
            let json = Json::Object(values.collect());
            let head = [place, limit, 0, 0];
            seeds.push([&head[..], json.to_string().as_bytes()].concat());
        }
    }
    seeds
}
