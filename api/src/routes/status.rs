//! The node's health and identity.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ddt_ledger::system::{Lane, Supply};
use serde_json::{Value as Json, json};

use super::ok;
use crate::error::Problem;
use crate::paging::Params;
use crate::reading::{App, Reading, to_json};

const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

pub(super) async fn livez() -> Response {
    (TEXT, "ok\n").into_response()
}

pub(super) async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    let status = app.backend.status();
    if status.is_ready {
        return Ok((TEXT, "ok\n").into_response());
    }
    let words = format!("The node is not ready: {}.", status.not_ready);
    Err(Problem::busy("node.not_ready", words))
}

/// Events sequenced and anchored since genesis.
pub(crate) fn event_count(reading: &Reading) -> u64 {
    let lanes = Lane::scan(&reading.snapshot, None, ddt_ledger::anchor::TIPS_MAX);
    let counts = lanes.iter().map(|(_, lane)| lane.next_number.saturating_sub(1));
    counts.fold(0, u64::saturating_add)
}

pub(crate) fn status_of(reading: &Reading) -> Result<Json, Problem> {
    let book = reading.book();
    let head = &reading.head;
    Ok(json!({
        "anchor": head.height,
        "lowest": book.lowest(),
        "anchor_id": head.anchor,
        "chain": book.chain(),
        "network": book.genesis().name,
        "time": head.time,
        "clock": head.clock,
        "epoch": head.epoch,
        "proven": head.height.checked_sub(1),
        "events": event_count(reading),
        "accounts": Supply::read(&reading.snapshot).account_count,
        "now": reading.backend.now(),
        "node": to_json(&reading.backend.status())?,
    }))
}

pub(super) async fn status(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&[])?;
    app.read(status_of).await.map(ok)
}

pub(super) async fn genesis(State(app): State<App>) -> Result<Response, Problem> {
    let text = app.backend.book().genesis().to_toml().map_err(Problem::fault)?;
    Ok((TEXT, text).into_response())
}

pub(super) async fn document(State(app): State<App>) -> Response {
    ok(app.document.clone())
}

pub(super) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let ledger = app.read(|reading| Ok(ledger_metrics(reading))).await?;
    let status = app.backend.status();
    let mut text = ledger;
    gauge(&mut text, "ddt_ready", "Whether the node is ready.", u64::from(status.is_ready));
    gauge(&mut text, "ddt_mempool_events", "Events waiting to be sequenced.", status.mempool);
    gauge(&mut text, "ddt_peers", "Connected peers.", status.peers);
    family(&mut text, "ddt_http_answers_total", "counter", "Answers, by class of status.");
    for (class, count) in app.meters.answers() {
        let class = class.saturating_add(1);
        text.push_str(&format!("ddt_http_answers_total{{class=\"{class}xx\"}} {count}\n"));
    }
    app.meters.write(&mut text);
    let backend = app.backend.clone();
    let more = tokio::task::spawn_blocking(move || backend.metrics()).await;
    text.push_str(&more.map_err(Problem::fault)?);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((StatusCode::OK, kind, text).into_response())
}

pub(crate) fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) {
    family(text, name, "gauge", help);
    text.push_str(&format!("{name} {value}\n"));
}

fn ledger_metrics(reading: &Reading) -> String {
    let (head, supply) = (&reading.head, Supply::read(&reading.snapshot));
    let mut text = String::new();
    gauge(&mut text, "ddt_anchor_height", "Height of the last anchor.", head.height);
    gauge(&mut text, "ddt_anchor_time_ms", "Time of the last anchor.", head.time.0);
    gauge(&mut text, "ddt_epoch", "Epochs since genesis.", head.epoch);
    gauge(&mut text, "ddt_accounts", "Accounts that have opened.", supply.account_count);
    family(&mut text, "ddt_events_total", "counter", "Events anchored since genesis.");
    text.push_str(&format!("ddt_events_total {}\n", event_count(reading)));
    family(&mut text, "ddt_supply_apt", "gauge", "Where all money is, in APT.");
    let parts = [
        ("genesis", supply.genesis),
        ("minted", supply.minted),
        ("burned", supply.burned),
        ("accounts", supply.accounts),
        ("held", supply.held),
        ("pool", supply.pool),
    ];
    for (part, amount) in parts {
        text.push_str(&format!("ddt_supply_apt{{part=\"{part}\"}} {amount}\n"));
    }
    text
}
