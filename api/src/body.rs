//! Request bodies: bounded in size and time, of a media type that the route takes.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use serde_json::Value as Json;

use crate::error::Problem;
use crate::limits::Limits;

/// The media type of canonical bytes.
pub(crate) const OCTETS: &str = "application/octet-stream";
/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

fn media_type(request: &Request) -> String {
    let value = request.headers().get(header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn unsupported(wanted: &str) -> Problem {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let words = format!("The body's Content-Type must be {wanted}.");
    Problem::new(status, "request.media_type", words).with_field("content-type")
}

fn malformed(words: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request.malformed", words)
}

async fn read(body: Body, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let collect = axum::body::to_bytes(body, limits.body_bytes_max);
    match tokio::time::timeout(limits.body_timeout, collect).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) => {
            use std::error::Error;
            let cause = error.source();
            if !cause.is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>()) {
                return Err(malformed("The body ended before it was whole."));
            }
            let words = format!("The body is longer than {} bytes.", limits.body_bytes_max);
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.body_too_long", words))
        }
        Err(_) => {
            let words = "The body did not arrive in time; send it at once.";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request.body_timeout", words))
        }
    }
}

/// The object in a JSON body.
pub(crate) async fn json(request: Request, limits: &Limits) -> Result<Json, Problem> {
    if media_type(&request) != JSON {
        return Err(unsupported(JSON));
    }
    let bytes = read(request.into_body(), limits).await?;
    let json: Json = serde_json::from_slice(&bytes)
        .map_err(|error| malformed(format!("The body is no JSON: {error}.")))?;
    if json.is_object() { Ok(json) } else { Err(malformed("The body is no JSON object.")) }
}

/// An event's canonical bytes: the body itself, or hex in `{"event": …}`.
pub(crate) async fn event(request: Request, limits: &Limits) -> Result<Vec<u8>, Problem> {
    match media_type(&request).as_str() {
        OCTETS => {
            let bytes = read(request.into_body(), limits).await?;
            if bytes.is_empty() { Err(malformed("The body is empty.")) } else { Ok(bytes) }
        }
        JSON => {
            let json = json(request, limits).await?;
            let stranger = json.as_object().and_then(|o| o.keys().find(|name| *name != "event"));
            if let Some(name) = stranger {
                return Err(malformed("The body has one field: event.").with_field(name));
            }
            let text = json.get("event").and_then(Json::as_str).ok_or_else(|| {
                malformed("The body's field event is missing or no text.").with_field("event")
            })?;
            hex::decode(text)
                .map_err(|_| malformed("The field event holds no hex digits.").with_field("event"))
        }
        _ => Err(unsupported("application/octet-stream or application/json")),
    }
}
