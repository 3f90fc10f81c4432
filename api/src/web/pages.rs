//! The pages: each shows what the API answers about the same thing.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use ddt_ledger::system::Supply;
use ddt_ledger::view::Page as ViewPage;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::Page;
use super::frame::frame;
use super::table::{fields, listing, table, value};
use crate::error::Problem;
use crate::paging::{Listing, Params};
use crate::reading::{App, Reading};
use crate::routes::{self, views};

const ANCHOR: [&str; 5] = ["height", "time", "receipts", "stage", "id"];
const EVENT: [&str; 7] = ["height", "what", "author", "outcome", "zone", "number", "event"];
/// Shown on the first page.
const NEWEST: usize = 8;

/// A record below the page's heading.
pub(super) fn object(title: &str, json: &Json, hidden: &[&str]) -> Markup {
    let content = json.as_object().map(|object| fields(object, hidden));
    html! { h1 { (title) } (content.unwrap_or_default()) }
}

/// What a receipt is about, in words.
fn what(receipt: &Json) -> String {
    let text = |name: &str| receipt.get(name).and_then(Json::as_str).unwrap_or_default();
    let zone = receipt.get("zone").and_then(Json::as_u64).unwrap_or_default();
    match (text("subject"), text("name")) {
        ("fees", _) => format!("fees of zone {zone}"),
        ("deadline", name) => format!("deadline {name}"),
        (_, name) => name.to_string(),
    }
}

/// On pages an id links to what it is of, so an event's has a name of its own there.
fn with_event(mut receipt: Json) -> Json {
    let what = what(&receipt);
    if let Some(object) = receipt.as_object_mut() {
        object.insert("what".to_string(), what.into());
        if let Some(id) = object.remove("id") {
            object.insert("event".to_string(), id);
        }
    }
    receipt
}

fn receipts(rows: Vec<Json>) -> Vec<Json> {
    rows.into_iter().map(with_event).collect()
}

fn with_events(list: Listing) -> Listing {
    Listing { rows: receipts(list.rows), ..list }
}

fn how_to_check(url: &str) -> Markup {
    html! {
        details {
            summary { "Proof" }
            p {
                "Take the " a href=(url) { "proof" } " and the network's "
                a href="/v1/genesis" { "genesis file" }
                ", and check offline, trusting no node: "
                code { "ddt verify proof.json --genesis genesis.toml" }
            }
        }
    }
}

fn figures(reading: &Reading) -> Result<Markup, Problem> {
    let status = routes::status::status_of(reading)?;
    let economy = routes::economy(reading, None, 1)?;
    let supply = Supply::read(&reading.snapshot);
    let fees = ddt_ledger::fees::Fees::at(ddt_ledger::system::value_index(&reading.snapshot));
    let of = |json: &Json, name: &str| json.get(name).cloned().unwrap_or_default();
    let figures = [
        ("anchor", "Anchors", of(&status, "anchor")),
        ("time", "Time (UTC)", of(&status, "time")),
        ("events", "Events", of(&status, "events")),
        ("accounts", "Accounts", supply.account_count.into()),
        ("supply", "Supply (APT)", of(&economy, "supply")),
        ("pool", "Pool (APT)", of(&economy, "pool")),
        ("value_index", "Value index", of(&economy, "value_index")),
        ("fee", "Fee of 250 bytes (APT)", fees.event(250).to_string().into()),
    ];
    Ok(html! {
        ul.figures {
            @for (name, title, json) in &figures {
                li { span { (title) } strong data-figure=(name) { (value(name, json, true)) } }
            }
        }
    })
}

pub(super) async fn home(State(app): State<App>) -> Page {
    let page = app.read(|reading| {
        let network = reading.book().genesis().name.clone();
        let anchors = routes::anchors(reading, None, NEWEST)?;
        let events = routes::events::list(reading, &Default::default(), None, NEWEST)?;
        Ok(frame(
            &network,
            &html! {
                h1 { "The ledger of " (network) }
                p {
                    "DDT pays people for storage and bandwidth. Everything public about it, every \
                     payment, domain and reward, stands in one ledger. This node holds a copy, \
                     checks all of it, and shows it here."
                }
                (figures(reading)?)
                h2 { "Newest anchors" }
                (table(&anchors.rows, &ANCHOR))
                p { a href="/anchors" { "All anchors" } }
                h2 { "Newest receipts" }
                (table(&receipts(events.rows), &EVENT))
                p { a href="/events" { "All events" } }
            },
        ))
    });
    page.await.into()
}

pub(super) async fn search(State(app): State<App>, params: Params) -> Response {
    let text = params.get("q").unwrap_or_default().to_string();
    let hits = app.read(move |reading| routes::search::find(reading, &text)).await;
    let first = hits.as_ref().ok().and_then(|hits| hits.first()?.get("page")?.as_str());
    match (first, &hits) {
        (Some(page), _) => Redirect::to(page).into_response(),
        (None, Ok(_)) => {
            let words = "Nothing is found. A height, an event's id or zone:number, an anchor's or \
                block's hash, an account (apt1…) or a domain can be searched for.";
            Page::from(Err(Problem::not_found(words))).into_response()
        }
        (None, Err(problem)) => Page::from(Err(problem.clone())).into_response(),
    }
}

pub(super) async fn anchors(State(app): State<App>, params: Params) -> Page {
    let page = async {
        let (before, limit) = (params.number('a')?, params.limit()?);
        let list = app.read(move |reading| routes::anchors(reading, before, limit)).await?;
        let rows = listing(&list, &ANCHOR, "/anchors");
        Ok(frame("Anchors", &html! { h1 { "Anchors" } (rows) }))
    };
    page.await.into()
}

pub(super) async fn anchor(State(app): State<App>, Path(height): Path<String>) -> Page {
    let page = app.read(move |reading| {
        let height = height.parse();
        let height = height.map_err(|_| Problem::not_found("An anchor's height is a number."))?;
        let json = routes::anchor(reading, height)?;
        let title = format!("Anchor {height}");
        let receipts = reading.snapshot.receipts(height, 0, 200)?;
        let row = |receipt| {
            routes::receipts::receipt_row(reading.registry(), reading.head.height, receipt)
        };
        let rows = self::receipts(receipts.iter().map(row).collect());
        Ok(frame(
            &title,
            &html! {
                (object(&title, &json, &["anchor", "body", "certificate", "statements"]))
                h2 { "Receipts" }
                (table(&rows, &["index", "what", "author", "outcome", "fee", "event"]))
            },
        ))
    });
    page.await.into()
}

pub(super) async fn events(State(app): State<App>, params: Params) -> Page {
    let page = async {
        let (before, limit) = (params.place('e')?, params.limit()?);
        let list = app
            .read(move |reading| routes::events::list(reading, &Default::default(), before, limit));
        let rows = listing(&with_events(list.await?), &EVENT, "/events");
        Ok(frame("Events", &html! { h1 { "Events" } (rows) }))
    };
    page.await.into()
}

pub(super) async fn event(State(app): State<App>, Path(name): Path<String>) -> Page {
    let page = app.read(move |reading| {
        let parsed = name.parse();
        let parsed = parsed.map_err(|()| Problem::not_found("That names no event."))?;
        let json = routes::event(reading, parsed, false)?;
        let json = with_event(json);
        let id = json.get("event").and_then(Json::as_str).unwrap_or_default();
        let words = json.get("words").and_then(Json::as_str).unwrap_or_default();
        let title = json.get("name").and_then(Json::as_str).unwrap_or("Event");
        let is_proven = json.get("stage").is_some_and(|stage| stage == "proven");
        Ok(frame(
            title,
            &html! {
                (object(title, &json, &["anchor", "name", "what", "words", "bytes"]))
                @if !words.is_empty() { p.words { (words) } }
                @if is_proven { (how_to_check(&format!("/v1/events/{id}?proof=1"))) }
            },
        ))
    });
    page.await.into()
}

pub(super) async fn account(
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Page {
    let page = async {
        let account = id.parse().map_err(|_| Problem::not_found("That is no account id."))?;
        let (before, limit) = (params.place('e')?, params.limit()?);
        let read = app.read(move |reading| {
            let json = routes::account(reading, account, false)?;
            Ok((json, routes::of_account(reading, account, before, limit)?))
        });
        let (json, history) = read.await?;
        let columns = ["height", "what", "outcome", "event", "postings"];
        Ok(frame(
            "Account",
            &html! {
                (object("Account", &json, &["anchor"]))
                (how_to_check(&format!("/v1/accounts/{id}?proof=1")))
                h2 { "History" }
                (listing(&with_events(history), &columns, &format!("/account/{id}")))
            },
        ))
    };
    page.await.into()
}

pub(super) async fn domain(State(app): State<App>, Path(name): Path<String>) -> Page {
    let page = app.read(move |reading| {
        let name = name.strip_suffix(".ddt").unwrap_or(&name);
        let given = [("name", name)].into_iter();
        let found = views::view(reading, "domains.record", given, &ViewPage::first(1), false)?;
        let title = format!("{name}.ddt");
        let row = found.rows.first().cloned().unwrap_or_default();
        let url = format!("/v1/domains/{}?proof=1", crate::paging::escape(name));
        Ok(frame(&title, &html! { (object(&title, &row, &[])) (how_to_check(&url)) }))
    });
    page.await.into()
}

pub(super) async fn economy(State(app): State<App>, params: Params) -> Page {
    let page = async {
        let (before, limit) = (params.number('p')?, params.limit()?);
        let json = app.read(move |reading| routes::economy(reading, before, limit)).await?;
        let epochs = json.get("epochs").and_then(Json::as_array).cloned().unwrap_or_default();
        let columns =
            ["epoch", "time", "events", "supply", "minted", "burned", "pool", "account_count"];
        let next = json.get("next").and_then(Json::as_str);
        Ok(frame(
            "Economy",
            &html! {
                (object("Economy", &json, &["anchor", "epochs", "next"]))
                h2 { "Epochs" }
                (table(&epochs, &columns))
                @if let Some(cursor) = next {
                    p { a rel="next" href=(format!("/economy?cursor={cursor}")) { "Older" } }
                }
            },
        ))
    };
    page.await.into()
}
