//! What a text may mean.

use axum::extract::State;
use axum::response::Response;
use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::view::Page;
use ddt_ledger::{AccountId, Hash};
use serde_json::{Value as Json, json};

use super::events::EventName;
use super::{ok, views};
use crate::error::Problem;
use crate::paging::{Params, escape};
use crate::reading::{App, Reading};

/// Longest text searched for.
const TEXT_BYTES_MAX: usize = 128;
/// Anchors looked through, newest first, for one whose id or block a hash is.
const ANCHORS_MAX: u64 = 1_000;

fn hit(kind: &str, name: &str) -> Json {
    let collection = if kind == "domain" { "domains" } else { &format!("{kind}s") };
    let name = if kind == "event" { name.to_string() } else { escape(name) };
    json!({
        "kind": kind,
        "url": format!("/v1/{collection}/{name}"),
        "page": format!("/{kind}/{name}"),
    })
}

/// What `text` may mean, likeliest first.
pub(crate) fn find(reading: &Reading, text: &str) -> Result<Vec<Json>, Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        let words = format!("Type 1 to {TEXT_BYTES_MAX} bytes to search for.");
        return Err(Problem::parameter("q", words));
    }
    let mut hits = Vec::new();
    if let Ok(height) = text.parse::<u64>()
        && (1..=reading.head.height).contains(&height)
    {
        hits.push(hit("anchor", &height.to_string()));
    }
    if let Ok(name) = text.parse::<EventName>() {
        hits.extend(find_event(reading, name)?);
    }
    let is_found = !hits.is_empty();
    if let Some(hash) = Hash::from_hex(text).filter(|_| !is_found) {
        let height = find_anchor(reading, &hash)?;
        hits.extend(height.map(|height| hit("anchor", &height.to_string())));
    }
    if let Ok(account) = text.parse::<AccountId>() {
        hits.push(hit("account", &account.to_string()));
    }
    hits.extend(find_domain(reading, text)?);
    Ok(hits)
}

fn find_event(reading: &Reading, name: EventName) -> Result<Option<Json>, Problem> {
    let id = match name {
        EventName::Number(zone, number) => reading.snapshot.event_numbered(zone, number)?,
        EventName::Id(id) => {
            let is_anchored = reading.snapshot.event_place(&id)?.is_some();
            (is_anchored || reading.backend.pending(&id).is_some()).then_some(id)
        }
    };
    Ok(id.map(|id| hit("event", &id.to_string())))
}

/// The recent anchor with this id, or that moved a lane to the block with this id.
fn find_anchor(reading: &Reading, hash: &Hash) -> Result<Option<u64>, Problem> {
    let newest = reading.head.height;
    for height in (newest.saturating_sub(ANCHORS_MAX).max(1)..=newest).rev() {
        let Some(record) = reading.snapshot.anchor(height)? else { continue };
        let body = AnchorBody::decode(&record.body).map_err(Problem::fault)?;
        let moved_to_it = body.tips.items().iter().any(|tip| tip.block == *hash);
        if record.id() == *hash || moved_to_it {
            return Ok(Some(height));
        }
    }
    Ok(None)
}

fn find_domain(reading: &Reading, text: &str) -> Result<Option<Json>, Problem> {
    let name = text.strip_suffix(".ddt").unwrap_or(text).to_ascii_lowercase();
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_plain || reading.registry().view("domains.record").is_none() {
        return Ok(None);
    }
    let given = [("name", name.as_str())].into_iter();
    let found = views::view(reading, "domains.record", given, &Page::first(1), false);
    // A name that cannot be one is no error of a search.
    Ok(found.ok().filter(|found| !found.rows.is_empty()).map(|_| hit("domain", &name)))
}

pub(super) async fn search(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&["q"])?;
    let text = params.get("q").ok_or_else(|| Problem::parameter("q", "What to search for?"))?;
    let text = text.to_string();
    let answer = app.read(move |reading| {
        let rows = find(reading, &text)?;
        Ok(json!({"anchor": reading.head.height, "rows": rows}))
    });
    answer.await.map(ok)
}
