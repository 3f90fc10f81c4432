//! The routes, each beside its entry in the OpenAPI document: neither exists without the
//! other.

mod accounts;
mod chain;
mod economy;
pub(crate) mod events;
mod live;
mod named;
mod node;
pub(crate) mod receipts;
pub(crate) mod search;
pub(crate) mod status;
mod submit;
pub(crate) mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json as AxumJson, http::StatusCode};
use serde_json::Value as Json;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use accounts::account;
pub(crate) use chain::{anchor, anchors, zone_and_lane, zones};
pub(crate) use economy::economy;
pub(crate) use events::{event, of_account};

use crate::backend::Backend;
use crate::error::Problem;
use crate::guard;
use crate::limits::Limits;
use crate::openapi::{Operation, operation};
use crate::reading::App;
use crate::web;

/// A route: how it is documented, and what answers.
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) handler: MethodRouter<App>,
}

fn at(operation: Operation, handler: MethodRouter<App>) -> Route {
    Route { operation, handler }
}

/// The public listener's API.
pub(crate) fn public_routes() -> Vec<Route> {
    [status_routes(), chain_routes(), event_routes(), state_routes()]
        .into_iter()
        .flatten()
        .collect()
}

fn status_routes() -> Vec<Route> {
    let text = "text/plain; charset=utf-8";
    vec![
        at(operation("get", "/livez", "Whether the process runs.").media(text), get(status::livez)),
        at(
            operation("get", "/readyz", "Whether the node follows the network.")
                .media(text)
                .may_fail(503),
            get(status::readyz),
        ),
        at(
            operation("get", "/metrics", "Numbers in Prometheus' text format.").media(text),
            get(status::metrics),
        ),
        at(
            operation("get", "/v1/status", "The node and how far its ledger is.").answers("status"),
            get(status::status),
        ),
        at(
            operation("get", "/v1/genesis", "The genesis file, in TOML.").media(text),
            get(status::genesis),
        ),
        at(
            operation("get", "/v1/openapi.json", "This document.").answers("object"),
            get(status::document),
        ),
        at(
            operation("get", "/v1/registry", "Every event with its fields and words.")
                .answers("registry"),
            get(views::registry),
        ),
        at(
            operation("get", "/v1/search", "What a text may mean: where to look.")
                .query("q", "text!", "Height, id, hash, account, domain or zone:number.")
                .answers("found"),
            get(search::search),
        ),
    ]
}

fn chain_routes() -> Vec<Route> {
    let proof = "1: with what proves it, as of the last certified anchor.";
    vec![
        at(
            operation("get", "/v1/zones", "Zones and their routers.").paged().answers("[zone]"),
            get(chain::zones_listed),
        ),
        at(
            operation("get", "/v1/zones/{zone}", "A zone and its router.").answers("zone_now"),
            get(chain::zone),
        ),
        at(
            operation("get", "/v1/lanes", "How far each zone's lane counts.")
                .paged()
                .answers("[lane]"),
            get(chain::lanes_listed),
        ),
        at(
            operation("get", "/v1/lanes/{zone}", "How far a zone's lane counts.")
                .answers("lane_now"),
            get(chain::lane),
        ),
        at(
            operation("get", "/v1/anchors", "Anchors, newest first.").paged().answers("[anchor]"),
            get(chain::anchors_listed),
        ),
        at(
            operation("get", "/v1/anchors/{height}", "An anchor as it was decided.")
                .answers("anchor_whole"),
            get(chain::anchor_shown),
        ),
        at(
            operation("get", "/v1/accounts/{account}", "What an account has.")
                .query("proof", "flag", proof)
                .answers("account_now"),
            get(accounts::account_shown),
        ),
        at(
            operation("get", "/v1/accounts/{account}/events", "What touched it, newest first.")
                .paged()
                .answers("[receipt]"),
            get(events::of_account_listed),
        ),
    ]
}

fn event_routes() -> Vec<Route> {
    let proof = "1: with what proves its receipt, once the next anchor certified it.";
    vec![
        at(
            operation("get", "/v1/events", "What happened, newest first.")
                .query("zone", "count", "Only events of this zone.")
                .query("tag", "count", "Only events with this tag.")
                .query("name", "text", "Only events with this name.")
                .query("account", "account", "Only what touched this account.")
                .query("subject", "text", "event (if not given), deadline, fees or all.")
                .paged()
                .answers("[receipt]"),
            get(events::listed),
        ),
        at(
            operation("get", "/v1/events/{event}", "An event, by id or zone:number.")
                .query("proof", "flag", proof)
                .answers("event"),
            get(events::shown),
        ),
        at(
            operation("post", "/v1/events", "Submits a signed event.")
                .query("wait", "text", "sequenced, final or proven: answer only then.")
                .query("timeout_ms", "count", "How long to wait; then 202.")
                .event_body()
                .answers("submitted")
                .also(202, "submitted")
                .may_fail(422)
                .may_fail(503),
            post(submit::submit),
        ),
        at(
            operation(
                "post",
                "/v1/events/forecast",
                "What an event would do now; changes nothing.",
            )
            .query("unsigned", "flag", "1: the bytes are an event's without its signature.")
            .event_body()
            .answers("forecast")
            .may_fail(422),
            post(submit::forecast),
        ),
        at(
            operation("get", "/v1/live", "Server-sent events; ids are anchor:index.")
                .query("topics", "text", "Of anchors, events, account:ID; with commas between.")
                .media("text/event-stream")
                .may_fail(503),
            get(live::live),
        ),
    ]
}

fn state_routes() -> Vec<Route> {
    vec![
        at(
            operation("get", "/v1/fees", "Prices in force and the network's parameters.")
                .query("event", "text", "The fee of an event with this name.")
                .query("bytes", "count", "Its length in bytes; if not given, the longest.")
                .answers("fees"),
            get(economy::fees),
        ),
        at(
            operation("get", "/v1/economy", "Where all money is, now and at each epoch's end.")
                .paged()
                .answers("economy"),
            get(economy::economy_shown),
        ),
        at(
            operation("get", "/v1/views", "Every view with its query and rows.").answers("views"),
            get(views::listed),
        ),
        // The document lists every view of the registry by its own path.
        at(
            operation("get", "/v1/views/{programme}/{view}", "A view's rows.").unlisted(),
            get(views::shown),
        ),
        at(
            operation("get", "/v1/domains", "An owner's domains: the view domains.of_owner.")
                .query("owner", "account!", "Whose.")
                .paged()
                .answers("[object]"),
            get(views::domains),
        ),
        at(
            operation("get", "/v1/domains/{name}", "A domain: the view domains.record.")
                .query("proof", "flag", "1: with what proves it.")
                .answers("[object]"),
            get(views::domain),
        ),
        at(
            operation("get", "/v1/domains/{name}/events", "What touched a name, newest first.")
                .paged()
                .answers("[named_receipt]"),
            get(named::of_domain),
        ),
    ]
}

/// The private listener's API.
pub(crate) fn private_routes() -> Vec<Route> {
    vec![
        at(
            operation("get", "/v1/node", "More about the node than everybody may know.")
                .answers("object")
                .private(),
            get(node::node),
        ),
        at(
            operation("get", "/v1/backup", "A backup of the data folder, as a tar archive.")
                .query("wallets", "flag", "1: with the wallets' files.")
                .media("application/x-tar")
                .may_fail(503)
                .private(),
            get(node::backup),
        ),
        at(
            operation("get", "/v1/reveals", "Reveals the node's agent is to make.")
                .answers("reveals")
                .private(),
            get(node::reveals),
        ),
        at(
            operation("post", "/v1/reveals", "Hands a commit's preimage to the agent.")
                .json_body()
                .also(202, "object")
                .may_fail(422)
                .private(),
            post(node::reveal),
        ),
    ]
}

fn mounted(routes: Vec<Route>) -> Router<App> {
    routes
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.operation.path, route.handler))
}

/// The public listener: read-only, plus submission of signed events, and the explorer.
pub fn public(backend: Arc<dyn Backend>, limits: Limits) -> Router {
    let app = App::new(backend, limits);
    guarded(mounted(public_routes()).merge(web::pages()).fallback(web::nothing), app)
}

/// The private listener, for whoever can read the node's token file. Bind it to loopback
/// only; it refuses requests without `token`, or for another host or origin.
pub fn private(backend: Arc<dyn Backend>, token: &str) -> Router {
    let app = App::new(backend, Limits { rate: None, ..Limits::default() });
    let gate = node::Gate::new(token);
    let routes = mounted(private_routes()).fallback(async || StatusCode::NOT_FOUND);
    guarded(routes.layer(from_fn_with_state(gate, node::admitted)), app)
}

fn guarded(routes: Router<App>, app: App) -> Router {
    routes
        .layer(DefaultBodyLimit::max(app.limits.body_bytes_max))
        .layer(from_fn_with_state(app.clone(), guard::bounded))
        .layer(from_fn_with_state(app.clone(), guard::rated))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn_with_state(app.clone(), guard::finish))
        .with_state(app)
}

/// JSON with status 200.
fn ok(json: Json) -> Response {
    AxumJson(json).into_response()
}

/// A part of the path, or what is wrong with it.
fn path_part<T: std::str::FromStr>(name: &str, text: &str, wanted: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::parameter(name, format!("{wanted} is wanted in the path.")))
}
