//! The canonical encoding: Borsh, pinned, with limits.
//!
//! Borsh gives every value exactly one encoding. Decoding refuses trailing bytes, and every
//! variable-length type of the ledger checks its own limit before it allocates, so no input
//! can make a decoder allocate more than the limits of its fields.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::refusal::Refusal;

/// Why bytes are not a value.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Longer than the limit of what it should be.
    #[error("{length} bytes, more than the {limit} allowed")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A rule of a field's own.
    #[error("{0}")]
    Field(Refusal),
    /// Not the canonical encoding: too short, trailing bytes, or a bad tag.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// The canonical bytes of `value`.
pub fn encode<T: BorshSerialize + ?Sized>(value: &T) -> Vec<u8> {
    // Measured first, so that the bytes are placed once: most values are short, and growing by
    // pieces costs more than walking over their fields twice.
    let mut bytes = Vec::with_capacity(borsh::object_length(value).unwrap_or_default());
    // Writing to a Vec cannot fail; Borsh fails only on lists over 4 GiB, which no type here
    // can hold. The empty encoding would decode as nothing, never as another value.
    if value.serialize(&mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}

/// Reads exactly one value from at most `limit` bytes.
pub fn decode<T: BorshDeserialize>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { length: bytes.len(), limit });
    }
    borsh::from_slice(bytes).map_err(|error| match error.downcast::<Refusal>() {
        Ok(refusal) => CodecError::Field(refusal),
        Err(error) => CodecError::Malformed(error.to_string()),
    })
}
