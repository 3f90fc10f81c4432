//! From values to a signed event.

use std::collections::BTreeMap;

use ddt_ledger::event::{Draft, EVENT_VERSION, Role, Signed};
use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Bytes, FieldError, Value};
use ddt_ledger::{AccountId, ChainId, Millis, PublicKey};

use crate::keys::OwnerKey;

/// How long an event made here stays valid: one hour, in milliseconds.
pub const VALIDITY_MS: u64 = 3_600_000;

/// Longest validity of an event signed ahead of time, in milliseconds: the ledger's seven days
/// less ten minutes, because this machine's clock may be ahead of anchor time.
pub const AHEAD_MS_MAX: u64 = ddt_ledger::event::VALIDITY_MS_MAX - 600_000;

/// Who signs, for which chain, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The chain.
    pub chain: ChainId,
    /// Whose event. The account keeps its id when its key is replaced.
    pub author: AccountId,
    /// The key that signs.
    pub key: PublicKey,
    /// In which role.
    pub role: Role,
    /// Unix microseconds; unique for the signer.
    pub nonce: u64,
    /// From when the event is void.
    pub valid_until: Millis,
}

impl Occasion {
    /// An owner's event at `now_us` (Unix microseconds), valid for an hour.
    pub fn owner(chain: ChainId, author: AccountId, key: PublicKey, now_us: u64) -> Occasion {
        let valid_until = Millis(now_us / 1_000).plus(Millis(VALIDITY_MS));
        Occasion { chain, author, key, role: Role::Owner, nonce: now_us, valid_until }
    }

    /// The same signed ahead of time: with a nonce or a ticket chosen before, and valid for so
    /// many milliseconds, at most [`AHEAD_MS_MAX`].
    pub fn ahead(self, nonce: u64, now_us: u64, validity_ms: u64) -> Occasion {
        let valid_until = Millis(now_us / 1_000).plus(Millis(validity_ms.min(AHEAD_MS_MAX)));
        Occasion { nonce, valid_until, ..self }
    }
}

/// The unsigned event of this kind with these values; names the field that is wrong.
pub fn draft(
    row: &Row,
    values: &BTreeMap<String, Value>,
    occasion: Occasion,
) -> Result<Draft, FieldError> {
    let body = (row.build)(values)?;
    let body = Bytes::new(body).ok_or(ddt_ledger::event::TOO_LONG)?;
    let Occasion { chain, author, key, role, nonce, valid_until } = occasion;
    Ok(Draft {
        version: EVENT_VERSION,
        chain,
        author,
        key,
        role,
        nonce,
        valid_until,
        tag: row.tag,
        body,
    })
}

/// Signs a draft that names this key.
pub fn sign(draft: Draft, key: &OwnerKey) -> Signed {
    let signature = key.sign(&draft.digest());
    draft.signed(signature)
}
