//! From a seed to owner keys, and to every other secret the words must bring back.

use std::fmt;

use ddt_ledger::{AccountId, Hash, PublicKey, Signature};
use ed25519_dalek::{Signer, SigningKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::derivation::{self, DerivationError};
use crate::mnemonic::Mnemonic;

/// BIP 43's purpose for BIP 44 paths.
pub const PURPOSE: u32 = 44;

/// Our coin type: 0x444454, "DDT". It is not registered in SLIP-0044 and belongs to nobody
/// there, so the same words used for another coin give other keys. It is for ever: another
/// number would be other accounts for the same words.
pub const COIN_TYPE: u32 = 4_473_940;

/// BLAKE3 context of the secret behind the salts of domain commits.
const DOMAIN_SALT: &str = "ddt v1 domain commit salt";

/// The path of an owner key, as people write it.
pub fn path_text(index: u32, rotation: u32) -> String {
    match rotation {
        0 => format!("m/{PURPOSE}'/{COIN_TYPE}'/{index}'"),
        _ => format!("m/{PURPOSE}'/{COIN_TYPE}'/{index}'/{rotation}'"),
    }
}

/// What everything secret is derived from: 64 bytes from words, or 32 imported ones.
/// Overwritten when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed {
    bytes: Vec<u8>,
}

impl Seed {
    /// The seed of `words`, without a BIP 39 passphrase.
    pub fn from_words(words: &Mnemonic) -> Seed {
        Seed { bytes: words.seed("").to_vec() }
    }

    /// A seed made elsewhere, used as SLIP-0010's seed. Not an Ed25519 private key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Seed {
        Seed { bytes: bytes.to_vec() }
    }

    /// The owner key at `m/44'/4473940'/index'`: the first one of its account.
    ///
    /// # Errors
    /// `index` of 2³¹ or more.
    pub fn owner_key(&self, index: u32) -> Result<OwnerKey, DerivationError> {
        self.rotated_key(index, 0)
    }

    /// The owner key of account `index` after `rotation` replacements: the first key for 0,
    /// else the one at `m/44'/4473940'/index'/rotation'`. Whoever has one of them alone cannot
    /// make the next: that takes the chain code, which follows from the seed only.
    ///
    /// # Errors
    /// `index` or `rotation` of 2³¹ or more.
    pub fn rotated_key(&self, index: u32, rotation: u32) -> Result<OwnerKey, DerivationError> {
        let path = [PURPOSE, COIN_TYPE, index, rotation];
        let length = if rotation == 0 { 3 } else { 4 };
        let secret = derivation::private_key(&self.bytes, path.get(..length).unwrap_or(&path))?;
        Ok(OwnerKey { signing: SigningKey::from_bytes(&secret) })
    }

    /// The salt of a domain commit for `name` with this commit nonce. The words alone bring it
    /// back, so a commit can be revealed after everything else is lost.
    pub fn salt(&self, name: &str, commit_nonce: u64) -> [u8; 32] {
        let secret = self.purpose_seed(DOMAIN_SALT);
        // The nonce first: of fixed length, so that no two inputs concatenate alike.
        let mut hasher = blake3::Hasher::new_keyed(&secret);
        hasher.update(&commit_nonce.to_le_bytes());
        hasher.update(name.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// A secret for one purpose of its own (a username's one-time key, an address book).
    /// `context` is unique to the purpose, and for ever.
    pub fn purpose_seed(&self, context: &'static str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(context, &self.bytes))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(secret)")
    }
}

/// An owner's signing key. Overwritten when dropped; shows only what is public.
pub struct OwnerKey {
    signing: SigningKey,
}

impl OwnerKey {
    pub(crate) fn from_secret(secret: &[u8; 32]) -> OwnerKey {
        OwnerKey { signing: SigningKey::from_bytes(secret) }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.signing.verifying_key().to_bytes())
    }

    /// The account whose first key this is.
    pub fn account(&self) -> AccountId {
        AccountId::of(&self.public())
    }

    /// Signs the 32 bytes of `message`: Ed25519, deterministic (RFC 8032).
    pub fn sign(&self, message: &Hash) -> Signature {
        Signature(self.signing.sign(message.as_bytes()).to_bytes())
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnerKey({})", self.account())
    }
}
