//! What a browser sends: queries and forms, bounded and each field once.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use zeroize::Zeroizing;

use super::gate::Gate;
use super::trouble::Trouble;

/// Longest body of a form, in bytes: the largest event's fields, percent-encoded.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// A form must have arrived after this.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The media type of forms.
const MEDIA: &str = "application/x-www-form-urlencoded";
/// The field in which a form shows that it is ours.
pub const KEY_FIELD: &str = "form_key";

/// Fields by name. Overwritten when dropped: one may be a password.
#[derive(Default)]
pub struct Form(BTreeMap<String, Zeroizing<String>>);

impl Form {
    /// Reads `name=value&…`; of a field that comes twice the first counts.
    pub fn parse(text: &[u8]) -> Form {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            let value = Zeroizing::new(value.into_owned());
            fields.entry(name.into_owned()).or_insert(value);
        }
        Form(fields)
    }

    /// A field's text; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.as_str())
    }

    /// A field's text without the spaces around it.
    pub fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// The form in a request's body, if it is one of our own pages'.
    ///
    /// # Errors
    /// Another media type, too many bytes, too slow, or not from one of our pages.
    pub async fn read(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Form, Trouble> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case(MEDIA) {
            let words = format!("A form's Content-Type is {MEDIA}.");
            return Err(Trouble::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
        }
        let collected = axum::body::to_bytes(body, BODY_BYTES_MAX);
        let bytes = match tokio::time::timeout(BODY_TIMEOUT, collected).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(_)) => {
                let words = format!("A form is whole and has at most {BODY_BYTES_MAX} bytes.");
                return Err(Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, words));
            }
            Err(_) => {
                let words = "The form did not arrive in time; send it again.";
                return Err(Trouble::new(StatusCode::REQUEST_TIMEOUT, words));
            }
        };
        let form = Form::parse(&bytes);
        if gate.knows_form(form.get(KEY_FIELD)) {
            return Ok(form);
        }
        let words = "This form is of an earlier run of the wallet; open its page again.";
        Err(Trouble::new(StatusCode::FORBIDDEN, words))
    }
}
