//! Public keys, signatures and their one rule of validity: ZIP-215.
//!
//! Keys are made and used for signing with `ed25519-dalek` (in the wallet and the node).
//! Validity is decided here with `ed25519-consensus`, whose batch and single verification
//! agree on every input (ZIP-215); anything else could split the network.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use rand_chacha::ChaCha12Rng;
use rand_core06::{RngCore, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::Hash;

/// An Ed25519 public key, 32 bytes as published. May be no valid point: then nothing verifies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

impl PublicKey {
    /// Whether `signature` is valid for `message` under ZIP-215.
    pub fn verifies(&self, message: &Hash, signature: &Signature) -> bool {
        let Ok(key) = ed25519_consensus::VerificationKey::try_from(self.0) else {
            return false;
        };
        key.verify(&ed25519_consensus::Signature::from(signature.0), &message.0).is_ok()
    }

    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Option<PublicKey> {
        Hash::from_hex(text).map(|hash| PublicKey(hash.0))
    }
}

/// Whether every (key, message, signature) is valid. Agrees with [`PublicKey::verifies`]
/// on each, and costs less than half as much for hundreds at once.
pub fn all_verify(items: &[(PublicKey, Hash, Signature)]) -> bool {
    use ed25519_consensus::{Signature as Inner, VerificationKeyBytes, batch};
    let mut verifier = batch::Verifier::new();
    for (key, message, signature) in items {
        let key = VerificationKeyBytes::from(key.0);
        verifier.queue((key, Inner::from(signature.0), message.as_bytes()));
    }
    // From a seed of the system's: asking it for each signature would cost a call each.
    let mut seed = [0; 32];
    if rand_core06::OsRng.try_fill_bytes(&mut seed).is_err() {
        return items.iter().all(|(key, message, signature)| key.verifies(message, signature));
    }
    verifier.verify(ChaCha12Rng::from_seed(seed)).is_ok()
}

macro_rules! hex_text {
    ($name:ident, $length:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 2 * $length];
                hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
                f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as Deserialize>::deserialize(deserializer)?;
                let mut bytes = [0; $length];
                hex::decode_to_slice(&text, &mut bytes).map_err(|_| {
                    serde::de::Error::custom(concat!("want hex digits, bytes: ", $length))
                })?;
                Ok($name(bytes))
            }
        }
    };
}

hex_text!(PublicKey, 32);
hex_text!(Signature, 64);
