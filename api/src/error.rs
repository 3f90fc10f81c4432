//! Errors as RFC 9457 problems, for every status.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ddt_ledger::Refusal;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::schema::FieldError;
use serde_json::{Map, Value as Json};

use crate::backend::SubmitError;

/// The media type of problems.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
const TYPE_PREFIX: &str = "urn:ddt:problem:";

/// An error as its caller reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable: the end of `type`.
    pub code: String,
    /// What kind of problem, the same for every occurrence.
    pub title: String,
    /// What is wrong this time, and what to do.
    pub detail: String,
    /// The parameter or field that is wrong.
    pub field: Option<String>,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem of a status, with a stable code and a sentence.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code: code.to_string(),
            title: status.canonical_reason().unwrap_or("Error").to_string(),
            detail: detail.into(),
            field: None,
            retry_after_s: None,
        }
    }

    /// A wrong or missing parameter.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "request.parameter", detail).with_field(name)
    }

    /// Nothing is there.
    pub fn not_found(what: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "request.not_found", what)
    }

    /// The node failed; the cause goes to its log only, for it may name paths.
    pub fn fault(cause: impl std::fmt::Display) -> Problem {
        tracing::error!(%cause, "a request met a fault");
        let words = "The node failed to do this; its log says why, beside this request's id.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "server.fault", words)
    }

    /// The node cannot do this now.
    pub fn busy(code: &str, detail: impl Into<String>) -> Problem {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        Problem { retry_after_s: Some(1), ..problem }
    }

    /// The same, about this field.
    pub fn with_field(mut self, name: &str) -> Problem {
        self.field = Some(name.chars().take(64).collect());
        self
    }

    /// What a bare status means, for answers that no code of ours made.
    pub(crate) fn of_status(status: StatusCode) -> Problem {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => ("request.malformed", "The request is malformed."),
            StatusCode::NOT_FOUND => {
                ("request.not_found", "There is nothing at this path; /docs lists what there is.")
            }
            StatusCode::METHOD_NOT_ALLOWED => (
                "request.method",
                "This path does not take that method; the Allow header names those it takes.",
            ),
            _ if status.is_server_error() => ("server.fault", "The node failed to do this."),
            _ => ("request.refused", "The request was not accepted."),
        };
        Problem::new(status, code, detail)
    }

    /// The problem's JSON.
    pub fn to_json(&self, request_id: Option<&str>) -> Json {
        let mut object = Map::new();
        object.insert("type".into(), format!("{TYPE_PREFIX}{}", self.code).into());
        object.insert("title".into(), self.title.clone().into());
        object.insert("status".into(), self.status.as_u16().into());
        object.insert("detail".into(), self.detail.clone().into());
        if let Some(field) = &self.field {
            object.insert("field".into(), field.clone().into());
        }
        if let Some(id) = request_id {
            object.insert("request_id".into(), id.into());
        }
        Json::Object(object)
    }

    /// The whole answer, with the request's id in it.
    pub(crate) fn render(self, request_id: Option<&str>) -> Response {
        let mut response = Response::new(Body::from(self.to_json(request_id).to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.render(None)
    }
}

impl From<StoreFault> for Problem {
    fn from(fault: StoreFault) -> Problem {
        Problem::fault(fault)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code, refusal.words);
        Problem { title: "Refused by the rules".to_string(), ..problem }
    }
}

/// A query that a view does not take.
impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Problem {
        let FieldError { field, refusal } = error;
        let status = match refusal {
            ddt_ledger::view::NOT_FOUND => StatusCode::NOT_FOUND,
            ddt_ledger::view::CURSOR => {
                return Problem::new(StatusCode::BAD_REQUEST, "request.cursor", refusal.words)
                    .with_field("cursor");
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let problem = Problem::new(status, refusal.code, refusal.words);
        if field.is_empty() { problem } else { problem.with_field(&field) }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Problem {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Busy(words) => Problem::busy("node.busy", words),
            SubmitError::TooMany { retry_after_s } => {
                let words = "Too many events of this author are in flight.";
                let status = StatusCode::TOO_MANY_REQUESTS;
                let problem = Problem::new(status, "node.too_many", words);
                Problem { retry_after_s: Some(retry_after_s.max(1)), ..problem }
            }
            SubmitError::Field { field, words } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Problem::new(status, "request.field", words).with_field(&field)
            }
            SubmitError::Fault(words) => Problem::fault(words),
            SubmitError::Timeout(_) => {
                Problem::new(StatusCode::GATEWAY_TIMEOUT, "server.timeout", error.to_string())
            }
        }
    }
}
