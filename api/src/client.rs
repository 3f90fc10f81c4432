//! The blocking client that the command line uses.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use ureq::http::{Request, Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::backend::Stage;
use crate::body::OCTETS;

/// Longest answer read, in bytes.
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How long a read may take; a submission may take its wait longer.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What went wrong, as the node's problem says, or in the same form where no node answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ApiError {
    /// The HTTP status; 0 where no answer came.
    pub status: u16,
    /// The problem's type, a stable URN.
    pub kind: String,
    /// What kind of problem.
    pub title: String,
    /// What is wrong, and what to do.
    pub detail: String,
    /// The field that is wrong.
    pub field: Option<String>,
    /// The node's id of the request, to be found in its log.
    pub request_id: Option<String>,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u64>,
}

impl ApiError {
    fn local(code: &str, title: &str, detail: String) -> ApiError {
        ApiError {
            status: 0,
            kind: format!("urn:ddt:problem:{code}"),
            title: title.to_string(),
            detail,
            field: None,
            request_id: None,
            retry_after_s: None,
        }
    }

    /// The stable code at the end of the type: a refusal's, or the face's own.
    pub fn code(&self) -> &str {
        self.kind.strip_prefix("urn:ddt:problem:").unwrap_or(&self.kind)
    }

    /// Whether a rule of the ledger said no.
    pub fn is_refusal(&self) -> bool {
        self.status == 422
    }

    /// The problem's JSON.
    pub fn to_json(&self) -> Json {
        json!({
            "type": self.kind, "title": self.title, "status": self.status,
            "detail": self.detail, "field": self.field, "request_id": self.request_id,
        })
    }
}

/// A client of one listener.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    shown: String,
    token: Option<String>,
    agent: Agent,
}

/// A URL without the user's name and password, which may stand in it.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => url.to_string(),
    }
}

impl Client {
    /// A client of the listener at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Client {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .tls_config(tls)
            .user_agent(concat!("ddt/", env!("CARGO_PKG_VERSION")))
            .build();
        let base = base.trim_end_matches('/').to_string();
        Client { shown: without_password(&base), base, token: None, agent: agent.into() }
    }

    /// The same, with the private listener's token.
    pub fn with_token(mut self, token: &str) -> Client {
        self.token = Some(token.trim().to_string());
        self
    }

    /// Where the listener is, without a password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Reads JSON. `path` starts with a slash and may have a query.
    pub fn get_json(&self, path: &str) -> Result<Json, ApiError> {
        self.send("GET", path, None, Vec::new(), TIMEOUT)
    }

    /// Reads JSON with query parameters, which are percent-encoded here.
    pub fn get_query(&self, path: &str, query: &[(&str, &str)]) -> Result<Json, ApiError> {
        use crate::paging::escape;
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        if pairs.is_empty() {
            return self.get_json(path);
        }
        self.get_json(&format!("{path}?{}", pairs.join("&")))
    }

    /// Reads text.
    pub fn get_text(&self, path: &str) -> Result<String, ApiError> {
        let bytes = self.exchange("GET", path, None, Vec::new(), TIMEOUT)?;
        String::from_utf8(bytes).map_err(|_| self.strange_answer(path))
    }

    /// Reads bytes as they come, however long they take; the answer's head must come in time.
    pub fn stream(&self, path: &str) -> Result<impl std::io::Read + use<>, ApiError> {
        let mut request = Request::builder().method("GET").uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(()).map_err(|error| {
            let words = format!("{}{path} is no URL: {error}", self.shown);
            ApiError::local("client.url", "Not a URL", words)
        })?;
        let request = self.agent.configure_request(request);
        let request = request.timeout_recv_response(Some(TIMEOUT)).build();
        let mut answer = self.agent.run(request).map_err(|error| self.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(answer.into_body().into_reader());
        }
        let retry_after_s = retry_after(&answer);
        let reader = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let bytes = reader.read_to_vec().map_err(|error| self.no_answer(&error))?;
        Err(ApiError { retry_after_s, ..self.problem(answer.status(), &bytes) })
    }

    /// Sends JSON.
    pub fn post_json(&self, path: &str, body: &Json) -> Result<Json, ApiError> {
        let bytes = body.to_string().into_bytes();
        self.send("POST", path, Some(crate::body::JSON), bytes, TIMEOUT)
    }

    /// Submits an event's canonical bytes; with `wait` the answer comes when the stage is
    /// reached or the time is over, whichever is first: see `stage` in the answer.
    pub fn submit(&self, bytes: &[u8], wait: Option<(Stage, Duration)>) -> Result<Json, ApiError> {
        let (query, longer) = match wait {
            None => (String::new(), Duration::ZERO),
            Some((stage, time)) => {
                (format!("?wait={}&timeout_ms={}", stage.word(), time.as_millis()), time)
            }
        };
        let timeout = TIMEOUT.saturating_add(longer);
        self.send("POST", &format!("/v1/events{query}"), Some(OCTETS), bytes.to_vec(), timeout)
    }

    /// Asks what an event would do now.
    pub fn forecast(&self, bytes: &[u8]) -> Result<Json, ApiError> {
        self.send("POST", "/v1/events/forecast", Some(OCTETS), bytes.to_vec(), TIMEOUT)
    }

    /// Asks what an event would do now if it were signed; takes the bytes of its draft, so
    /// nothing that could be submitted leaves this process.
    pub fn forecast_unsigned(&self, bytes: &[u8]) -> Result<Json, ApiError> {
        let path = "/v1/events/forecast?unsigned=1";
        self.send("POST", path, Some(OCTETS), bytes.to_vec(), TIMEOUT)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        media: Option<&str>,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Json, ApiError> {
        let bytes = self.exchange(method, path, media, body, timeout)?;
        serde_json::from_slice(&bytes).map_err(|_| self.strange_answer(path))
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        media: Option<&str>,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Vec<u8>, ApiError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bad_url = |error| {
            let words = format!("{}{path} is no URL: {error}", self.shown);
            ApiError::local("client.url", "Not a URL", words)
        };
        let answer = if media.is_some() {
            let request = request.body(body).map_err(bad_url)?;
            let request = self.agent.configure_request(request);
            self.agent.run(request.timeout_global(Some(timeout)).build())
        } else {
            let request = request.body(()).map_err(bad_url)?;
            let request = self.agent.configure_request(request);
            self.agent.run(request.timeout_global(Some(timeout)).build())
        };
        let mut answer = answer.map_err(|error| self.no_answer(&error))?;
        let retry_after_s = retry_after(&answer);
        let reader = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let bytes = reader.read_to_vec().map_err(|error| self.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(bytes);
        }
        Err(ApiError { retry_after_s, ..self.problem(answer.status(), &bytes) })
    }

    fn problem(&self, status: StatusCode, bytes: &[u8]) -> ApiError {
        let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_string);
        let known = status.canonical_reason().unwrap_or("An error");
        ApiError {
            status: status.as_u16(),
            kind: text("type").unwrap_or_else(|| "about:blank".to_string()),
            title: text("title").unwrap_or_else(|| known.to_string()),
            detail: text("detail").unwrap_or_else(|| {
                format!("{} answered {status} without a problem; is it a DDT node?", self.shown)
            }),
            field: text("field"),
            request_id: text("request_id"),
            retry_after_s: None,
        }
    }

    fn no_answer(&self, error: &ureq::Error) -> ApiError {
        let base = &self.shown;
        let (code, words) = match error {
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => (
                "client.refused",
                format!(
                    "No node answers at {base}. Start one with ddt dev or ddt node run, or \
                     name another with --api."
                ),
            ),
            ureq::Error::HostNotFound => {
                ("client.host", format!("There is no host of the name in {base}."))
            }
            ureq::Error::Timeout(_) => {
                ("client.timeout", format!("The node at {base} did not answer in time."))
            }
            other => ("client.transport", format!("Talking to {base} failed: {other}.")),
        };
        ApiError::local(code, "No answer", words)
    }

    fn strange_answer(&self, path: &str) -> ApiError {
        let words = format!("{}{path} answered something else; is it a DDT node?", self.shown);
        ApiError::local("client.answer", "Not a node's answer", words)
    }
}

fn retry_after(answer: &Response<Body>) -> Option<u64> {
    answer.headers().get("retry-after")?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: showing who logs in where, in a setting or in an error.
    #[test]
    fn passwords_in_urls_are_not_shown() {
        assert_eq!(without_password("http://me:secret@host:1/p@q"), "http://***@host:1/p@q");
        assert_eq!(without_password("http://host/a@b"), "http://host/a@b");
        assert_eq!(without_password("/some/path"), "/some/path");
        for base in ["http://me:secret@127.0.0.1:1", "http://me:secret@ 1"] {
            let error = Client::new(base).get_json("/v1/status").unwrap_err();
            assert!(!error.detail.contains("secret"), "{}", error.detail);
        }
    }
}
