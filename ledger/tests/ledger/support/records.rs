//! An event with a field of every kind.

use ddt_ledger::borsh::{self, BorshDeserialize, BorshSerialize};
use ddt_ledger::schema::{Bytes, Choice, Field, FieldError, Kind, List, REFUSALS, Text, Value};
use ddt_ledger::{AccountId, Amount, Hash, Millis, PublicKey, Refusal, Zone, event, shape};

/// The refusal of the schema with this code.
pub fn field_refusal(code: &str) -> Refusal {
    *REFUSALS.iter().find(|refusal| refusal.code == code).expect("a refusal of the schema")
}

/// A name of lower-case letters.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Word(pub Text<8>);

impl Field for Word {
    const KIND: Kind = Kind::Name { bytes_max: 8 };

    fn show(&self) -> Value {
        Value::Text(self.0.as_str().to_string())
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        Text::read(value).map(Word)
    }
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Length(pub Millis);

impl Field for Length {
    const KIND: Kind = Kind::Duration;

    fn show(&self) -> Value {
        Value::Duration(self.0)
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        match value {
            Value::Duration(length) => Ok(Length(*length)),
            _ => Err(field_refusal("field.kind").into()),
        }
    }
}

/// One of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Colour {
    /// First.
    Red,
    /// Second.
    Green,
    /// Third.
    Blue,
}

impl Choice for Colour {
    const WORDS: &'static [&'static str] = &["red", "green", "blue"];
    const ALL: &'static [Colour] = &[Colour::Red, Colour::Green, Colour::Blue];
}

shape! {
    /// Fields together.
    Pair { left: u8, right: Option<Hash> }
}

event! {
    /// A field of every kind.
    Record = "test.record", Owner, "Record {name} with {amount}, {maybe}" {
        amount: Amount,
        account: AccountId,
        key: PublicKey,
        hash: Hash,
        name: Word,
        text: Text<16>,
        bytes: Bytes<16>,
        time: Millis,
        length: Length,
        tiny: u8,
        count: u64,
        zone: Zone,
        flag: bool,
        colour: Colour,
        numbers: List<u32, 3>,
        maybe: Option<Text<4>>,
        pair: Pair,
        pairs: List<Pair, 2>,
    }
}

/// A record with something in every field.
pub fn sample() -> Record {
    Record {
        amount: Amount::from_units(1_500_000_001).expect("an amount"),
        account: AccountId([7; 32]),
        key: PublicKey([8; 32]),
        hash: Hash([9; 32]),
        name: Word(Text::new("anna").expect("a short text")),
        text: Text::new("grün & more").expect("a short text"),
        bytes: Bytes::new([0u8, 255, 16]).expect("few bytes"),
        time: Millis(1_700_000_000_000),
        length: Length(Millis(60_000)),
        tiny: 255,
        count: u64::MAX,
        zone: Zone(4_000_000_000),
        flag: true,
        colour: Colour::Blue,
        numbers: List::new(vec![0, 1, u32::MAX]).expect("a short list"),
        maybe: Text::new("ja"),
        pair: Pair { left: 1, right: Some(Hash([2; 32])) },
        pairs: List::new(vec![Pair { left: 3, right: None }]).expect("a short list"),
    }
}
