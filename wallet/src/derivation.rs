//! SLIP-0010 for Ed25519: one secret per path, hardened all the way.
//!
//! Our own, over RustCrypto's HMAC, because the published crate leaves chain codes on the
//! stack and takes 0 and 0' for the same index.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

/// Indexes are below 2³¹; the bit above says "hardened", and SLIP-0010 knows no other on Ed25519.
pub const INDEX_END: u32 = 0x8000_0000;

/// Shortest seed SLIP-0010 allows, in bytes.
pub const SEED_BYTES_MIN: usize = 16;

/// Longest seed SLIP-0010 allows, in bytes.
pub const SEED_BYTES_MAX: usize = 64;

const MASTER_KEY: &[u8; 12] = b"ed25519 seed";
const BLOCK_BYTES: usize = 128;

/// Why no key can be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DerivationError {
    /// The index has the hardened bit, or more.
    #[error("index {0} is too high; indexes are below 2147483648")]
    Index(u32),
    /// The seed is too short or too long.
    #[error("a seed has 16 to 64 bytes, this has {0}")]
    SeedLength(usize),
}

/// The Ed25519 private key at `m/path[0]'/path[1]'/…` of `seed` (BIP 39's 64 bytes, usually).
/// Every index is hardened, and given without the hardened bit.
///
/// # Errors
/// An index of [`INDEX_END`] or more; a seed of a length SLIP-0010 does not allow.
pub fn private_key(seed: &[u8], path: &[u32]) -> Result<Zeroizing<[u8; 32]>, DerivationError> {
    if !(SEED_BYTES_MIN..=SEED_BYTES_MAX).contains(&seed.len()) {
        return Err(DerivationError::SeedLength(seed.len()));
    }
    let (mut key, mut chain_code) = hmac_halves(MASTER_KEY, &[seed]);
    for &index in path {
        if index >= INDEX_END {
            return Err(DerivationError::Index(index));
        }
        let hardened = (index | INDEX_END).to_be_bytes();
        (key, chain_code) = hmac_halves(chain_code.as_slice(), &[&[0], key.as_slice(), &hardened]);
    }
    Ok(key)
}

type Half = Zeroizing<[u8; 32]>;

/// Left and right half of HMAC-SHA512. `key` is shorter than a block of SHA-512.
fn hmac_halves(key: &[u8], parts: &[&[u8]]) -> (Half, Half) {
    // HMAC pads short keys with zeros; a key of exactly one block cannot be refused.
    let mut block = Zeroizing::new([0; BLOCK_BYTES]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha512> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    let output: Zeroizing<[u8; 64]> = Zeroizing::new(mac.finalize().into_bytes().into());
    let (mut left, mut right) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    let halves = left.iter_mut().chain(right.iter_mut());
    for (to, from) in halves.zip(output.iter()) {
        *to = *from;
    }
    (left, right)
}
