//! Dynamic values: what a field holds, and its texts and JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use super::{Field, FieldInfo, Kind};
use crate::amount::Amount;
use crate::hash::Hash;
use crate::ids::{AccountId, Address, Millis, Zone};
use crate::key::PublicKey;
use crate::refusal::Refusal;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of [`Kind::Amount`].
    Amount(Amount),
    /// Of [`Kind::Account`].
    Account(AccountId),
    /// Of [`Kind::Address`].
    Address(Address),
    /// Of [`Kind::PublicKey`].
    PublicKey(PublicKey),
    /// Of [`Kind::Hash`].
    Hash(Hash),
    /// Of [`Kind::Name`], [`Kind::Text`] and [`Kind::Choice`].
    Text(String),
    /// Of [`Kind::Bytes`].
    Bytes(Vec<u8>),
    /// Of [`Kind::Time`].
    Time(Millis),
    /// Of [`Kind::Duration`].
    Duration(Millis),
    /// Of [`Kind::Count`].
    Count(u64),
    /// Of [`Kind::Zone`].
    Zone(Zone),
    /// Of [`Kind::Flag`].
    Flag(bool),
    /// Of [`Kind::List`].
    List(Vec<Value>),
    /// Of [`Kind::Group`].
    Group(Vec<(&'static str, Value)>),
    /// An absent [`Kind::Optional`].
    Nothing,
}

/// A field with a value that is missing or not of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {refusal}")]
pub struct FieldError {
    /// Which field; `a.b` inside groups, `a[3]` inside lists; empty for the value itself.
    pub field: String,
    /// What is wrong with it.
    pub refusal: Refusal,
}

crate::refusals! {
    MISSING = "field.missing", "The field is missing; give it a value.";
    UNKNOWN = "field.unknown", "There is no such field here; check its name.";
    KIND = "field.kind", "The value is not of this field's kind.";
    ACCOUNT = "field.account", "An account id starts with apt1; check it for typing errors.";
    ADDRESS = "field.address", "An address starts with ddt1; check it for typing errors.";
    HEX = "field.hex", "Hexadecimal digits are wanted, two for each byte, of the right length.";
    COUNT = "field.count", "A whole number within this field's limits is wanted.";
    TIME = "field.time", "A time is a whole number of milliseconds since 1970-01-01 UTC.";
    FLAG = "field.flag", "Either true or false is wanted.";
    CHOICE = "field.choice", "One of this field's words is wanted.";
    TOO_LONG = "field.too_long", "The value is longer than this field allows.";
    LIST = "field.list", "A list is wanted.";
}

impl From<Refusal> for FieldError {
    fn from(refusal: Refusal) -> FieldError {
        FieldError { field: String::new(), refusal }
    }
}

impl FieldError {
    /// The same error, seen from outside the field `name`.
    pub fn inside(self, name: &str) -> FieldError {
        let field = match self.field.as_str() {
            "" => name.to_string(),
            inner if inner.starts_with('[') => format!("{name}{inner}"),
            inner => format!("{name}.{inner}"),
        };
        FieldError { field, refusal: self.refusal }
    }

    /// Reads the field `name` of a record; an absent optional field reads as nothing.
    pub fn read_in<T: Field>(
        values: &BTreeMap<String, Value>,
        name: &str,
    ) -> Result<T, FieldError> {
        let value = match (values.get(name), T::KIND) {
            (Some(value), _) => value,
            (None, Kind::Optional(_)) => &Value::Nothing,
            (None, _) => return Err(FieldError::from(MISSING).inside(name)),
        };
        T::read(value).map_err(|error| error.inside(name))
    }
}

fn bounded(text: &str, bytes_max: usize) -> Result<Value, FieldError> {
    if text.len() > bytes_max {
        return Err(TOO_LONG.into());
    }
    Ok(Value::Text(text.to_string()))
}

impl Value {
    /// Reads a value typed by a person, `field=text` on a command line. Lists and groups
    /// are typed as JSON.
    pub fn parse(kind: &Kind, text: &str) -> Result<Value, FieldError> {
        match kind {
            Kind::Optional(_) if text.is_empty() => Ok(Value::Nothing),
            Kind::Optional(inner) => Value::parse(inner, text),
            Kind::Count { .. } | Kind::Zone | Kind::Time | Kind::Duration => {
                let number: u64 = text.parse().map_err(|_| COUNT)?;
                Value::from_json(kind, &Json::from(number))
            }
            Kind::Flag => {
                Value::from_json(kind, &Json::from(text.parse::<bool>().map_err(|_| FLAG)?))
            }
            Kind::List { .. } | Kind::Group(_) => {
                let json: Json = serde_json::from_str(text).map_err(|_| KIND)?;
                Value::from_json(kind, &json)
            }
            _ => Value::from_json(kind, &Json::from(text)),
        }
    }

    /// Reads JSON of a known kind.
    pub fn from_json(kind: &Kind, json: &Json) -> Result<Value, FieldError> {
        let text = || json.as_str().ok_or(FieldError::from(KIND));
        let number = || json.as_u64().ok_or(FieldError::from(COUNT));
        Ok(match kind {
            Kind::Amount => Value::Amount(text()?.parse::<Amount>()?),
            Kind::Account => Value::Account(text()?.parse().map_err(|_| ACCOUNT)?),
            Kind::Address => Value::Address(text()?.parse().map_err(|_| ADDRESS)?),
            Kind::PublicKey => Value::PublicKey(PublicKey::from_hex(text()?).ok_or(HEX)?),
            Kind::Hash => Value::Hash(Hash::from_hex(text()?).ok_or(HEX)?),
            Kind::Name { bytes_max } | Kind::Text { bytes_max } => bounded(text()?, *bytes_max)?,
            Kind::Bytes { bytes_max } => {
                let bytes = hex::decode(text()?).map_err(|_| HEX)?;
                if bytes.len() > *bytes_max {
                    return Err(TOO_LONG.into());
                }
                Value::Bytes(bytes)
            }
            Kind::Time => Value::Time(Millis(json.as_u64().ok_or(TIME)?)),
            Kind::Duration => Value::Duration(Millis(json.as_u64().ok_or(TIME)?)),
            Kind::Count { max } => match number()? {
                count if count <= *max => Value::Count(count),
                _ => return Err(COUNT.into()),
            },
            Kind::Zone => Value::Zone(Zone(u32::try_from(number()?).map_err(|_| COUNT)?)),
            Kind::Flag => Value::Flag(json.as_bool().ok_or(FLAG)?),
            Kind::Choice(words) => match text()? {
                word if words.contains(&word) => Value::Text(word.to_string()),
                _ => return Err(CHOICE.into()),
            },
            Kind::List { of, length_max } => list_from_json(of, *length_max, json)?,
            Kind::Optional(_) if json.is_null() => Value::Nothing,
            Kind::Optional(inner) => Value::from_json(inner, json)?,
            Kind::Group(fields) => Value::Group(group_from_json(fields, json)?),
        })
    }

    /// JSON: amounts and ids as strings, numbers as numbers, absent as null.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Count(count) => Json::from(*count),
            Value::Time(time) | Value::Duration(time) => Json::from(time.0),
            Value::Zone(zone) => Json::from(zone.0),
            Value::Flag(flag) => Json::from(*flag),
            Value::List(items) => Json::Array(items.iter().map(Value::to_json).collect()),
            Value::Group(fields) => fields_to_json(fields),
            Value::Nothing => Json::Null,
            _ => Json::from(self.to_string()),
        }
    }

    /// The value in words, for people about to sign: lists and groups without brackets.
    pub fn words(&self) -> String {
        match self {
            Value::List(items) => items.iter().map(Value::words).collect::<Vec<_>>().join("; "),
            Value::Group(fields) => {
                let named = fields.iter().map(|(name, value)| format!("{name} {}", value.words()));
                named.collect::<Vec<_>>().join(", ")
            }
            plain => plain.to_string(),
        }
    }

    /// The fields of a group, by name.
    pub fn group(&self) -> Result<BTreeMap<String, Value>, FieldError> {
        match self {
            Value::Group(fields) => {
                Ok(fields.iter().map(|(n, v)| (n.to_string(), v.clone())).collect())
            }
            _ => Err(KIND.into()),
        }
    }
}

/// JSON of named fields.
pub(crate) fn fields_to_json(fields: &[(&'static str, Value)]) -> Json {
    Json::Object(fields.iter().map(|(name, v)| (name.to_string(), v.to_json())).collect())
}

fn list_from_json(of: &Kind, length_max: usize, json: &Json) -> Result<Value, FieldError> {
    let items = json.as_array().ok_or(LIST)?;
    if items.len() > length_max {
        return Err(TOO_LONG.into());
    }
    let read = |(place, item): (usize, &Json)| {
        Value::from_json(of, item).map_err(|error| error.inside(&format!("[{place}]")))
    };
    items.iter().enumerate().map(read).collect::<Result<_, _>>().map(Value::List)
}

/// Reads a JSON object with exactly these fields; optional ones may be absent.
pub(crate) fn group_from_json(
    fields: &'static [FieldInfo],
    json: &Json,
) -> Result<Vec<(&'static str, Value)>, FieldError> {
    let object = json.as_object().ok_or(KIND)?;
    if let Some(name) = object.keys().find(|name| fields.iter().all(|f| f.name != **name)) {
        let name: String = name.chars().take(64).collect();
        return Err(FieldError::from(UNKNOWN).inside(&name));
    }
    let read = |field: &FieldInfo| {
        let value = match (object.get(field.name), field.kind) {
            (Some(json), kind) => Value::from_json(&kind, json),
            (None, Kind::Optional(_)) => Ok(Value::Nothing),
            (None, _) => Err(MISSING.into()),
        };
        value.map(|value| (field.name, value)).map_err(|error| error.inside(field.name))
    };
    fields.iter().map(read).collect()
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Amount(amount) => write!(f, "{amount}"),
            Value::Account(account) => write!(f, "{account}"),
            Value::Address(address) => write!(f, "{address}"),
            Value::PublicKey(key) => write!(f, "{key}"),
            Value::Hash(hash) => write!(f, "{hash}"),
            Value::Text(text) => f.write_str(text),
            Value::Bytes(bytes) => f.write_str(&hex::encode(bytes)),
            Value::Time(time) | Value::Duration(time) => write!(f, "{time}"),
            Value::Count(count) => write!(f, "{count}"),
            Value::Zone(zone) => write!(f, "{zone}"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::List(_) | Value::Group(_) => write!(f, "{}", self.to_json()),
            Value::Nothing => Ok(()),
        }
    }
}
