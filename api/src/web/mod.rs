//! The explorer: plain pages made from the same answers as the API's, readable without
//! scripts. Everything they load is in this binary.

mod docs;
mod frame;
mod pages;
mod table;
mod zones;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::error::Problem;
use crate::reading::App;

const ICON: &str = include_str!("icon.svg");
const STYLE: &str = include_str!("style.css");
const LIVE: &str = include_str!("live.js");
const TRY: &str = include_str!("try.js");

/// Every page and what it loads.
pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/", get(pages::home))
        .route("/search", get(pages::search))
        .route("/anchors", get(pages::anchors))
        .route("/anchor/{height}", get(pages::anchor))
        .route("/events", get(pages::events))
        .route("/event/{event}", get(pages::event))
        .route("/account/{account}", get(pages::account))
        .route("/domain/{name}", get(pages::domain))
        .route("/zones", get(zones::zones))
        .route("/zone/{zone}", get(zones::zone))
        .route("/routers", get(zones::routers))
        .route("/economy", get(pages::economy))
        .route("/docs", get(docs::docs))
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .route("/assets/style.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/assets/live.js", get(async || asset("text/javascript; charset=utf-8", LIVE)))
        .route("/assets/try.js", get(async || asset("text/javascript; charset=utf-8", TRY)))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, text).into_response()
}

/// What is at every other path: a browser is told so by a page, a program by a problem.
pub(crate) async fn nothing(headers: HeaderMap) -> Response {
    let kinds = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    if kinds.is_some_and(|kinds| kinds.contains("text/html")) {
        return Page::from(Err(Problem::not_found("There is no page here."))).into_response();
    }
    Problem::of_status(StatusCode::NOT_FOUND).into_response()
}

/// A page, or a problem as a page.
pub(super) struct Page(Result<Markup, Problem>);

impl From<Result<Markup, Problem>> for Page {
    fn from(result: Result<Markup, Problem>) -> Page {
        Page(result)
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        match self.0 {
            Ok(markup) => Html(markup.into_string()).into_response(),
            Err(problem) => {
                let body = html! {
                    h1 { (problem.title) }
                    p { (problem.detail) }
                    p { a href="/" { "Back to the first page" } }
                };
                let page = frame::frame(&problem.title, &body).into_string();
                let status = StatusCode::from_u16(problem.status.as_u16());
                (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Html(page)).into_response()
            }
        }
    }
}
