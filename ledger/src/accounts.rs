//! Accounts, node keys and holds: the rows that money lives in.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::amount::Amount;
use crate::context::Context;
use crate::event::{NONCE_OLD, NONCE_USED, Role, VALIDITY_MS_MAX};
use crate::hash::Hash;
use crate::ids::{AccountId, Millis};
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::table::{Rows, Table};

/// Nonces remembered for each signer.
pub const NONCES_MAX: usize = 32;

pub(crate) static ACCOUNTS: Table<AccountId, Account> = Table::system(1);
pub(crate) static DUTIES: Table<(AccountId, PublicKey), Duty> = Table::system(2);
pub(crate) static HOLDS: Table<(u16, Hash), Amount> = Table::system(3);

/// An account's row: one row, so that an event touches one place.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// What it has.
    pub balance: Amount,
    /// Its owner key, once it differs from the first one, whose hash the id is.
    pub key: Option<PublicKey>,
    /// How often the owner key changed.
    pub rotations: u32,
    /// Anchor time at which it opened.
    pub opened: Millis,
    /// Used nonces of the owner role.
    pub nonces: Nonces,
    /// Of an account that a stamp opened and that never held coins: the time on the epoch clock
    /// from which its row may go, when nothing it signed can be used again.
    pub lapses: Option<Millis>,
}

impl Account {
    pub(crate) fn opened_at(time: Millis) -> Account {
        let (balance, nonces) = (Amount::ZERO, Nonces::default());
        Account { balance, key: None, rotations: 0, opened: time, nonces, lapses: None }
    }

    /// The row of an account that an event opens by its stamp alone.
    pub(crate) fn stamped_at(cx: &Context) -> Account {
        Account { lapses: Some(Account::lapse(cx)), ..Account::opened_at(cx.time) }
    }

    /// When the row of an account without coins may go that is used now: after the longer of
    /// 7 epochs and an event's longest validity. The epoch clock is never ahead of anchor time,
    /// by which events expire, and it stands still in an outage, when nobody can show life.
    pub(crate) fn lapse(cx: &Context) -> Millis {
        let epochs = cx.params.epoch_ms.0.saturating_mul(7);
        cx.clock.plus(Millis(epochs.max(VALIDITY_MS_MAX)))
    }

    /// Whether `key` is the current owner key of this account, whose id is `id`.
    pub fn is_current(&self, id: &AccountId, key: &PublicKey) -> bool {
        match &self.key {
            Some(current) => current == key,
            None => AccountId::of(key) == *id,
        }
    }

    /// The account's row, if it has opened.
    pub fn read<R: Rows + ?Sized>(rows: &R, id: &AccountId) -> Option<Account> {
        ACCOUNTS.get(rows, id)
    }

    /// The full key of an account's row, for proofs.
    pub fn full_key(id: &AccountId) -> Vec<u8> {
        ACCOUNTS.full_key(id)
    }
}

/// A node key that an account authorised for duties.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Duty {
    /// For which role.
    pub role: Role,
    /// Prepaid fees that are left.
    pub allowance: Amount,
    /// Used nonces.
    pub nonces: Nonces,
    /// Whether the account took it back.
    pub is_revoked: bool,
}

impl Duty {
    pub(crate) fn new(role: Role) -> Duty {
        let (allowance, nonces) = (Amount::ZERO, Nonces::default());
        Duty { role, allowance, nonces, is_revoked: false }
    }

    /// At most `limit` node keys of an account after the key `after`, in key order.
    pub fn of_account<R: Rows + ?Sized>(
        rows: &R,
        account: &AccountId,
        after: Option<PublicKey>,
        limit: usize,
    ) -> Vec<(PublicKey, Duty)> {
        let own = DUTIES.scan_under(rows, &account.0, after.map(|key| (*account, key)), limit);
        own.into_iter().map(|((_, key), duty)| (key, duty)).collect()
    }

    /// One node key of an account.
    pub fn read<R: Rows + ?Sized>(rows: &R, account: &AccountId, key: &PublicKey) -> Option<Duty> {
        DUTIES.get(rows, &(*account, *key))
    }
}

/// The highest used nonces of one signer, ascending, at most [`NONCES_MAX`] (spec EVT-7).
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Nonces(Vec<u64>);

impl Nonces {
    /// Whether `nonce` may be used: new, and above the lowest of a full set.
    pub fn check(&self, nonce: u64) -> Result<(), Refusal> {
        let is_full = self.0.len() >= NONCES_MAX;
        let floor = self.0.first().copied().filter(|_| is_full).unwrap_or(0);
        if self.0.binary_search(&nonce).is_ok() {
            return Err(NONCE_USED);
        }
        if nonce <= floor { Err(NONCE_OLD) } else { Ok(()) }
    }

    /// Remembers a checked nonce, forgetting the lowest of a full set.
    pub(crate) fn insert(&mut self, nonce: u64) {
        if let Err(at) = self.0.binary_search(&nonce) {
            self.0.insert(at, nonce);
        }
        if self.0.len() > NONCES_MAX {
            self.0.remove(0);
        }
    }

    /// The highest used nonce, or 0.
    pub fn highest(&self) -> u64 {
        self.0.last().copied().unwrap_or_default()
    }
}

/// What a programme holds under `key`, for its views.
pub fn held<R: Rows + ?Sized>(rows: &R, programme: u16, key: Hash) -> Amount {
    HOLDS.get(rows, &(programme, key)).unwrap_or_default()
}

/// Visits every hold of a programme, for its audit.
pub fn each_hold<R: Rows + ?Sized>(rows: &R, programme: u16, mut visit: impl FnMut(Hash, Amount)) {
    HOLDS.each(rows, |(owner, key), amount| {
        if owner == programme {
            visit(key, amount);
        }
    });
}
