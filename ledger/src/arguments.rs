//! Arguments: an event's fields as people type them, `name=value`.

use std::collections::BTreeMap;

use crate::refusal::Refusal;
use crate::registry::Row;
use crate::schema::{FieldError, Value};

/// Longest part of a wrong argument that an error repeats, in characters.
const SHOWN_MAX: usize = 64;

crate::refusals! {
    ARGUMENT = "field.argument",
        "An argument is the name of one of the event's fields, then = and its value.";
    TWICE = "field.twice", "The field is given twice; give it once.";
}

impl Row {
    /// Reads `name=value` arguments as this event's fields, in any order. Fields that are
    /// missing are found by [`Row::build`].
    ///
    /// # Errors
    ///
    /// Names the argument that is no field's, or the field that is given twice or whose
    /// value is not of its kind.
    pub fn parse(&self, arguments: &[&str]) -> Result<BTreeMap<String, Value>, FieldError> {
        let mut values = BTreeMap::new();
        for argument in arguments {
            let (name, text) = argument.split_once('=').ok_or_else(|| at(argument, ARGUMENT))?;
            let field = self.fields.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| at(name, ARGUMENT))?;
            let value = Value::parse(&field.kind, text).map_err(|error| error.inside(name))?;
            if values.insert(name.to_string(), value).is_some() {
                return Err(at(name, TWICE));
            }
        }
        Ok(values)
    }
}

fn at(text: &str, refusal: Refusal) -> FieldError {
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    FieldError::from(refusal).inside(&shown)
}
