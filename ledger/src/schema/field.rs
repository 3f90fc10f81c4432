//! Rust types as fields: each knows its kind, its value and its own limit.

use std::io::{Error, Read};

use borsh::{BorshDeserialize, BorshSerialize};

use super::value::{CHOICE, COUNT, FieldError, KIND, TOO_LONG};
use super::{Kind, Value};
use crate::amount::Amount;
use crate::hash::Hash;
use crate::ids::{AccountId, Address, Millis, Zone};
use crate::key::PublicKey;

/// A type that may be a field.
pub trait Field: Sized {
    /// What it means.
    const KIND: Kind;
    /// Its dynamic value.
    fn show(&self) -> Value;
    /// The field with this value.
    fn read(value: &Value) -> Result<Self, FieldError>;
}

macro_rules! plain_field {
    ($($kind:ident for $name:ty;)*) => { $(
        impl Field for $name {
            const KIND: Kind = Kind::$kind;
            fn show(&self) -> Value {
                Value::$kind(*self)
            }
            fn read(value: &Value) -> Result<Self, FieldError> {
                match value {
                    Value::$kind(inner) => Ok(*inner),
                    _ => Err(KIND.into()),
                }
            }
        }
    )* };
}

plain_field! {
    Amount for Amount;
    Account for AccountId;
    Address for Address;
    PublicKey for PublicKey;
    Hash for Hash;
    Zone for Zone;
    Flag for bool;
    Time for Millis;
}

macro_rules! count_field {
    ($($name:ty)*) => { $(
        impl Field for $name {
            const KIND: Kind = Kind::Count { max: <$name>::MAX as u64 };
            fn show(&self) -> Value {
                Value::Count(u64::from(*self))
            }
            fn read(value: &Value) -> Result<Self, FieldError> {
                match value {
                    Value::Count(count) => {
                        <$name>::try_from(*count).map_err(|_| COUNT.into())
                    }
                    _ => Err(KIND.into()),
                }
            }
        }
    )* };
}

count_field!(u8 u16 u32 u64);

impl<T: Field> Field for Option<T> {
    const KIND: Kind = Kind::Optional(&T::KIND);

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Nothing, Field::show)
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Nothing => Ok(None),
            value => T::read(value).map(Some),
        }
    }
}

/// Reads a length and refuses it above `max`, before anything is allocated.
fn read_length<R: Read>(reader: &mut R, max: usize) -> std::io::Result<usize> {
    let length = u32::deserialize_reader(reader)?;
    match usize::try_from(length) {
        Ok(length) if length <= max => Ok(length),
        _ => Err(Error::other(TOO_LONG)),
    }
}

fn read_bytes<R: Read>(reader: &mut R, max: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; read_length(reader, max)?];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// UTF-8 text of at most `MAX` bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// `None` when it is longer than `MAX` bytes.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (text.len() <= MAX).then_some(Text(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> BorshDeserialize for Text<MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> std::io::Result<Self> {
        let bytes = read_bytes(reader, MAX)?;
        String::from_utf8(bytes).map(Text).map_err(|_| Error::other("text is not UTF-8"))
    }
}

impl<const MAX: usize> Field for Text<MAX> {
    const KIND: Kind = Kind::Text { bytes_max: MAX };

    fn show(&self) -> Value {
        Value::Text(self.0.clone())
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Text(text) => Text::new(text.as_str()).ok_or(TOO_LONG.into()),
            _ => Err(KIND.into()),
        }
    }
}

/// At most `MAX` bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Bytes<MAX> {
    /// `None` when there are more than `MAX`.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (bytes.len() <= MAX).then_some(Bytes(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes themselves.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> BorshDeserialize for Bytes<MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> std::io::Result<Self> {
        read_bytes(reader, MAX).map(Bytes)
    }
}

impl<const MAX: usize> Field for Bytes<MAX> {
    const KIND: Kind = Kind::Bytes { bytes_max: MAX };

    fn show(&self) -> Value {
        Value::Bytes(self.0.clone())
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Bytes(bytes) => Bytes::new(bytes.as_slice()).ok_or(TOO_LONG.into()),
            _ => Err(KIND.into()),
        }
    }
}

/// At most `MAX` of one field type.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// `None` when there are more than `MAX`.
    pub fn new(items: Vec<T>) -> Option<Self> {
        (items.len() <= MAX).then_some(List(items))
    }

    /// The items.
    pub fn items(&self) -> &[T] {
        &self.0
    }

    /// The items themselves.
    pub fn into_items(self) -> Vec<T> {
        self.0
    }
}

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for List<T, MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> std::io::Result<Self> {
        let length = read_length(reader, MAX)?;
        (0..length).map(|_| T::deserialize_reader(reader)).collect::<Result<_, _>>().map(List)
    }
}

impl<T: Field, const MAX: usize> Field for List<T, MAX> {
    const KIND: Kind = Kind::List { of: &T::KIND, length_max: MAX };

    fn show(&self) -> Value {
        Value::List(self.0.iter().map(Field::show).collect())
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        let Value::List(values) = value else { return Err(KIND.into()) };
        let items = values
            .iter()
            .enumerate()
            .map(|(place, item)| T::read(item).map_err(|e| e.inside(&format!("[{place}]"))))
            .collect::<Result<Vec<T>, _>>()?;
        List::new(items).ok_or(TOO_LONG.into())
    }
}

/// A fieldless enum whose variants have words.
pub trait Choice: Copy + PartialEq + 'static {
    /// The words, in the order of `ALL`.
    const WORDS: &'static [&'static str];
    /// The variants.
    const ALL: &'static [Self];
}

impl<T: Choice> Field for T {
    const KIND: Kind = Kind::Choice(T::WORDS);

    fn show(&self) -> Value {
        let place = T::ALL.iter().position(|choice| choice == self).unwrap_or_default();
        Value::Text(T::WORDS.get(place).copied().unwrap_or_default().to_string())
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        let Value::Text(text) = value else { return Err(KIND.into()) };
        let place = T::WORDS.iter().position(|word| word == text).ok_or(CHOICE)?;
        T::ALL.get(place).copied().ok_or(CHOICE.into())
    }
}
