//! Signed messages: texts and files that an account's key stands behind.
//!
//! Their hash has a context of its own, so no message signature is ever an event's or a
//! possession's, whatever the message says. Account and key are part of what is signed.

use std::fmt;
use std::str::FromStr;

use ddt_ledger::{AccountId, Domain, Hash, PublicKey, Signature};

use crate::keys::OwnerKey;

/// Longest message that is signed or verified: 16 MiB.
pub const MESSAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

const DOMAIN: Domain = Domain("ddt v1 signed message");
const PREFIX: &str = "ddt-message-1";

/// What an account's key signs for a message (spec WLT-12).
pub fn message_digest(account: &AccountId, key: &PublicKey, message: &[u8]) -> Hash {
    DOMAIN.hash(&[&account.0, &key.0, message])
}

/// A signature with the key that made it, as one word: `ddt-message-1:KEY:SIGNATURE` in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedMessage {
    /// The key that signed.
    pub key: PublicKey,
    /// Its signature over [`message_digest`].
    pub signature: Signature,
}

/// Why a text is no message signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureTextError {
    /// Something else altogether.
    #[error("a message signature looks like {PREFIX}:KEY:SIGNATURE; this does not")]
    Format,
    /// Of a later version.
    #[error("this message signature is of a newer version; update this programme to check it")]
    Newer,
    /// Cut short, or mistyped.
    #[error("the key has 64 and the signature 128 hexadecimal digits; copy the whole line again")]
    Digits,
}

impl SignedMessage {
    /// Signs `message` for `account` with `key`.
    pub fn sign(account: &AccountId, key: &OwnerKey, message: &[u8]) -> SignedMessage {
        let public = key.public();
        let signature = key.sign(&message_digest(account, &public, message));
        SignedMessage { key: public, signature }
    }

    /// Whether the key signed this message for this account. Says nothing about whether the
    /// key is, or was, the account's.
    pub fn is_valid(&self, account: &AccountId, message: &[u8]) -> bool {
        let digest = message_digest(account, &self.key, message);
        self.key.verifies(&digest, &self.signature)
    }

    /// Whether the key is the account's first: no ledger is needed to know.
    pub fn is_first_key(&self, account: &AccountId) -> bool {
        AccountId::of(&self.key) == *account
    }
}

impl fmt::Display for SignedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}:{}:{}", self.key, self.signature)
    }
}

impl FromStr for SignedMessage {
    type Err = SignatureTextError;

    fn from_str(text: &str) -> Result<SignedMessage, SignatureTextError> {
        let mut parts = text.trim().split(':');
        match parts.next() {
            Some(PREFIX) => {}
            Some(other) if other.starts_with("ddt-message-") => {
                return Err(SignatureTextError::Newer);
            }
            _ => return Err(SignatureTextError::Format),
        }
        let (Some(key), Some(signature), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SignatureTextError::Format);
        };
        let key = PublicKey::from_hex(key).ok_or(SignatureTextError::Digits)?;
        let mut bytes = [0; 64];
        hex::decode_to_slice(signature, &mut bytes).map_err(|_| SignatureTextError::Digits)?;
        Ok(SignedMessage { key, signature: Signature(bytes) })
    }
}
