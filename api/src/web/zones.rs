//! Pages of zones and routers: who governs what, how far each lane is, who is a member.

use axum::extract::{Path, State};
use ddt_ledger::Zone;
use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::view::Page as ViewPage;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::Page;
use super::frame::frame;
use super::pages::object;
use super::table::{fields, listing};
use crate::error::Problem;
use crate::paging::{Listing, Params};
use crate::reading::{App, Reading};
use crate::routes::{self, views};

const ZONE: [&str; 6] = ["zone", "router", "events", "voids", "is_validator", "is_governed"];
const MEMBER: [&str; 6] = ["account", "address", "presence", "standing", "joined", "lease_until"];
const ROUTER: [&str; 8] =
    ["account", "zone", "bond", "is_validator", "will_validate", "is_out", "leaves", "heard"];

/// What a zone's page shows.
struct Facts {
    zone: Json,
    lane: Json,
    /// Of the router that governs it now.
    router: Option<Json>,
    members: Listing,
}

/// A view's rows, of which each is one record with this name.
fn records(list: Listing, name: &str) -> Listing {
    let record = |mut row: Json| Some(row.get_mut(name)?.take());
    Listing { rows: list.rows.into_iter().filter_map(record).collect(), ..list }
}

/// How many of the zone's seats are taken.
fn seats(reading: &Reading, zone: Zone) -> Result<Option<Json>, Problem> {
    // All zones there can be.
    let page = ViewPage::first(TIPS_MAX);
    let found = views::view(reading, "zones.seats", std::iter::empty(), &page, false)?;
    let is_its = |row: &Json| row.get("zone").and_then(Json::as_u64) == Some(u64::from(zone.0));
    Ok(found.rows.into_iter().find(is_its))
}

/// Who governs the zone; the row of a zone without a router names the last one.
fn router(reading: &Reading, zone: &Json) -> Result<Option<Json>, Problem> {
    let is_governed = zone.get("is_governed").and_then(Json::as_bool).unwrap_or_default();
    let account = zone.get("router").and_then(Json::as_str).filter(|_| is_governed);
    let Some(account) = account else { return Ok(None) };
    let given = [("account", account)].into_iter();
    let found = views::view(reading, "zones.router", given, &ViewPage::first(1), false)?;
    Ok(records(found, "router").rows.into_iter().next())
}

fn facts(reading: &Reading, number: Zone, page: &ViewPage) -> Result<Facts, Problem> {
    let (mut zone, mut lane) = routes::zone_and_lane(reading, number)?;
    if let (Some(all), Some(Json::Object(seats))) = (zone.as_object_mut(), seats(reading, number)?)
    {
        all.extend(seats);
    }
    // On pages a height leads to an anchor, and this one is a block's.
    if let Some(all) = lane.as_object_mut()
        && let Some(height) = all.remove("height")
    {
        all.insert("block".to_string(), height);
    }
    let router = router(reading, &zone)?;
    let text = number.to_string();
    let given = [("zone", text.as_str())].into_iter();
    let members = views::view(reading, "zones.members", given, page, false)?;
    Ok(Facts { zone, lane, router, members: records(members, "member") })
}

/// A record below a heading of its own.
fn part(title: &str, json: &Json, hidden: &[&str]) -> Markup {
    let content = json.as_object().map(|object| fields(object, hidden));
    html! { h2 { (title) } (content.unwrap_or_default()) }
}

pub(super) async fn zones(State(app): State<App>, params: Params) -> Page {
    let page = async {
        let (after, limit) = (params.number('z')?, params.limit()?);
        let list = app.read(move |reading| Ok(routes::zones(reading, after, limit))).await?;
        let rows = listing(&list, &ZONE, "/zones");
        Ok(frame("Zones", &html! { h1 { "Zones" } (rows) }))
    };
    page.await.into()
}

pub(super) async fn zone(
    State(app): State<App>,
    Path(number): Path<String>,
    params: Params,
) -> Page {
    let page = async {
        let number = number.parse::<u32>().map(Zone);
        let number = number.map_err(|_| Problem::not_found("A zone has a number."))?;
        let page = ViewPage { limit: params.limit()?, after: params.cursor('v')? };
        let found = app.read(move |reading| facts(reading, number, &page)).await?;
        let title = format!("Zone {number}");
        Ok(frame(
            &title,
            &html! {
                (object(&title, &found.zone, &["zone"]))
                (part("Lane", &found.lane, &["zone", "key"]))
                @if let Some(router) = &found.router {
                    (part("Router", router, &["zone"]))
                } @else {
                    h2 { "Router" }
                    p {
                        "No router governs this zone at present: nothing is sequenced here, and \
                         nobody can sign up. Router and key above are those of the last one."
                    }
                }
                h2 { "Members" }
                (listing(&found.members, &MEMBER, &format!("/zone/{number}")))
            },
        ))
    };
    page.await.into()
}

pub(super) async fn routers(State(app): State<App>, params: Params) -> Page {
    let page = async {
        let page = ViewPage { limit: params.limit()?, after: params.cursor('v')? };
        let read = app.read(move |reading| {
            views::view(reading, "zones.routers", std::iter::empty(), &page, false)
        });
        let rows = listing(&records(read.await?, "router"), &ROUTER, "/routers");
        Ok(frame("Routers", &html! { h1 { "Routers" } (rows) }))
    };
    page.await.into()
}
