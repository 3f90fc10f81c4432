//! Between the engine's messages and [`crate::wire`]: a version byte, then Borsh.

#[cfg(test)]
mod tests;
mod values;
mod votes;

use arc_malachitebft_codec::{Codec, HasEncodedLen};
use arc_malachitebft_sync::Response;
use borsh::{BorshDeserialize, BorshSerialize};
use bytes::Bytes;
use ddt_ledger::codec as canonical;

use crate::application::BODY_BYTES_MAX;
use crate::context::Ddt;

/// Version of every format in [`crate::wire`]. A new one must still read the old ones.
const VERSION: u8 = 1;

/// Bytes of a message that carries no body.
pub(crate) const SMALL_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a message that carries one body.
pub(crate) const BODY_MESSAGE_BYTES_MAX: usize = BODY_BYTES_MAX + 1024;
/// Bodies in one answer of a sync, in bytes.
pub(crate) const SYNC_BODIES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one answer of a sync, certificates included; the engine's own limit.
pub(crate) const SYNC_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Why a message cannot be encoded or decoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("empty message")]
    Empty,
    #[error("format version {0} is not known here")]
    Version(u8),
    #[error(transparent)]
    Canonical(#[from] canonical::CodecError),
    #[error("{0}")]
    Meaning(&'static str),
}

/// A message of the engine with its stable shape.
pub(crate) trait Framed: Sized {
    type Wire: BorshSerialize + BorshDeserialize;
    const BYTES_MAX: usize;

    fn to_wire(&self) -> Result<Self::Wire, WireError>;
    fn from_wire(wire: Self::Wire) -> Result<Self, WireError>;
}

/// The codec of WAL, mesh and sync.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DdtCodec;

impl<T: Framed> Codec<T> for DdtCodec {
    type Error = WireError;

    fn encode(&self, message: &T) -> Result<Bytes, WireError> {
        let mut bytes = vec![VERSION];
        bytes.extend(canonical::encode(&message.to_wire()?));
        Ok(bytes.into())
    }

    fn decode(&self, bytes: Bytes) -> Result<T, WireError> {
        match bytes.split_first() {
            None => Err(WireError::Empty),
            Some((&VERSION, rest)) => T::from_wire(canonical::decode(rest, T::BYTES_MAX)?),
            Some((&other, _)) => Err(WireError::Version(other)),
        }
    }
}

impl HasEncodedLen<Response<Ddt>> for DdtCodec {
    fn encoded_len(&self, message: &Response<Ddt>) -> Result<usize, WireError> {
        self.encode(message).map(|bytes| bytes.len())
    }
}
