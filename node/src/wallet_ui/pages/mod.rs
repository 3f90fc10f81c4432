//! The pages. Each reads what it shows from the node at the time it is asked for.

mod events;
mod history;
mod overview;
mod receive;
mod review;
mod send;
mod unlock;

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use super::App;
use super::desk::Open;
use super::form::Form;
use super::frame::{lead_to, trouble_page};
use super::trouble::Trouble;

type Answer = Result<Response, Trouble>;
type Shared = State<Arc<App>>;

/// What shows a page of an open wallet.
type Show = fn(&App, &Open, &Form) -> Answer;

/// Every page of a wallet, to be put under the path that only its browser knows.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/unlock", get(unlock::shown).post(unlock::tried))
        .route("/lock", post(unlock::locked))
        .route("/overview", get(shows(overview::overview)))
        .route("/send", get(shows(send::empty)).post(takes(send::filled)))
        .route("/receive", get(shows(receive::receive)))
        .route("/history", get(shows(history::history)))
        .route("/events", get(shows(events::list)))
        .route("/event", get(shows(events::empty)).post(takes(events::filled)))
        .route("/review", get(shows(review::review)))
        .route("/confirm", post(takes(review::confirm)))
        .route("/result", get(shows(review::result)))
}

type Handled = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

/// Answers GET with a page made from the query.
fn shows(show: Show) -> impl Fn(Shared, RawQuery) -> Handled + Clone + Send + Sync + 'static {
    move |State(app), RawQuery(query)| {
        let query = Form::parse(query.unwrap_or_default().as_bytes());
        Box::pin(with_open(app, query, show))
    }
}

/// Answers POST with what a form of ours leads to.
fn takes(take: Show) -> impl Fn(Shared, Request) -> Handled + Clone + Send + Sync + 'static {
    move |State(app), request| {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            match Form::read(&app.gate, &head.headers, body).await {
                Ok(form) => with_open(app, form, take).await,
                Err(trouble) => trouble_page(&app, None, &trouble),
            }
        })
    }
}

/// Calls `work` with the open wallet, on a thread that may wait for the node; without one,
/// leads to where it is unlocked. Nothing is done with the form then.
async fn with_open(app: Arc<App>, form: Form, work: Show) -> Response {
    let Some(open) = app.desk.open(!review::is_again(&form)) else {
        return lead_to(&app, "unlock");
    };
    let shared = app.clone();
    let done = tokio::task::spawn_blocking(move || {
        work(&shared, &open, &form)
            .unwrap_or_else(|trouble| trouble_page(&shared, Some(&open), &trouble))
    });
    done.await.unwrap_or_else(|_| trouble_page(&app, None, &broken()))
}

fn broken() -> Trouble {
    let words = "The wallet failed to do this. If it was a payment, look at the history first.";
    Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, words)
}
