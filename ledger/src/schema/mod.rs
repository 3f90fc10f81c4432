//! The closed set of semantic kinds that fields of events, views and rows may have.
//!
//! Arguments, words before signing, JSON, OpenAPI and explorer pages are functions of
//! ([`Kind`], [`Value`]), so a new event needs no code in any of them.

mod field;
mod value;

pub use field::{Bytes, Choice, Field, List, Text};
pub use value::{ALL as REFUSALS, FieldError, Value};

/// What a field means. Closed: adding one is a change of the ledger itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Money, as a decimal number of APT.
    Amount,
    /// An account id, `apt1…`.
    Account,
    /// A DDT address, `ddt1…`.
    Address,
    /// An Ed25519 public key, 64 hex digits.
    PublicKey,
    /// 32 bytes, 64 hex digits.
    Hash,
    /// A name with rules of its programme's own.
    Name {
        /// Longest, in bytes.
        bytes_max: usize,
    },
    /// UTF-8 text.
    Text {
        /// Longest, in bytes.
        bytes_max: usize,
    },
    /// Any bytes, in hex.
    Bytes {
        /// Longest, in bytes.
        bytes_max: usize,
    },
    /// A moment: milliseconds since 1970-01-01 UTC.
    Time,
    /// A length of time in milliseconds.
    Duration,
    /// A whole number.
    Count {
        /// Largest.
        max: u64,
    },
    /// A zone's number.
    Zone,
    /// Yes or no.
    Flag,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Several of one kind.
    List {
        /// Of what.
        of: &'static Kind,
        /// How many at most.
        length_max: usize,
    },
    /// One, or nothing.
    Optional(&'static Kind),
    /// Named fields together.
    Group(&'static [FieldInfo]),
}

/// A field's name and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// As in code, JSON and on the command line.
    pub name: &'static str,
    /// What it means.
    pub kind: Kind,
    /// One line for help texts and API documentation.
    pub doc: &'static str,
}

/// Values by field name, in the order of declaration.
pub type Fields = Vec<(&'static str, Value)>;

/// A record whose fields are known by name and kind.
pub trait Shape: Sized {
    /// Its fields.
    const FIELDS: &'static [FieldInfo];
    /// Their values.
    fn show(&self) -> Fields;
    /// The record with these values; names the field that is missing or wrong.
    fn read(values: &std::collections::BTreeMap<String, Value>) -> Result<Self, FieldError>;
}

/// Fills `{field}` in `words` with the values. An absent optional reads as nothing.
pub fn fill_words(words: &str, fields: &[(&'static str, Value)]) -> String {
    let mut text = words.to_string();
    for (name, value) in fields {
        text = text.replace(&format!("{{{name}}}"), &value.words());
    }
    text
}

/// Declares a record with a [`Shape`]: for rows of views and groups inside events.
#[macro_export]
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident {
        $($(#[doc = $doc:literal])* $field:ident : $kind:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, $crate::borsh::BorshSerialize,
            $crate::borsh::BorshDeserialize)]
        #[borsh(crate = "::ddt_ledger::borsh")]
        pub struct $name { $($(#[doc = $doc])* pub $field: $kind),* }

        impl $crate::schema::Shape for $name {
            const FIELDS: &'static [$crate::schema::FieldInfo] = &[$(
                $crate::schema::FieldInfo {
                    name: stringify!($field),
                    kind: <$kind as $crate::schema::Field>::KIND,
                    doc: concat!("" $(, $doc)*),
                }
            ),*];

            fn show(&self) -> $crate::schema::Fields {
                vec![$((stringify!($field), $crate::schema::Field::show(&self.$field))),*]
            }

            fn read(
                values: &std::collections::BTreeMap<String, $crate::schema::Value>,
            ) -> Result<Self, $crate::schema::FieldError> {
                let _ = values;
                Ok($name { $($field: $crate::schema::FieldError::read_in(
                    values, stringify!($field),
                )?),* })
            }
        }

        impl $crate::schema::Field for $name {
            const KIND: $crate::schema::Kind =
                $crate::schema::Kind::Group(<$name as $crate::schema::Shape>::FIELDS);

            fn show(&self) -> $crate::schema::Value {
                $crate::schema::Value::Group($crate::schema::Shape::show(self))
            }

            fn read(
                value: &$crate::schema::Value,
            ) -> Result<Self, $crate::schema::FieldError> {
                <$name as $crate::schema::Shape>::read(&value.group()?)
            }
        }
    };
}
