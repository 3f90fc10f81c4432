//! Zones, lanes and anchors.

use axum::extract::{Path, State};
use axum::response::Response;
use ddt_ledger::Zone;
use ddt_ledger::anchor::AnchorBody;
use ddt_ledger::certificate::{Validator, ValidatorSet};
use ddt_ledger::store::AnchorRecord;
use ddt_ledger::system::{Lane, Validators};
use serde_json::{Value as Json, json};

use super::{ok, path_part};
use crate::error::Problem;
use crate::paging::{Listing, Params, cursor_text};
use crate::reading::{App, Reading, to_json};

const PAGED: [&str; 2] = ["limit", "cursor"];

fn zone_row(zone: Zone, lane: &Lane, validators: &ValidatorSet) -> Json {
    let is_validator = validators.0.iter().any(|validator| validator.key == lane.key);
    json!({
        "zone": zone,
        "router": lane.router,
        "key": lane.key,
        "events": lane.next_number.saturating_sub(1),
        "voids": lane.voids,
        "is_validator": is_validator,
        "is_governed": lane.is_governed,
    })
}

fn lane_row(zone: Zone, lane: &Lane) -> Json {
    json!({
        "zone": zone,
        "term": lane.term,
        "height": lane.height,
        "tip": lane.tip,
        "next_number": lane.next_number,
        "key": lane.key,
        "opened": lane.opened,
        "heard": lane.heard,
    })
}

fn validators(reading: &Reading) -> ValidatorSet {
    Validators::read(&reading.snapshot).map_or(ValidatorSet(Vec::new()), |known| known.next)
}

fn scan(
    reading: &Reading,
    after: Option<u64>,
    limit: usize,
    row: impl Fn(Zone, &Lane) -> Json,
) -> Listing {
    let after = after.map(|zone| Zone(u32::try_from(zone).unwrap_or(u32::MAX)));
    let lanes = Lane::scan(&reading.snapshot, after, limit.saturating_add(1));
    let page = lanes.iter().take(limit);
    let last = page.clone().next_back().filter(|_| lanes.len() > limit);
    let next = last.map(|(zone, _)| cursor_text('z', &u64::from(zone.0).to_be_bytes()));
    let rows = page.map(|(zone, lane)| row(*zone, lane)).collect();
    Listing { anchor: reading.head.height, rows, next, proof: None }
}

/// Zones in order.
pub(crate) fn zones(reading: &Reading, after: Option<u64>, limit: usize) -> Listing {
    let validators = validators(reading);
    scan(reading, after, limit, |zone, lane| zone_row(zone, lane, &validators))
}

pub(super) async fn zones_listed(
    State(app): State<App>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&PAGED)?;
    let (after, limit) = (params.number('z')?, params.limit()?);
    let listing = app.read(move |reading| Ok(zones(reading, after, limit))).await?;
    Ok(listing.answer(&params))
}

pub(super) async fn lanes_listed(
    State(app): State<App>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&PAGED)?;
    let (after, limit) = (params.number('z')?, params.limit()?);
    let listing = app.read(move |reading| Ok(scan(reading, after, limit, lane_row))).await?;
    Ok(listing.answer(&params))
}

fn lane_of(reading: &Reading, zone: Zone) -> Result<Lane, Problem> {
    let lane = Lane::read(&reading.snapshot, zone);
    lane.ok_or_else(|| Problem::not_found("There is no such zone."))
}

/// A zone, and how far its lane counts.
pub(crate) fn zone_and_lane(reading: &Reading, zone: Zone) -> Result<(Json, Json), Problem> {
    let lane = lane_of(reading, zone)?;
    Ok((zone_row(zone, &lane, &validators(reading)), lane_row(zone, &lane)))
}

async fn one(
    app: App,
    zone: String,
    row: impl FnOnce(&Reading, Zone, &Lane) -> Json + Send + 'static,
) -> Result<Response, Problem> {
    let zone = Zone(path_part("zone", &zone, "A zone's number")?);
    let answer = app.read(move |reading| {
        let lane = lane_of(reading, zone)?;
        let mut json = row(reading, zone, &lane);
        if let Some(object) = json.as_object_mut() {
            object.insert("anchor".to_string(), reading.head.height.into());
        }
        Ok(json)
    });
    answer.await.map(ok)
}

pub(super) async fn zone(
    State(app): State<App>,
    Path(zone): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&[])?;
    one(app, zone, |reading, zone, lane| zone_row(zone, lane, &validators(reading))).await
}

pub(super) async fn lane(
    State(app): State<App>,
    Path(zone): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&[])?;
    one(app, zone, |_, zone, lane| lane_row(zone, lane)).await
}

fn anchor_row(reading: &Reading, height: u64, record: &AnchorRecord) -> Json {
    let is_proven = height < reading.head.height;
    json!({
        "height": height,
        "id": record.id(),
        "stage": if is_proven { "proven" } else { "final" },
        "time": record.head.time,
        "clock": record.head.clock,
        "epoch": record.head.epoch,
        "receipts": record.head.receipts,
        "state_root": record.roots.state,
        "receipts_root": record.roots.receipts,
    })
}

/// An anchor as lists show it.
pub(crate) fn anchor_summary(reading: &Reading, height: u64) -> Result<Json, Problem> {
    let record = reading.snapshot.anchor(height)?;
    let record = record.ok_or_else(|| no_anchor(reading, height))?;
    Ok(anchor_row(reading, height, &record))
}

fn no_anchor(reading: &Reading, height: u64) -> Problem {
    let (newest, lowest) = (reading.head.height, reading.book().lowest());
    if (1..lowest).contains(&height) {
        return Problem::not_found(format!(
            "Anchor {height} is not on this node: its history begins at anchor {lowest} \
             (lowest). Ask a node with all history."
        ));
    }
    Problem::not_found(format!("There is no anchor {height}; the newest is {newest}."))
}

/// Anchors below `before`, newest first.
pub(crate) fn anchors(
    reading: &Reading,
    before: Option<u64>,
    limit: usize,
) -> Result<Listing, Problem> {
    let newest = reading.head.height;
    let first = before.map_or(newest, |before| before.saturating_sub(1).min(newest));
    let mut rows = Vec::new();
    // The anchor of a snapshot is here, too, without what it did.
    let lowest = reading.book().lowest().saturating_sub(1).max(1);
    let mut heights = (lowest..=first).rev();
    for height in heights.by_ref().take(limit) {
        let Some(record) = reading.snapshot.anchor(height)? else { break };
        rows.push(anchor_row(reading, height, &record));
    }
    let next = heights.next().map(|next| next.saturating_add(1));
    let next = next.map(|next| cursor_text('a', &next.to_be_bytes()));
    Ok(Listing { anchor: newest, rows, next, proof: None })
}

pub(super) async fn anchors_listed(
    State(app): State<App>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&PAGED)?;
    let (before, limit) = (params.number('a')?, params.limit()?);
    let listing = app.read(move |reading| anchors(reading, before, limit)).await?;
    Ok(listing.answer(&params))
}

/// An anchor with everything it says.
pub(crate) fn anchor(reading: &Reading, height: u64) -> Result<Json, Problem> {
    let record = reading.snapshot.anchor(height)?;
    let record = record.ok_or_else(|| no_anchor(reading, height))?;
    let body = AnchorBody::decode(&record.body).map_err(Problem::fault)?;
    let mut json = anchor_row(reading, height, &record);
    let maker = |validator: &&Validator| validator.address() == body.maker;
    let known = validators(reading);
    let more = json!({
        "anchor": reading.head.height,
        "previous": body.previous,
        "before": {"state_root": body.state_root, "receipts_root": body.receipts_root},
        "next_validators": body.next_validators,
        "maker": hex::encode(body.maker.0),
        "maker_zone": known.0.iter().find(maker).map(|validator| validator.zone),
        "tips": to_json(&body.tips.items())?,
        "statements": to_json(&body.statements.items())?,
        "certificate": to_json(&record.certificate)?,
        "body": hex::encode(&record.body),
    });
    if let (Some(object), Json::Object(more)) = (json.as_object_mut(), more) {
        object.extend(more);
    }
    Ok(json)
}

pub(super) async fn anchor_shown(
    State(app): State<App>,
    Path(height): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&[])?;
    let height = path_part("height", &height, "An anchor's height")?;
    app.read(move |reading| anchor(reading, height)).await.map(ok)
}
