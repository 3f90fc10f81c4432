//! What a username says: which account stands behind it, in its own hand.

use ddt_ledger::codec::encode;
use ddt_ledger::{AccountId, Address, ChainId, Domain, Hash, PublicKey, Signature};
use zeroize::Zeroizing;

/// Version of the layout below.
const VERSION: u8 = 1;
/// Bytes of a record, always, padded with zeros: room for what later versions add.
pub(super) const RECORD_BYTES: usize = 256;

/// The opened content of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The account.
    pub account: AccountId,
    /// Its owner key, which signed below.
    pub owner: PublicKey,
    /// Where it can be reached, if it has an address.
    pub address: Option<Address>,
    /// The owner key's signature over [`record_digest`].
    pub signature: Signature,
}

/// Why a row's content is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The signature is not the owner key's for this row and its holder.
    #[error("the account named in it has not signed for this username")]
    Signature,
    /// The key that signed is not the account's.
    #[error(
        "the key that signed for this username is not the account's owner key (any more); its \
         holder can seal it anew with ddt username rotate"
    )]
    Key,
}

/// What the account's owner key signs: that this row, held by this one-time key, is its
/// own (spec USR-3).
pub fn record_digest(
    chain: ChainId,
    row: &Hash,
    holder: &PublicKey,
    account: &AccountId,
    address: Option<&Address>,
) -> Hash {
    let parts = encode(&(chain, row, holder, account, address));
    Domain("ddt v1 username record").hash(&[&parts])
}

impl Record {
    /// Checks that the account's owner key signed for this row and its holder.
    /// `current` is the account's present owner key where the ledger names one: a key that
    /// replaced the one whose hash the account is.
    ///
    /// # Errors
    /// Another's signature, or another key than the account's.
    pub fn check(
        &self,
        chain: ChainId,
        row: &Hash,
        holder: &PublicKey,
        current: Option<&PublicKey>,
    ) -> Result<(), RecordError> {
        let digest = record_digest(chain, row, holder, &self.account, self.address.as_ref());
        if !self.owner.verifies(&digest, &self.signature) {
            return Err(RecordError::Signature);
        }
        let is_owner = match current {
            Some(current) => *current == self.owner,
            None => AccountId::of(&self.owner) == self.account,
        };
        if is_owner { Ok(()) } else { Err(RecordError::Key) }
    }

    /// Version, account, owner key, address, signature, zeros.
    pub(super) fn encode(&self) -> Zeroizing<[u8; RECORD_BYTES]> {
        let mut bytes = Zeroizing::new([0; RECORD_BYTES]);
        let (has_address, address) = match self.address {
            Some(address) => (1, address.0),
            None => (0, [0; 20]),
        };
        let parts: [&[u8]; 6] = [
            &[VERSION],
            &self.account.0,
            &self.owner.0,
            &[has_address],
            &address,
            &self.signature.0,
        ];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// Reads [`Record::encode`]; `None` where a part is none, `Err` with a later version.
    pub(super) fn decode(bytes: &[u8; RECORD_BYTES]) -> Result<Option<Record>, u8> {
        let [version, rest @ ..] = bytes;
        if *version > VERSION {
            return Err(*version);
        }
        Ok(Record::parts(*version, rest))
    }

    fn parts(version: u8, rest: &[u8]) -> Option<Record> {
        let (account, rest) = rest.split_first_chunk::<32>()?;
        let (owner, rest) = rest.split_first_chunk::<32>()?;
        let ([has_address], rest) = rest.split_first_chunk::<1>()?;
        let (address, rest) = rest.split_first_chunk::<20>()?;
        let (signature, padding) = rest.split_first_chunk::<64>()?;
        let address = match has_address {
            0 if *address == [0; 20] => None,
            1 => Some(Address(*address)),
            _ => return None,
        };
        let is_whole = version == VERSION && padding.iter().all(|byte| *byte == 0);
        is_whole.then_some(Record {
            account: AccountId(*account),
            owner: PublicKey(*owner),
            address,
            signature: Signature(*signature),
        })
    }
}
