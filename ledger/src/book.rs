//! The book: the only way by which programmes move money.
//!
//! Balances live in tables that no programme can name. Every movement goes through
//! `Book::shift`, which debits one party and credits another, so nothing is created or
//! lost; the totals that conservation is checked against are kept beside it
//! (spec BOK-1 … BOK-6).

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::accounts::{ACCOUNTS, Account, DUTIES, Duty, HOLDS};
use crate::amount::Amount;
use crate::event::Role;
use crate::fault::StoreFault;
use crate::hash::Hash;
use crate::ids::{AccountId, Millis, Zone};
use crate::key::PublicKey;
use crate::refusal::Refusal;
use crate::state::{Changes, Overlay};
use crate::system::{AGENDA, SUPPLY, Supply};
use crate::table::{Rows, RowsMut};
use crate::tickets::Tickets;

crate::refusals! {
    INSUFFICIENT = "ledger.insufficient_funds",
        "The balance is too small for this; pay in more, or ask for less.";
    OVERFLOW = "ledger.overflow", "The sum is larger than any amount may be.";
    NOT_OWNER = "ledger.not_owner", "Only an event signed by the owner key moves this money.";
    HOLD = "ledger.hold", "There is no such hold, or it holds less than that.";
    NO_DUTY = "ledger.no_duty", "The account has no such node key.";
    DUTY_EXISTS = "ledger.duty_exists",
        "That key was registered before; a node key is used once, make a new one.";
    TICKETS_FULL = "ledger.tickets_full",
        "An account has at most 128 open tickets; use some first.";
    SAME_KEY = "ledger.same_key", "That is the current key already.";
}

/// A side of a movement of money.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// An account's balance.
    Account(AccountId),
    /// Money a programme holds for a purpose.
    Hold {
        /// The programme's number.
        programme: u16,
        /// The purpose.
        key: Hash,
    },
    /// The prepaid allowance of a node key.
    Allowance {
        /// Whose.
        account: AccountId,
        /// The node key.
        key: PublicKey,
    },
    /// The common pool.
    Pool,
    /// Fees of a zone, not yet shared out.
    Fees(Zone),
    /// Newly created.
    Minted,
    /// Destroyed.
    Burned,
    /// There from the beginning.
    Genesis,
}

/// One movement of money.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Posting {
    /// Who has less.
    pub from: Party,
    /// Who has more.
    pub to: Party,
    /// By how much.
    pub amount: Amount,
    /// Why, in one or two words.
    pub reason: String,
}

/// Who pays an event's fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// The author: the balance, or for a node key its allowance.
    Author,
    /// The hold with this key, of the event's own programme.
    Hold(Hash),
}

/// In whose name and for which programme the book moves money now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub programme: u16,
    /// The account whose balance may be spent: set only for owner-signed events.
    pub spender: Option<AccountId>,
}

/// The double-entry face of the state for programmes.
pub struct Book<'s> {
    pub(crate) rows: Overlay<'s>,
    pub(crate) supply: Supply,
    pub(crate) postings: Vec<Posting>,
    pub(crate) scope: Scope,
    pub(crate) time: Millis,
}

impl<'s> Book<'s> {
    pub(crate) fn open(rows: Overlay<'s>, time: Millis) -> Book<'s> {
        let supply = SUPPLY.get(&rows, &()).unwrap_or_default();
        Book { rows, supply, postings: Vec::new(), scope: Scope::default(), time }
    }

    pub(crate) fn finish(mut self) -> Result<Changes, StoreFault> {
        SUPPLY.put(&mut self.rows, &(), &self.supply);
        self.rows.finish()
    }

    // What programmes may do.

    /// Pays from the author to an account, which opens if it is new.
    pub fn pay(
        &mut self,
        to: AccountId,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        let from = self.spender()?;
        self.shift(from, Party::Account(to), amount, reason)
    }

    /// Takes from the author into the hold `key` of this programme.
    pub fn hold(&mut self, key: Hash, amount: Amount, reason: &'static str) -> Result<(), Refusal> {
        let from = self.spender()?;
        let to = self.own_hold(key);
        self.shift(from, to, amount, reason)
    }

    /// What the hold `key` of this programme holds.
    pub fn held(&self, key: Hash) -> Amount {
        HOLDS.get(&self.rows, &(self.scope.programme, key)).unwrap_or_default()
    }

    /// Pays from a hold of this programme to an account.
    pub fn release(
        &mut self,
        key: Hash,
        to: AccountId,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        let from = self.own_hold(key);
        self.shift(from, Party::Account(to), amount, reason)
    }

    /// Pays from a hold of this programme to the pool.
    pub fn release_to_pool(
        &mut self,
        key: Hash,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        let from = self.own_hold(key);
        self.shift(from, Party::Pool, amount, reason)
    }

    /// Moves between two holds of this programme.
    pub fn move_hold(
        &mut self,
        from: Hash,
        to: Hash,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        let (from, to) = (self.own_hold(from), self.own_hold(to));
        self.shift(from, to, amount, reason)
    }

    /// Destroys what a hold of this programme holds.
    pub fn burn(&mut self, key: Hash, amount: Amount, reason: &'static str) -> Result<(), Refusal> {
        let from = self.own_hold(key);
        self.shift(from, Party::Burned, amount, reason)
    }

    /// Replaces the author's owner key.
    pub fn rotate_owner_key(&mut self, new: PublicKey) -> Result<(), Refusal> {
        let author = self.scope.spender.ok_or(NOT_OWNER)?;
        let mut account = self.account(&author).ok_or(NOT_OWNER)?;
        if account.is_current(&author, &new) {
            return Err(SAME_KEY);
        }
        account.key = Some(new);
        account.rotations = account.rotations.saturating_add(1);
        ACCOUNTS.put(&mut self.rows, &author, &account);
        Ok(())
    }

    /// Registers a node key of the author for `role` and prepays its allowance.
    pub fn grant_duty(
        &mut self,
        role: Role,
        key: PublicKey,
        allowance: Amount,
    ) -> Result<(), Refusal> {
        let author = self.scope.spender.ok_or(NOT_OWNER)?;
        if DUTIES.get(&self.rows, &(author, key)).is_some() {
            return Err(DUTY_EXISTS);
        }
        DUTIES.put(&mut self.rows, &(author, key), &Duty::new(role));
        self.top_up_duty(key, allowance)
    }

    /// Sets numbered tickets aside for events that are signed now and sent later.
    pub fn reserve_tickets(&mut self, count: u8) -> Result<(), Refusal> {
        let author = self.scope.spender.ok_or(NOT_OWNER)?;
        Tickets::reserve(&mut self.rows, &author, count)
    }

    /// Adds to the allowance of one of the author's node keys.
    pub fn top_up_duty(&mut self, key: PublicKey, amount: Amount) -> Result<(), Refusal> {
        let author = self.scope.spender.ok_or(NOT_OWNER)?;
        let duty = DUTIES.get(&self.rows, &(author, key)).ok_or(NO_DUTY)?;
        if duty.is_revoked {
            return Err(NO_DUTY);
        }
        let to = Party::Allowance { account: author, key };
        self.shift(Party::Account(author), to, amount, "allowance")
    }

    /// Revokes one of the author's node keys and pays its allowance back. The row stays, so
    /// that the key's old events can never be used again.
    pub fn revoke_duty(&mut self, key: PublicKey) -> Result<(), Refusal> {
        let author = self.scope.spender.ok_or(NOT_OWNER)?;
        let mut duty = DUTIES.get(&self.rows, &(author, key)).ok_or(NO_DUTY)?;
        if duty.is_revoked {
            return Err(NO_DUTY);
        }
        let from = Party::Allowance { account: author, key };
        self.shift(from, Party::Account(author), duty.allowance, "allowance back")?;
        duty.allowance = Amount::ZERO;
        duty.is_revoked = true;
        DUTIES.put(&mut self.rows, &(author, key), &duty);
        Ok(())
    }

    /// Has the ledger run the deadline `tag` for `key` once the epoch clock reaches `due`.
    pub fn schedule(&mut self, due: Millis, tag: u16, key: &[u8]) {
        AGENDA.put(&mut self.rows, &(due.0, tag, key.to_vec()), &());
    }

    /// Takes a scheduled deadline back.
    pub fn unschedule(&mut self, due: Millis, tag: u16, key: &[u8]) {
        AGENDA.remove(&mut self.rows, &(due.0, tag, key.to_vec()));
    }

    /// The role of a node key of an account, unless it was taken back.
    pub fn duty_role(&self, account: &AccountId, key: &PublicKey) -> Option<Role> {
        let duty = DUTIES.get(&self.rows, &(*account, *key))?;
        (!duty.is_revoked).then_some(duty.role)
    }

    // What only the ledger may do.

    pub(crate) fn account(&self, id: &AccountId) -> Option<Account> {
        ACCOUNTS.get(&self.rows, id)
    }

    pub(crate) fn create(
        &mut self,
        to: AccountId,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        self.shift(Party::Minted, Party::Account(to), amount, reason)
    }

    fn spender(&self) -> Result<Party, Refusal> {
        self.scope.spender.map(Party::Account).ok_or(NOT_OWNER)
    }

    fn own_hold(&self, key: Hash) -> Party {
        Party::Hold { programme: self.scope.programme, key }
    }

    /// One movement: debits `from`, credits `to`, notes the posting. On a refusal the caller
    /// undoes whatever half of it was done.
    pub(crate) fn shift(
        &mut self,
        from: Party,
        to: Party,
        amount: Amount,
        reason: &'static str,
    ) -> Result<(), Refusal> {
        if amount.is_zero() {
            return Ok(());
        }
        self.debit(&from, amount)?;
        self.credit(&to, amount)?;
        self.postings.push(Posting { from, to, amount, reason: reason.to_string() });
        Ok(())
    }

    fn debit(&mut self, from: &Party, amount: Amount) -> Result<(), Refusal> {
        let supply = &mut self.supply;
        match from {
            Party::Account(id) => {
                let mut account = ACCOUNTS.get(&self.rows, id).ok_or(INSUFFICIENT)?;
                account.balance = account.balance.minus(amount).ok_or(INSUFFICIENT)?;
                ACCOUNTS.put(&mut self.rows, id, &account);
                lower(&mut supply.accounts, amount)
            }
            Party::Hold { programme, key } => {
                let place = (*programme, *key);
                let held = HOLDS.get(&self.rows, &place).ok_or(HOLD)?;
                let rest = held.minus(amount).ok_or(HOLD)?;
                match rest.is_zero() {
                    true => HOLDS.remove(&mut self.rows, &place),
                    false => HOLDS.put(&mut self.rows, &place, &rest),
                }
                lower(&mut supply.held, amount)
            }
            Party::Allowance { account, key } => {
                let mut duty = DUTIES.get(&self.rows, &(*account, *key)).ok_or(NO_DUTY)?;
                duty.allowance = duty.allowance.minus(amount).ok_or(INSUFFICIENT)?;
                DUTIES.put(&mut self.rows, &(*account, *key), &duty);
                lower(&mut supply.held, amount)
            }
            Party::Pool => lower(&mut supply.pool, amount),
            Party::Fees(_) => lower(&mut supply.fees, amount),
            Party::Minted => raise(&mut supply.minted, amount),
            Party::Genesis => raise(&mut supply.genesis, amount),
            Party::Burned => Err(INSUFFICIENT),
        }
    }

    fn credit(&mut self, to: &Party, amount: Amount) -> Result<(), Refusal> {
        let supply = &mut self.supply;
        match to {
            Party::Account(id) => {
                let mut account = ACCOUNTS.get(&self.rows, id).unwrap_or_else(|| {
                    supply.account_count = supply.account_count.saturating_add(1);
                    Account::opened_at(self.time)
                });
                account.balance = account.balance.plus(amount).ok_or(OVERFLOW)?;
                // Who ever held coins is never forgotten.
                account.lapses = None;
                ACCOUNTS.put(&mut self.rows, id, &account);
                raise(&mut supply.accounts, amount)
            }
            Party::Hold { programme, key } => {
                let place = (*programme, *key);
                let held = HOLDS.get(&self.rows, &place).unwrap_or_default();
                let sum = held.plus(amount).ok_or(OVERFLOW)?;
                HOLDS.put(&mut self.rows, &place, &sum);
                raise(&mut supply.held, amount)
            }
            Party::Allowance { account, key } => {
                let mut duty = DUTIES.get(&self.rows, &(*account, *key)).ok_or(NO_DUTY)?;
                duty.allowance = duty.allowance.plus(amount).ok_or(OVERFLOW)?;
                DUTIES.put(&mut self.rows, &(*account, *key), &duty);
                raise(&mut supply.held, amount)
            }
            Party::Pool => raise(&mut supply.pool, amount),
            Party::Fees(_) => raise(&mut supply.fees, amount),
            Party::Burned => raise(&mut supply.burned, amount),
            Party::Minted | Party::Genesis => Err(OVERFLOW),
        }
    }
}

fn raise(total: &mut Amount, amount: Amount) -> Result<(), Refusal> {
    *total = total.plus(amount).ok_or(OVERFLOW)?;
    Ok(())
}

fn lower(total: &mut Amount, amount: Amount) -> Result<(), Refusal> {
    *total = total.minus(amount).ok_or(INSUFFICIENT)?;
    Ok(())
}

impl Rows for Book<'_> {
    fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.row(key)
    }

    fn rows_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.rows.rows_after(prefix, after, limit)
    }

    fn damaged(&self, key: &[u8]) {
        self.rows.damaged(key);
    }
}

/// Programmes write rows of their own tables; the ledger's cannot be named through
/// [`Table`](crate::table::Table), and a raw key of theirs is ignored.
impl RowsMut for Book<'_> {
    fn set_row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let is_own = key
            .first_chunk::<2>()
            .is_some_and(|table| u16::from_be_bytes(*table) >= crate::table::PROGRAMME_TABLES);
        if is_own {
            self.rows.set_row(key, value);
        }
    }
}
