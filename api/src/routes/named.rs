//! Histories by name: what touched it, newest first, each with its time and its words.

use axum::extract::{Path, State};
use axum::response::Response;
use ddt_ledger::receipt::{Receipt, Subject};
use ddt_ledger::schema::Value;
use ddt_ledger::store::Place;
use serde_json::{Map, Value as Json};

use super::receipts::{content, event_bytes, receipt_row};
use crate::error::Problem;
use crate::paging::{Listing, Params, cursor_text, place_bytes};
use crate::reading::{App, Reading};

/// Whose names these are.
const PROGRAMME: &str = "domains";
/// The view that says which names there can be.
const VIEW: &str = "domains.record";

fn no_names() -> Problem {
    Problem::not_found("This network has no domains.")
}

/// The number of the programme whose names these are.
fn programme(reading: &Reading) -> Result<u16, Problem> {
    let found = reading.registry().programmes.iter().find(|known| known.name == PROGRAMME);
    found.map(|found| found.id).ok_or_else(no_names)
}

/// Refuses what cannot be a name, as the view of its record does.
fn check_name(reading: &Reading, name: &str) -> Result<(), Problem> {
    let view = reading.registry().view(VIEW).ok_or_else(no_names)?;
    let field = view.query.iter().find(|field| field.name == "name").ok_or_else(no_names)?;
    let value = Value::parse(&field.kind, name).map_err(|error| error.inside("name"))?;
    (view.proof_key)(&[("name".to_string(), value)].into())?;
    Ok(())
}

/// A receipt with the time of its anchor and, while its lane block is kept here, its words
/// and fields.
fn row(reading: &Reading, receipt: &Receipt) -> Result<Json, Problem> {
    let mut json = receipt_row(reading.registry(), reading.head.height, receipt);
    let anchor = reading.snapshot.anchor(receipt.height)?;
    let anchor = anchor.ok_or_else(|| Problem::fault("a receipt's anchor is missing"))?;
    let bytes = match &receipt.subject {
        Subject::Event(place) => event_bytes(reading, place)?,
        _ => None,
    };
    let content = match bytes {
        Some(bytes) => content(reading.registry(), &bytes)?,
        None => Map::new(),
    };
    if let Some(object) = json.as_object_mut() {
        object.insert("time".to_string(), anchor.head.time.0.into());
        for part in ["words", "fields"] {
            let value = content.get(part).cloned().unwrap_or_default();
            object.insert(part.to_string(), value);
        }
    }
    Ok(json)
}

/// Receipts about a name before a place, newest first.
fn list(
    reading: &Reading,
    name: &str,
    before: Option<Place>,
    limit: usize,
) -> Result<Listing, Problem> {
    check_name(reading, name)?;
    let one_more = limit.saturating_add(1);
    let mut places = reading.snapshot.named(programme(reading)?, name, before, one_more)?;
    let has_more = places.len() > limit;
    places.truncate(limit);
    let receipt = |place: &Place| {
        let found = reading.snapshot.receipt(*place)?;
        let found = found.ok_or_else(|| Problem::fault("a receipt of a name is missing"))?;
        row(reading, &found)
    };
    let rows = places.iter().map(receipt).collect::<Result<_, Problem>>()?;
    let last = places.last().filter(|_| has_more);
    let next = last.map(|place| cursor_text('n', &place_bytes(*place)));
    Ok(Listing { anchor: reading.head.height, rows, next, proof: None })
}

pub(super) async fn of_domain(
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&["limit", "cursor"])?;
    let name = name.strip_suffix(".ddt").unwrap_or(&name).to_string();
    let (before, limit) = (params.place('n')?, params.limit()?);
    let listing = app.read(move |reading| list(reading, &name, before, limit)).await?;
    Ok(listing.answer(&params))
}
