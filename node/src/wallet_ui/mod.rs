//! `ddt wallet ui`: the wallet as pages in a browser. A process of its own, on loopback alone,
//! that holds the keys and talks to a node's public API; a node holds none (ADR 0018).

pub mod child;
mod desk;
mod form;
mod frame;
mod gate;
mod inputs;
mod pages;
mod payment;
mod reviews;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ddt_api::Limits;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use crate::cli::{Global, Output};
use crate::failure::Failure;
use desk::Desk;
use form::Form;
use gate::{ENTRANCE, Gate};
use trouble::Trouble;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");
/// Pages run nothing, load nothing from elsewhere and send forms nowhere else.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Requests at the same time; more are told to come back.
const REQUESTS_MAX: usize = 16;
/// A request is answered after this: longer than the node may take for a submission.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
const CONNECTIONS_MAX: usize = 32;

/// What the pages share.
pub struct App {
    gate: Gate,
    desk: Desk,
    requests: Semaphore,
}

impl App {
    /// The address of a page of the wallet, on this listener.
    fn at(&self, page: &str) -> String {
        format!("{}/{page}", self.gate.room())
    }
}

/// Serves the pages until somebody ends it; then every key is forgotten.
pub fn run(global: &Global, args: &crate::cli::UiArgs, output: &Output) -> Result<(), Failure> {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::usage(format!(
            "{} can be reached from outside: nothing that holds a key listens for a network; \
             choose an address of this machine alone, such as 127.0.0.1:{}",
            args.listen,
            args.listen.port()
        )));
    }
    // A child's parent prints for itself.
    let locked: fn() = if args.until_stdin_ends { || {} } else { told };
    let desk = Desk::new(global.clone(), args.lock_after, locked);
    desk.keystore()?;
    // The right network, or none of its pages: before anybody types a password.
    desk.node()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::fault(format!("no threads: {error}")))?;
    let done = runtime.block_on(live(desk, args, output));
    runtime.shutdown_timeout(Duration::from_secs(5));
    done
}

fn told() {
    eprintln!("Locked: nobody used the wallet.");
}

async fn live(desk: Desk, args: &crate::cli::UiArgs, output: &Output) -> Result<(), Failure> {
    let interrupted = crate::dev::interruption()?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let address = args.listen;
        Failure::fault(format!("cannot listen on {address}: {error}; choose another --listen"))
    })?;
    let listen = listener
        .local_addr()
        .map_err(|error| Failure::fault(format!("a listener has no address: {error}")))?;
    let gate = Gate::new(listen)?;
    let address = gate.address();
    let app = Arc::new(App { gate, desk, requests: Semaphore::new(REQUESTS_MAX) });
    let lock_after_ms = args.lock_after.as_millis();
    let words = format!(
        "The wallet's pages, for this machine alone:\n\n  {address}\n\nWhoever has this address \
         can try passwords. Locks after {} s without use; Ctrl-C ends it.",
        lock_after_ms.div_ceil(1_000)
    );
    output.result(json!({ "url": address, "lock_after_ms": lock_after_ms }), words);
    let locking = app.clone();
    let locker = tokio::spawn(async move { locking.desk.lock_when_idle().await });
    let abandoned = stdin_ended(args.until_stdin_ends);
    let ended = async {
        tokio::select! {
            () = interrupted => {}
            () = abandoned => {}
        }
    };
    ddt_api::serve(listener, router(app.clone()), limits(), ended).await;
    locker.abort();
    app.desk.lock();
    output.note("Ended; the keys are forgotten.");
    Ok(())
}

fn limits() -> Limits {
    Limits { connections_max: CONNECTIONS_MAX, ..Limits::default() }
}

/// Resolves when standard input ends, if that is watched: whoever held its other side is gone,
/// by whatever signal.
pub async fn stdin_ended(is_watched: bool) {
    if !is_watched {
        return std::future::pending().await;
    }
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        // What is written there means nothing.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(ENTRANCE, get(enter))
        .route("/style.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .nest(app.gate.room(), pages::routes())
        .fallback(async |State(app): State<Arc<App>>| {
            let trouble = Trouble::new(StatusCode::NOT_FOUND, "There is no page here.");
            frame::trouble_page(&app, None, &trouble)
        })
        .layer(from_fn_with_state(app.clone(), guarded))
        .with_state(app)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Outermost: who may come in, how many at once and for how long; and what every answer says
/// to the browser.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let passed = app.gate.check(request.method(), request.uri().path(), request.headers());
    let mut response = match (passed, app.requests.try_acquire()) {
        (Err(trouble), _) => frame::trouble_page(&app, None, &trouble),
        (_, Err(_)) => busy(&app, "The wallet is answering as many requests as it takes."),
        (Ok(()), Ok(_permit)) => {
            match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
                Ok(response) => response,
                Err(_) => busy(&app, "There was no answer in time; look at the history."),
            }
        }
    };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not no-referrer: browsers would then hide a form's own origin from us.
        (header::REFERRER_POLICY, "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn busy(app: &App, words: &str) -> Response {
    let trouble = Trouble::new(StatusCode::SERVICE_UNAVAILABLE, words);
    frame::trouble_page(app, None, &Trouble { wait_s: Some(1), ..trouble })
}

/// Exchanges the token for the cookie.
async fn enter(State(app): State<Arc<App>>, query: axum::extract::RawQuery) -> Response {
    let query = Form::parse(query.0.unwrap_or_default().as_bytes());
    if !app.gate.knows_token(query.get("token")) {
        let words = "The token in this address is wrong, or of an earlier run: open the one \
                     that ddt wallet ui printed.";
        let trouble = Trouble::new(StatusCode::FORBIDDEN, words);
        return frame::trouble_page(&app, None, &trouble);
    }
    let mut headers = HeaderMap::new();
    if let Ok(cookie) = HeaderValue::from_str(&app.gate.set_cookie()) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    (headers, frame::lead_to(&app, "overview")).into_response()
}
