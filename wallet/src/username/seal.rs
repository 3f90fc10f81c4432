//! Sealing a record under the key of its name: XChaCha20-Poly1305, always the same length.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ddt_ledger::ChainId;
use zeroize::Zeroizing;

use super::record::{RECORD_BYTES, Record};
use super::slow_hash::NameKeys;

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// Bytes of a row's ciphertext: nonce, sealed record, tag.
pub const CIPHERTEXT_BYTES: usize = NONCE_BYTES + RECORD_BYTES + TAG_BYTES;

/// Why a row does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Sealed under another key: whoever claimed the row did not know its name, or sealed
    /// it for another row or chain.
    #[error("somebody holds this row without the name's key; there is nothing in it")]
    Sealed,
    /// It opened and holds something else.
    #[error("what is sealed in it is no record of an account")]
    Contents,
    /// Written by a later release.
    #[error("what is sealed in it has version {0}; use a newer release")]
    Version(u8),
}

impl NameKeys {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }

    /// What the ciphertext is bound to beside its key.
    fn bound_to(&self, chain: ChainId) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(chain.0.0.iter().chain(&self.row.0)) {
            *to = *from;
        }
        bytes
    }

    /// Seals a record for this row. The nonce must never be used for another record.
    pub(super) fn seal(
        &self,
        chain: ChainId,
        record: &Record,
        nonce: &[u8; NONCE_BYTES],
    ) -> Option<[u8; CIPHERTEXT_BYTES]> {
        let (plaintext, bound_to) = (record.encode(), self.bound_to(chain));
        let payload = Payload { msg: plaintext.as_slice(), aad: &bound_to };
        let sealed = self.cipher().encrypt(&XNonce::from(*nonce), payload).ok()?;
        [nonce.as_slice(), &sealed].concat().try_into().ok()
    }

    /// Opens a row's ciphertext. What comes out is not yet believed: see [`Record::check`].
    ///
    /// # Errors
    /// Sealed under another key, or not a record.
    pub fn open(&self, chain: ChainId, ciphertext: &[u8]) -> Result<Record, OpenError> {
        let (nonce, sealed) = ciphertext.split_first_chunk().ok_or(OpenError::Sealed)?;
        let bound_to = self.bound_to(chain);
        let payload = Payload { msg: sealed, aad: &bound_to };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        let opened = Zeroizing::new(opened.map_err(|_| OpenError::Sealed)?);
        let record = opened.as_slice().try_into().map_err(|_| OpenError::Contents)?;
        Record::decode(record).map_err(OpenError::Version)?.ok_or(OpenError::Contents)
    }
}
