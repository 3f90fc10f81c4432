//! Sealing and opening: Argon2id, then XChaCha20-Poly1305 with the header authenticated.

use std::borrow::Cow;
use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::cost::KdfCost;
use crate::mnemonic::Mnemonic;

/// What a wallet keeps sealed. Overwritten when dropped; `Debug` shows only which it is.
pub enum Secret {
    /// The words, kept as their entropy.
    Words(Mnemonic),
    /// A seed of 32 bytes made elsewhere (SLIP-0010's seed, not an Ed25519 private key).
    Seed(Zeroizing<[u8; 32]>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Secret::Words(_) => "Words(secret)",
            Secret::Seed(_) => "Seed(secret)",
        })
    }
}

/// Length of the sealed text: always the same, so that it does not tell 12 words from 24.
const PLAINTEXT_BYTES: usize = 38;

/// Length of the sealed text with Poly1305's tag.
pub(super) const CIPHERTEXT_BYTES: usize = PLAINTEXT_BYTES + 16;

const KIND_WORDS: u8 = 0;
const KIND_SEED: u8 = 1;

/// Why nothing was sealed or opened.
#[derive(Debug)]
pub(super) enum SealError {
    /// Wrong password, or changed header or ciphertext.
    DoesNotOpen,
    /// Opened, and holds no secret.
    Contents,
    /// The cost is out of Argon2's bounds (ours are narrower and checked before).
    Cost,
    /// Not enough memory for the cost.
    Memory,
}

/// Password, cost, salt and nonce: all that sealing needs besides text and header.
pub(super) struct Lock<'a> {
    pub(super) password: &'a str,
    pub(super) cost: KdfCost,
    pub(super) salt: &'a [u8; 16],
    pub(super) nonce: &'a [u8; 24],
}

impl Lock<'_> {
    /// Seals `secret` and its number of accounts under `header`.
    pub(super) fn seal(
        &self,
        secret: &Secret,
        account_count: u32,
        header: &[u8],
    ) -> Result<[u8; CIPHERTEXT_BYTES], SealError> {
        let plaintext = encode(secret, account_count).ok_or(SealError::Contents)?;
        let payload = Payload { msg: plaintext.as_slice(), aad: header };
        let nonce = XNonce::from(*self.nonce);
        let ciphertext =
            self.cipher()?.encrypt(&nonce, payload).map_err(|_| SealError::Contents)?;
        ciphertext.try_into().map_err(|_| SealError::Contents)
    }

    /// Opens what [`Lock::seal`] sealed under the same `header`.
    pub(super) fn open(
        &self,
        ciphertext: &[u8],
        header: &[u8],
    ) -> Result<(Secret, u32), SealError> {
        let payload = Payload { msg: ciphertext, aad: header };
        let nonce = XNonce::from(*self.nonce);
        let plaintext =
            self.cipher()?.decrypt(&nonce, payload).map_err(|_| SealError::DoesNotOpen)?;
        decode(&Zeroizing::new(plaintext)).ok_or(SealError::Contents)
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, SealError> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let params =
            Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| SealError::Cost)?;
        let block_count = params.block_count();
        let mut memory = Zeroizing::new(Vec::new());
        memory.try_reserve_exact(block_count).map_err(|_| SealError::Memory)?;
        memory.resize(block_count, Block::new());
        let mut key = Zeroizing::new([0; 32]);
        let password = normalised(self.password);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                password.as_bytes(),
                self.salt,
                key.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|_| SealError::Cost)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

/// NFKD, so that a password typed on another keyboard or system is the same bytes.
fn normalised(password: &str) -> Zeroizing<String> {
    let mut text = Cow::Borrowed(password);
    bip39::Mnemonic::normalize_utf8_cow(&mut text);
    Zeroizing::new(text.into_owned())
}

/// Kind, length, up to 32 bytes padded with zeros, number of accounts (big endian).
fn encode(secret: &Secret, account_count: u32) -> Option<Zeroizing<Vec<u8>>> {
    let (kind, bytes) = match secret {
        Secret::Words(words) => (KIND_WORDS, words.entropy()),
        Secret::Seed(seed) => (KIND_SEED, Zeroizing::new(seed.to_vec())),
    };
    let padding = 32_usize.checked_sub(bytes.len())?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(PLAINTEXT_BYTES));
    plaintext.extend([kind, u8::try_from(bytes.len()).ok()?]);
    plaintext.extend(bytes.iter());
    plaintext.extend(std::iter::repeat_n(0, padding));
    plaintext.extend(account_count.to_be_bytes());
    Some(plaintext)
}

fn decode(plaintext: &[u8]) -> Option<(Secret, u32)> {
    let ([kind, length], rest) = plaintext.split_first_chunk::<2>()?;
    let (padded, count) = rest.split_first_chunk::<32>()?;
    let account_count = u32::from_be_bytes(count.try_into().ok()?);
    let (bytes, padding) = padded.split_at_checked(usize::from(*length))?;
    if padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let secret = match *kind {
        KIND_WORDS => Secret::Words(Mnemonic::from_entropy(bytes).ok()?),
        KIND_SEED => Secret::Seed(Zeroizing::new(bytes.try_into().ok()?)),
        _ => return None,
    };
    Some((secret, account_count))
}
