//! Tables of JSON rows: what a field's name says it is decides how it is shown.

use ddt_ledger::Millis;
use maud::{Markup, html};
use serde_json::{Map, Value as Json};

use crate::moment::shown;
use crate::paging::{Listing, escape};

/// Longest text shown whole; longer ones keep both ends and tell all in their title.
const TEXT_MAX: usize = 24;

fn short(text: &str) -> Markup {
    let length = text.chars().count();
    if length <= TEXT_MAX {
        return html! { (text) };
    }
    let start: String = text.chars().take(12).collect();
    let end: String = text.chars().skip(length.saturating_sub(6)).collect();
    html! { span.long title=(text) { (start) "…" (end) } }
}

/// The page that tells more about a field's value.
fn page_of(name: &str, text: &str) -> Option<String> {
    let text = escape(text);
    match name {
        "account" | "author" | "router" | "owner" => Some(format!("/account/{text}")),
        "to" if text.starts_with("apt1") => Some(format!("/account/{text}")),
        "event" if text.len() == 64 => Some(format!("/event/{text}")),
        "height" => Some(format!("/anchor/{text}")),
        "domain" => Some(format!("/domain/{text}")),
        "zone" => Some(format!("/zone/{text}")),
        _ => None,
    }
}

/// Fields that are moments, beside those whose names end so.
const MOMENTS: [&str; 12] = [
    "bonded", "clock", "deadline", "expires", "from", "heard", "joined", "leaves", "now", "opened",
    "seen", "time",
];

fn is_time(name: &str) -> bool {
    MOMENTS.contains(&name) || name == "until" || name.ends_with("_until") || name.ends_with("_at")
}

/// A field's value.
pub(super) fn value(name: &str, json: &Json, is_whole: bool) -> Markup {
    let text = match json {
        Json::Null => return html! { "–" },
        Json::Bool(flag) => return html! { (if *flag { "yes" } else { "no" }) },
        Json::Number(number) => {
            let time = number.as_u64().filter(|_| is_time(name));
            if let Some(time) = time {
                return html! { time { (shown(Millis(time))) } };
            }
            number.to_string()
        }
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => return html! { "none" },
        Json::Array(items) => return nested(items),
        Json::Object(object) if object.contains_key("kind") => return party(object),
        Json::Object(object) => return fields(object, &[]),
    };
    let shown = if is_whole {
        html! { (text) }
    } else {
        short(&text)
    };
    match page_of(name, &text) {
        Some(page) => html! { a href=(page) { (shown) } },
        None => shown,
    }
}

fn nested(items: &[Json]) -> Markup {
    match items.first() {
        Some(Json::Object(first)) => {
            let mut columns: Vec<&str> = first.keys().map(String::as_str).collect();
            // A posting reads from, to, amount, reason.
            if columns == ["amount", "from", "reason", "to"] {
                columns = vec!["from", "to", "amount", "reason"];
            }
            // Inside a row the same name may mean something else: a lane's height, say.
            rows_of(items, &columns, |name| if name == "height" { "" } else { name })
        }
        _ => html! { @for item in items { (value("", item, false)) " " } },
    }
}

fn party(object: &Map<String, Json>) -> Markup {
    let kind = object.get("kind").and_then(Json::as_str).unwrap_or_default();
    let of = |name: &str| value(name, object.get(name).unwrap_or(&Json::Null), false);
    match kind {
        "account" => of("account"),
        "allowance" => html! { "allowance of " (of("account")) },
        "fees" => html! { "fees of zone " (of("zone")) },
        "hold" => html! { "held " (of("key")) },
        _ => html! { (kind) },
    }
}

/// A field's name for people.
fn label(name: &str) -> String {
    name.replace('_', " ")
}

/// All fields of an object but `hidden` ones, one below the other.
pub(super) fn fields(object: &Map<String, Json>, hidden: &[&str]) -> Markup {
    let shown = object.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    html! {
        dl {
            @for (name, json) in shown {
                dt { (label(name)) }
                dd { (value(name, json, true)) }
            }
        }
    }
}

/// Rows with these columns.
pub(super) fn table(rows: &[Json], columns: &[&str]) -> Markup {
    rows_of(rows, columns, |name| name)
}

fn rows_of<'n>(rows: &[Json], columns: &[&'n str], meaning: fn(&'n str) -> &'n str) -> Markup {
    let cell = |row: &Json, name: &&'n str| {
        value(meaning(name), row.get(*name).unwrap_or(&Json::Null), false)
    };
    html! {
        @if rows.is_empty() { p.empty { "None yet." } } @else {
            div.scroll { table {
                thead { tr { @for name in columns { th scope="col" { (label(name)) } } } }
                tbody {
                    @for row in rows {
                        tr { @for name in columns {
                            td { (cell(row, name)) }
                        } }
                    }
                }
            } }
        }
    }
}

/// A page of rows, with the way to the next one.
pub(super) fn listing(listing: &Listing, columns: &[&str], path: &str) -> Markup {
    html! {
        (table(&listing.rows, columns))
        @if let Some(cursor) = &listing.next {
            p { a rel="next" href=(format!("{path}?cursor={cursor}")) { "Older" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: writing a value into a page without escaping it.
    #[test]
    fn nothing_becomes_markup() {
        let shown = value("domain", &Json::from("<b>\"x"), true).into_string();
        assert!(!shown.contains("<b>") && !shown.contains("\"x"), "{shown}");
    }
}
