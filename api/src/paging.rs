//! Query parameters: which are taken, paging, and the link to the next page.
//!
//! A cursor is a position, not an offset: newest-first lists continue below it however much
//! was appended above meanwhile.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Json as AxumJson, http::StatusCode};
use ddt_ledger::store::Place;
use serde_json::{Value as Json, json};

use crate::error::Problem;

/// Rows of a page, unless asked otherwise.
pub(crate) const LIMIT_DEFAULT: usize = 20;
/// Most rows of a page.
pub(crate) const LIMIT_MAX: usize = 100;
/// Longest cursor, in bytes.
const CURSOR_BYTES_MAX: usize = 1_024;

/// A request's query parameters, each at most once.
pub(crate) struct Params {
    path: String,
    values: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Params, Problem> {
        let malformed = |_| {
            let words = "The query string is malformed; percent-encode its values.";
            Problem::new(StatusCode::BAD_REQUEST, "request.query", words)
        };
        let Query(pairs) =
            Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(malformed)?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if values.contains_key(&name) {
                return Err(Problem::parameter(&name, "The parameter is given twice."));
            }
            values.insert(name, value);
        }
        Ok(Params { path: parts.uri.path().to_string(), values })
    }
}

fn not_a_cursor() -> Problem {
    let words = "The cursor is not one that this list gave; start without one.";
    Problem::new(StatusCode::BAD_REQUEST, "request.cursor", words).with_field("cursor")
}

impl Params {
    /// Refuses parameters that this path does not take: a misspelt filter must not pass.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.values.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let takes = if known.is_empty() { "none".into() } else { known.join(", ") };
                let words = format!("There is no such parameter here; this path takes: {takes}.");
                Err(Problem::parameter(name, words))
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter of a type that reads itself from text.
    pub(crate) fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        wanted: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let value = text.parse().map_err(|_| Problem::parameter(name, format!("{wanted} wanted.")));
        value.map(Some)
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("0" | "false") => Ok(false),
            Some("1" | "true" | "") => Ok(true),
            Some(_) => Err(Problem::parameter(name, "Either 1 or 0 is wanted.")),
        }
    }

    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let wanted = format!("A whole number from 1 to {LIMIT_MAX} is");
        match self.parsed::<usize>("limit", &wanted)? {
            None => Ok(LIMIT_DEFAULT),
            Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::parameter("limit", format!("{wanted} wanted."))),
        }
    }

    /// The cursor's bytes. `list` keeps the cursors of different lists apart.
    pub(crate) fn cursor(&self, list: char) -> Result<Option<Vec<u8>>, Problem> {
        let Some(text) = self.get("cursor") else { return Ok(None) };
        let digits = text.strip_prefix(list).ok_or_else(not_a_cursor)?;
        let bytes = hex::decode(digits).map_err(|_| not_a_cursor())?;
        if bytes.len() > CURSOR_BYTES_MAX { Err(not_a_cursor()) } else { Ok(Some(bytes)) }
    }

    /// A cursor that is a place among receipts.
    pub(crate) fn place(&self, list: char) -> Result<Option<Place>, Problem> {
        let Some(bytes) = self.cursor(list)? else { return Ok(None) };
        let (height, index) = bytes.split_first_chunk::<8>().ok_or_else(not_a_cursor)?;
        let index: [u8; 4] = index.try_into().map_err(|_| not_a_cursor())?;
        Ok(Some((u64::from_be_bytes(*height), u32::from_be_bytes(index))))
    }

    /// A cursor that is one number.
    pub(crate) fn number(&self, list: char) -> Result<Option<u64>, Problem> {
        let Some(bytes) = self.cursor(list)? else { return Ok(None) };
        let bytes: [u8; 8] = bytes.try_into().map_err(|_| not_a_cursor())?;
        Ok(Some(u64::from_be_bytes(bytes)))
    }

    /// This request again, for the page after `cursor`.
    pub(crate) fn next_url(&self, cursor: &str) -> String {
        let kept = self.all().filter(|(name, _)| *name != "cursor");
        let pairs = kept.map(|(name, value)| format!("{}={}&", escape(name), escape(value)));
        format!("{}?{}cursor={cursor}", self.path, pairs.collect::<String>())
    }
}

/// A cursor's text.
pub(crate) fn cursor_text(list: char, bytes: &[u8]) -> String {
    format!("{list}{}", hex::encode(bytes))
}

/// The cursor of a place among receipts.
pub(crate) fn place_bytes((height, index): Place) -> Vec<u8> {
    [height.to_be_bytes().as_slice(), &index.to_be_bytes()].concat()
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(crate) fn escape(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encode = |byte: u8| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// One page of a list, as of an anchor.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The anchor it was read at.
    pub(crate) anchor: u64,
    /// The rows.
    pub(crate) rows: Vec<Json>,
    /// The next page's cursor, if there may be one.
    pub(crate) next: Option<String>,
    /// Beside the rows: the proof, where one was asked for.
    pub(crate) proof: Option<Json>,
}

impl Listing {
    /// The JSON of the page.
    pub(crate) fn to_json(&self) -> Json {
        let mut json = json!({"anchor": self.anchor, "rows": self.rows, "next": self.next});
        if let (Some(proof), Some(object)) = (&self.proof, json.as_object_mut()) {
            object.insert("proof".to_string(), proof.clone());
        }
        json
    }

    /// The answer, with the link to the next page.
    pub(crate) fn answer(&self, params: &Params) -> Response {
        let mut response = AxumJson(self.to_json()).into_response();
        let link = self.next.as_ref().map(|cursor| params.next_url(cursor));
        let link =
            link.and_then(|url| HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")).ok());
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}
