//! An event that names, alone and inside a list, and a deadline that is for a name.

use std::io::Read;

use ddt_ledger::book::Book;
use ddt_ledger::borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::context::Context;
use ddt_ledger::registry::{DeadlineRow, Event};
use ddt_ledger::schema::{Field, FieldError, Fields, Kind, List, Text, Value};
use ddt_ledger::table::TableInfo;
use ddt_ledger::{Hash, Millis, Refusal, event, refusals, shape};

use super::programme::Line;

refusals! {
    NAMELESS = "test.nameless", "This event is refused when it is told to be.";
}

/// A name of at most 20 bytes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Called(pub Text<20>);

/// A name.
pub fn called(name: &str) -> Called {
    Called(Text::new(name).expect("a short name"))
}

impl BorshDeserialize for Called {
    fn deserialize_reader<R: Read>(reader: &mut R) -> std::io::Result<Called> {
        Text::deserialize_reader(reader).map(Called)
    }
}

impl Field for Called {
    const KIND: Kind = Kind::Name { bytes_max: 20 };

    fn show(&self) -> Value {
        self.0.show()
    }

    fn read(value: &Value) -> Result<Called, FieldError> {
        Text::read(value).map(Called)
    }
}

shape! {
    /// Another name, perhaps.
    Other {
        /// The name.
        name: Option<Called>,
    }
}

event! {
    /// Names, and sets a deadline for another name.
    Call = "test.call", Owner, "Call {name}"
        { name: Called, others: List<Other, 4>, words: Line, due: Option<Line>, is_refused: bool }
}

/// The deadline's tag.
pub const CALLED: u16 = 4;

impl Event for Call {
    const REFUSALS: &'static [Refusal] = &[NAMELESS];

    fn apply(&self, cx: &Context, book: &mut Book) -> Result<(), Refusal> {
        if self.is_refused {
            return Err(NAMELESS);
        }
        if let Some(due) = &self.due {
            book.schedule(cx.clock.plus(Millis(1)), CALLED, due.as_str().as_bytes());
        }
        Ok(())
    }
}

/// An event that calls one name.
pub fn call(name: &str) -> Call {
    let (others, words) = (List::default(), Line::default());
    Call { name: called(name), others, words, due: None, is_refused: false }
}

/// A deadline that does nothing.
pub const DEADLINE: DeadlineRow =
    DeadlineRow { tag: CALLED, name: "test.called", run: |_, _, _| Ok(()) };

/// The table whose rows have names of lower-case letters as keys.
pub const TABLE: TableInfo = TableInfo { id: 302, name: "test.called", indexes: &[], show };

fn show(key: &[u8], _: Option<&[u8]>) -> Option<Fields> {
    let text = std::str::from_utf8(key).ok()?;
    let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase());
    is_name.then(|| vec![("name", Value::Text(text.to_string()))])
}

/// A table whose rows have hashes as keys.
pub const HASHES: TableInfo = TableInfo { id: 303, name: "test.hashes", indexes: &[], show: hash };

fn hash(key: &[u8], _: Option<&[u8]>) -> Option<Fields> {
    Some(vec![("hash", Hash(key.try_into().ok()?).show())])
}
