//! Reading a long list of the API, page by page, at the speed that the node allows.

use std::time::Duration;

use serde_json::Value as Json;

use crate::cli::connection::{Connection, text};
use crate::failure::Failure;

/// Rows of one page, the most the API gives.
const PAGE_ROWS: &str = "100";
/// How often an answer "too many requests" is waited out before it is an error.
const RETRIES_MAX: u32 = 40;
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// A list that is read as far as somebody wants it.
pub struct Pages<'c> {
    connection: &'c Connection,
    path: String,
    query: Vec<(&'static str, String)>,
    is_done: bool,
}

impl<'c> Pages<'c> {
    /// The list at a path with these parameters.
    pub fn new(
        connection: &'c Connection,
        path: impl Into<String>,
        query: &[(&'static str, String)],
    ) -> Pages<'c> {
        let mut query = query.to_vec();
        query.push(("limit", PAGE_ROWS.to_string()));
        Pages { connection, path: path.into(), query, is_done: false }
    }

    /// The next page's rows; nothing after the last page.
    pub fn next(&mut self) -> Result<Option<Vec<Json>>, Failure> {
        if self.is_done {
            return Ok(None);
        }
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.query {
            pairs.append_pair(name, value);
        }
        let answer = patiently(self.connection, &format!("{}?{}", self.path, pairs.finish()))?;
        self.query.retain(|(name, _)| *name != "cursor");
        match text(&answer, "/next") {
            Some(cursor) => self.query.push(("cursor", cursor)),
            None => self.is_done = true,
        }
        Ok(Some(answer.pointer("/rows").and_then(Json::as_array).cloned().unwrap_or_default()))
    }
}

/// Reads a path; waits when the node says that it is asked too often.
pub fn patiently(connection: &Connection, path: &str) -> Result<Json, Failure> {
    let mut retries = 0;
    loop {
        match connection.get(path) {
            Err(failure) if failure.code == "request.rate" && retries < RETRIES_MAX => {
                retries += 1;
                std::thread::sleep(RETRY_PAUSE);
            }
            answer => return answer,
        }
    }
}
