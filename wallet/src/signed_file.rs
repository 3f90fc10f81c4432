//! A signed event in a file: made where the key is, submitted where a node is.
//!
//! The bytes alone count. What the file says besides is for people and is checked against them.

use ddt_ledger::codec::encode;
use ddt_ledger::event::{Checked, EVENT_BYTES_MAX, Signed};
use ddt_ledger::registry::Registry;
use ddt_ledger::{AccountId, ChainId, Hash, Millis, PublicKey, Refusal};
use serde::{Deserialize, Serialize};

use crate::describe::describe;

/// The version of the file that is read and written.
pub const VERSION: u64 = 1;

/// Longest file read, in bytes: the event's digits and as much again for its words.
pub const FILE_BYTES_MAX: u64 = 8 * EVENT_BYTES_MAX as u64;

const FORMAT: &str = "ddt-signed-event";

/// A signed event, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFile {
    format: String,
    version: u64,
    /// For which chain.
    pub chain: ChainId,
    /// The event's id.
    pub event: Hash,
    /// `programme.event`.
    pub name: String,
    /// What it does, in one sentence.
    pub words: String,
    /// Whose event.
    pub author: AccountId,
    /// The key that signed.
    pub key: PublicKey,
    /// Its nonce, or its ticket.
    pub nonce: u64,
    /// Anchor time from which it is void, in Unix milliseconds.
    pub valid_until: Millis,
    /// The event in hex.
    pub bytes: String,
}

/// Why a file is no signed event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedFileError {
    /// Not such a file, or a damaged one.
    #[error("it is no signed event, or a damaged one: {0}. Sign the event again")]
    Damaged(String),
    /// Written by a later version.
    #[error("it has version {0} and this programme reads version {VERSION}; update it")]
    Newer(u64),
    /// What it says is not what its bytes say.
    #[error("its {0} is not that of its bytes: the file was changed. Do not submit it; sign again")]
    Differs(&'static str),
    /// The event itself is not good.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

#[derive(Deserialize)]
struct Probe {
    format: String,
    version: u64,
}

impl SignedFile {
    /// The file of a signed event.
    ///
    /// # Errors
    /// An event that this release does not know.
    pub fn new(signed: &Signed, registry: &Registry) -> Result<SignedFile, Refusal> {
        let draft = &signed.draft;
        let description = describe(draft, registry)?;
        Ok(SignedFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            chain: draft.chain,
            event: signed.id(),
            name: description.name.to_owned(),
            words: description.words,
            author: draft.author,
            key: draft.key,
            nonce: draft.nonce,
            valid_until: draft.valid_until,
            bytes: hex::encode(encode(signed)),
        })
    }

    /// The file's text.
    pub fn to_json(&self) -> Result<String, SignedFileError> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(damaged)
    }

    /// Reads a file's text, checks the event's bytes and signature, and that the file says
    /// what they say.
    ///
    /// # Errors
    /// Every one of [`SignedFileError`].
    pub fn check(
        text: &str,
        registry: &Registry,
    ) -> Result<(SignedFile, Checked), SignedFileError> {
        let probe: Probe = serde_json::from_str(text).map_err(damaged)?;
        if probe.format != FORMAT {
            return Err(SignedFileError::Damaged("it is another kind of file".to_owned()));
        }
        if probe.version > VERSION {
            return Err(SignedFileError::Newer(probe.version));
        }
        let file: SignedFile = serde_json::from_str(text).map_err(damaged)?;
        if file.version != VERSION {
            let reason = format!("version {} was never written", file.version);
            return Err(SignedFileError::Damaged(reason));
        }
        let bytes = hex::decode(&file.bytes)
            .map_err(|_| SignedFileError::Damaged("its bytes are no hex digits".to_owned()))?;
        let checked = Checked::check(&bytes, Signed::decode(&bytes)?.draft.chain, registry)?;
        file.compare(&checked, registry)?;
        Ok((file, checked))
    }

    /// The words may be those of another release; the rest is what the bytes say.
    fn compare(&self, checked: &Checked, registry: &Registry) -> Result<(), SignedFileError> {
        let draft = checked.draft();
        let name = checked.row(registry).map(|row| row.name);
        let same = [
            ("chain", self.chain == draft.chain),
            ("event", self.event == checked.id()),
            ("name", Some(self.name.as_str()) == name),
            ("author", self.author == draft.author),
            ("key", self.key == draft.key),
            ("nonce", self.nonce == draft.nonce),
            ("valid_until", self.valid_until == draft.valid_until),
        ];
        match same.iter().find(|(_, is_same)| !is_same) {
            Some((field, _)) => Err(SignedFileError::Differs(field)),
            None => Ok(()),
        }
    }
}

fn damaged(error: serde_json::Error) -> SignedFileError {
    SignedFileError::Damaged(error.to_string())
}
