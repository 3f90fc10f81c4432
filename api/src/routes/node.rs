//! The private listener: for whoever can read the node's token file.
//!
//! Loopback is no authentication: other users of the machine and every page in a browser
//! reach it. So a token is needed always; and a browser's request, which says where it comes
//! from and whom it believes to talk to, must say this listener itself.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json as AxumJson, http::HeaderName};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::ok;
use crate::body;
use crate::error::Problem;
use crate::paging::Params;
use crate::reading::App;

/// The cookie that may carry the token instead of the Authorization header.
const COOKIE: &str = "ddt_token";

/// What a request must show.
#[derive(Clone)]
pub(crate) struct Gate {
    token: Arc<str>,
}

impl Gate {
    pub(super) fn new(token: &str) -> Gate {
        Gate { token: token.trim().into() }
    }

    fn knows(&self, given: Option<&str>) -> bool {
        // An empty token file must not open the door.
        let is_set = !self.token.is_empty();
        is_set
            & given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(self.token.as_bytes())))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let bearer = text(headers, &header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer.or_else(|| {
        let mut cookies = text(headers, &header::COOKIE)?.split(';');
        cookies.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
    })
}

/// Whether an authority (`host` or `host:port`) is this machine by literal: a loopback
/// address or `localhost`. Any other name might be pointed here by its owner.
fn is_local(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<axum::http::uri::Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    literal.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

fn is_own_origin(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://");
    authority.is_some_and(|authority| authority == host && is_local(authority))
}

fn check(gate: &Gate, headers: &HeaderMap) -> Result<(), Problem> {
    let forbidden = |code: &str, words: &str| Err(Problem::new(StatusCode::FORBIDDEN, code, words));
    let host = text(headers, &header::HOST).unwrap_or_default();
    if !is_local(host) {
        return forbidden("private.host", "The Host must be a loopback address or localhost.");
    }
    let origin = headers.get(header::ORIGIN);
    let origin = origin.map(|origin| origin.to_str().unwrap_or_default());
    if origin.is_some_and(|origin| !is_own_origin(origin, host)) {
        return forbidden("private.origin", "Pages of other origins may not use this listener.");
    }
    if gate.knows(token(headers)) {
        return Ok(());
    }
    let words = "Send the node's token: Authorization: Bearer, with the token file's content.";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "private.token", words))
}

/// Lets a request pass that has the token and comes from no other origin.
pub(super) async fn admitted(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match check(&gate, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn node(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&[])?;
    Ok(ok(app.backend.node().await?))
}

pub(super) async fn reveals(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&[])?;
    let rows = app.backend.reveals().await?;
    Ok(ok(json!({"rows": rows})))
}

pub(super) async fn reveal(
    State(app): State<App>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    params.only(&[])?;
    let preimage = body::json(request, &app.limits).await?;
    let task = app.backend.reveal(preimage).await?;
    Ok((StatusCode::ACCEPTED, AxumJson(task)).into_response())
}

/// A backup, as long as it takes: the request's time limit ends with the answer's head.
pub(super) async fn backup(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&["wallets"])?;
    let bytes = app.backend.backup(params.flag("wallets")?).await?;
    let chunks = futures_util::stream::unfold(bytes, async |mut bytes| {
        let chunk = bytes.recv().await?;
        Some((Ok::<_, Infallible>(chunk), bytes))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-tar")];
    Ok((kind, Body::from_stream(chunks)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: comparing prefixes, resolving names, or forgetting user names and ports.
    #[test]
    fn only_literal_loopback_is_local() {
        for local in ["127.0.0.1", "127.0.0.1:80", "127.9.8.7:1", "[::1]:8080", "localhost:5"] {
            assert!(is_local(local), "{local}");
        }
        for other in [
            "",
            "example.org",
            "127.0.0.1.example.org",
            "localhost.example.org:80",
            "127.0.0.1@example.org",
            "x@127.0.0.1",
            "0.0.0.0:80",
            "10.0.0.1",
            "[::2]:80",
            "::1x",
        ] {
            assert!(!is_local(other), "{other}");
        }
    }

    // Broken by: taking another port or scheme of this machine for the listener itself.
    #[test]
    fn an_origin_is_exactly_the_host() {
        assert!(is_own_origin("http://127.0.0.1:80", "127.0.0.1:80"));
        assert!(!is_own_origin("http://127.0.0.1:81", "127.0.0.1:80"));
        assert!(!is_own_origin("https://127.0.0.1:80", "127.0.0.1:80"));
        assert!(!is_own_origin("null", "127.0.0.1:80"));
    }

    // Broken by: an empty token file letting everybody in, or comparing beginnings only.
    #[test]
    fn an_empty_token_opens_nothing() {
        assert!(!Gate::new("\n").knows(Some("")));
        assert!(!Gate::new("secret").knows(Some("secre")));
        assert!(!Gate::new("secret").knows(None));
        assert!(Gate::new("secret\n").knows(Some("secret")));
    }
}
