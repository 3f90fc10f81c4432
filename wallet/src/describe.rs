//! What an event says, in words, before it is signed. Taken from the very bytes that the
//! signature covers, not from what was asked for.

use ddt_ledger::event::Draft;
use ddt_ledger::registry::Registry;
use ddt_ledger::schema::{Value, fill_words};
use ddt_ledger::{AccountId, Refusal};

/// An event in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `programme.event`.
    pub name: &'static str,
    /// One sentence.
    pub words: String,
    /// Every field and its value, absent ones left out.
    pub fields: Vec<(&'static str, String)>,
    /// Who signs.
    pub author: AccountId,
}

/// Describes a draft; refuses one that this release does not know, which nobody should sign.
pub fn describe(draft: &Draft, registry: &Registry) -> Result<Description, Refusal> {
    let row = registry.row(draft.tag).ok_or(ddt_ledger::event::UNKNOWN_TAG)?;
    let fields = (row.show)(draft.body.as_slice())?;
    let words = fill_words(row.words, &fields);
    let present = fields.into_iter().filter(|(_, value)| *value != Value::Nothing);
    let fields = present.map(|(name, value)| (name, value.words())).collect();
    Ok(Description { name: row.name, words, fields, author: draft.author })
}
