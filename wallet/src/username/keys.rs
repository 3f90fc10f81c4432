//! Everything a username needs from the wallet's words, so that they alone bring it back.

use std::fmt;

use ddt_ledger::codec::encode;
use ddt_ledger::{AccountId, Address, ChainId, Hash, PublicKey, Signature};
use zeroize::Zeroizing;

use super::record::{Record, record_digest};
use super::seal::CIPHERTEXT_BYTES;
use super::slow_hash::NameKeys;
use crate::keys::{OwnerKey, Seed};

/// BLAKE3 contexts of the secrets behind one-time keys, salts and nonces.
const KEY_SECRET: &str = "ddt v1 username one-time key";
const SALT_SECRET: &str = "ddt v1 username claim salt";
const NONCE_SECRET: &str = "ddt v1 username nonce";

/// How many one-time keys of a row are looked through: a row is rotated less often.
pub const KEYS_MAX: u32 = 256;

/// A row in the hand of one of the wallet's one-time keys, and what it would say.
pub struct Handle {
    /// The one-time key, which has nothing else in the world.
    pub key: OwnerKey,
    /// Which one of the row's: 0 claims, each rotation takes the next.
    pub place: u32,
    /// The sealed record.
    pub ciphertext: [u8; CIPHERTEXT_BYTES],
    /// What hides the claim in its commit.
    pub salt: Hash,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({:?}, {})", self.key, self.place)
    }
}

impl Seed {
    /// The one-time key of a row at a place.
    pub fn username_key(&self, row: &Hash, place: u32) -> OwnerKey {
        OwnerKey::from_secret(&self.username_secret(KEY_SECRET, &encode(&(row, place))))
    }

    /// Which of the wallet's one-time keys of this row `holder` is, if it is one.
    pub fn username_place(&self, row: &Hash, holder: &PublicKey) -> Option<u32> {
        (0..KEYS_MAX).find(|place| self.username_key(row, *place).public() == *holder)
    }

    /// The record of `account` for a row, sealed and in the hand of the one-time key at
    /// `place`. `sign` is the account's owner key. The same every time, so that a claim that
    /// was interrupted can go on; and secret-dependent, so that nobody else can compute any
    /// part of it from the account.
    pub fn username_handle(
        &self,
        chain: ChainId,
        keys: &NameKeys,
        (account, owner): (AccountId, &OwnerKey),
        address: Option<Address>,
        place: u32,
    ) -> Option<Handle> {
        let key = self.username_key(&keys.row, place);
        let holder = key.public();
        let digest = record_digest(chain, &keys.row, &holder, &account, address.as_ref());
        let signature: Signature = owner.sign(&digest);
        let record = Record { account, owner: owner.public(), address, signature };
        // A nonce of its own for each record: another record, another nonce.
        let input = [encode(&(keys.row, holder)).as_slice(), record.encode().as_slice()].concat();
        let nonce = self.username_secret(NONCE_SECRET, &Zeroizing::new(input));
        let ciphertext = keys.seal(chain, &record, nonce.first_chunk()?)?;
        let input = encode(&(keys.row, holder, ciphertext.as_slice()));
        let salt = self.username_secret(SALT_SECRET, &input);
        Some(Handle { key, place, ciphertext, salt: Hash(*salt) })
    }

    fn username_secret(&self, context: &'static str, input: &[u8]) -> Zeroizing<[u8; 32]> {
        let secret = self.purpose_seed(context);
        Zeroizing::new(*blake3::keyed_hash(&secret, input).as_bytes())
    }
}
