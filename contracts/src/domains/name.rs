//! Domain names: what may stand before `.ddt`.

use std::fmt;
use std::io::{Error, Read};

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::schema::{Field, FieldError, Kind, Text, Value};
use ddt_ledger::table::Key;
use ddt_ledger::{Refusal, refusals};

/// Longest name, in bytes, as in DNS (RFC 1035).
pub const NAME_BYTES_MAX: usize = 63;

refusals! {
    RULE = "domains.name_rule",
        "A name has 1 to 63 of a-z, 0-9 and -, and no - at its ends or at places 3 and 4.";
}

/// A name without `.ddt`, obeying the rule (spec DOM-1): letters, digits and hyphens of
/// RFC 1035, lower case; `--` at places 3 and 4 is kept free for encodings (RFC 5890).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct DomainName(String);

impl DomainName {
    /// The name, if it obeys the rule. A trailing `.ddt` is taken off.
    pub fn new(text: &str) -> Result<DomainName, Refusal> {
        let text = text.strip_suffix(".ddt").unwrap_or(text);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let has_length = (1..=NAME_BYTES_MAX).contains(&text.len());
        let has_good_ends = !text.starts_with('-') && !text.ends_with('-');
        let is_encoding = text.as_bytes().get(2..4) == Some(b"--");
        if has_length && has_good_ends && !is_encoding && text.bytes().all(plain) {
            Ok(DomainName(text.to_string()))
        } else {
            Err(RULE)
        }
    }

    /// The name without `.ddt`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BorshDeserialize for DomainName {
    fn deserialize_reader<R: Read>(reader: &mut R) -> std::io::Result<Self> {
        let text = Text::<NAME_BYTES_MAX>::deserialize_reader(reader)?;
        let name = DomainName::new(text.as_str()).map_err(Error::other)?;
        // `.ddt` must not be part of the bytes, or one name would have two encodings.
        if name.0 == text.as_str() { Ok(name) } else { Err(Error::other(RULE)) }
    }
}

impl Field for DomainName {
    const KIND: Kind = Kind::Name { bytes_max: NAME_BYTES_MAX + 4 };

    fn show(&self) -> Value {
        Value::Text(self.0.clone())
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Text(text) => DomainName::new(text).map_err(FieldError::from),
            _ => Err(RULE.into()),
        }
    }
}

impl Key for DomainName {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(std::mem::take(bytes)).ok()?;
        DomainName::new(text).ok().filter(|name| name.0 == text)
    }
}
