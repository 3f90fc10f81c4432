//! Locks of coins (BNK-4 … BNK-11).

use sha2::{Digest, Sha256};

use crate::canonical::{Canonical, Id, Time};
use crate::event::{Rules, check_amounts};
use crate::money::{Party, fee};
use crate::state::{By, State, demand, id};
use crate::{Code, Money};

const LOCK_MS_MAX: Time = 90 * 24 * 3_600_000;
const PROGRAMME: u16 = 2;

/// SHA-256 of a secret (BNK-5).
pub fn lock_hash(secret: &Id) -> Id {
    Sha256::digest(secret).into()
}

#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub from: Id,
    pub to: Id,
    pub amount: Money,
    pub hash: Id,
    pub deadline: Time,
    pub refund_at: Time,
    pub height: u64,
    pub end: End,
}

/// Whether and how a lock ended, and when its row goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Claimed(Id, Time),
    Refunded(Time),
    GivenBack(Time),
}

impl Canonical for End {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            End::Open => 0u8.write(out),
            End::Claimed(secret, removed_at) => (1u8, secret, removed_at).write(out),
            End::Refunded(removed_at) => (2u8, removed_at).write(out),
            End::GivenBack(removed_at) => (3u8, removed_at).write(out),
        }
    }
}

/// Events of locks.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/bank.md says what each is.
pub enum Locks {
    Lock { to: Id, amount: Money, hash: Id, deadline: Time },
    Claim { lock: Id, secret: Id },
    GiveBack { lock: Id },
}

impl Rules for Locks {
    fn tag(&self) -> u16 {
        match self {
            Locks::Lock { .. } => 203,
            Locks::Claim { .. } => 204,
            Locks::GiveBack { .. } => 205,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Locks::Lock { to, amount, hash, deadline } => (to, amount, hash, deadline).bytes(),
            Locks::Claim { lock, secret } => (lock, secret).bytes(),
            Locks::GiveBack { lock } => lock.bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        let Locks::Lock { amount, .. } = self else { return Ok(()) };
        check_amounts(&[amount])?;
        demand(*amount > Money::ZERO, "bank.nothing")
    }

    /// BNK-8: a claim that succeeds is paid by what it claims.
    fn payer(&self, state: &State) -> Option<(u16, Id)> {
        let Locks::Claim { lock, secret } = self else { return None };
        let row = state.open_lock(lock).ok()?;
        let is_paid = row.hash == lock_hash(secret) && state.held(PROGRAMME, lock) > fee(248);
        is_paid.then_some((PROGRAMME, *lock))
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        match self {
            Locks::Lock { to, amount, hash, deadline } => {
                let (to, hash, deadline) = (*to, *hash, *deadline);
                demand(to != by.author, "bank.own_lock")?;
                let ahead = deadline - state.head.time;
                demand(ahead > 0, "bank.deadline_past")?;
                demand(ahead <= LOCK_MS_MAX, "bank.deadline_far")?;
                let hold = Party::Hold(PROGRAMME, by.event);
                state.shift(Party::Account(by.author), hold, amount, "lock")?;
                let refund_at = state.head.clock + ahead + state.params.lock_grace_ms;
                state.schedule(refund_at, 201, &by.event);
                let (from, amount, height) = (by.author, amount.clone(), state.head.height);
                let end = End::Open;
                let lock = Lock { from, to, amount, hash, deadline, refund_at, height, end };
                state.locks.insert(by.event, lock);
                Ok(())
            }
            Locks::Claim { lock, secret } => {
                let row = state.open_lock(lock)?;
                demand(row.hash == lock_hash(secret), "bank.secret")?;
                let to = row.to;
                state.end_lock(lock, to, "lock claimed", |at| End::Claimed(*secret, at))
            }
            Locks::GiveBack { lock } => {
                let row = state.open_lock(lock)?;
                demand(row.to == by.author, "bank.not_receiver")?;
                let from = row.from;
                state.end_lock(lock, from, "lock given back", End::GivenBack)
            }
        }
    }
}

impl State {
    /// The locks that still hold their coins, and who made and who receives each.
    pub fn open_locks(&self) -> Vec<(Id, Id, Id)> {
        let open = self.locks.iter().filter(|(_, lock)| lock.end == End::Open);
        open.map(|(key, lock)| (*key, lock.from, lock.to)).collect()
    }

    fn open_lock(&self, lock: &Id) -> Result<&Lock, Code> {
        let row = self.locks.get(lock).ok_or("bank.no_lock")?;
        demand(row.end == End::Open, "bank.lock_ended")?;
        Ok(row)
    }

    /// All that is held goes to somebody, and the row stays for a while (BNK-10).
    fn end_lock(
        &mut self,
        lock: &Id,
        to: Id,
        reason: &'static str,
        end: impl FnOnce(Time) -> End,
    ) -> Result<(), Code> {
        let held = self.held(PROGRAMME, lock);
        self.shift(Party::Hold(PROGRAMME, *lock), Party::Account(to), &held, reason)?;
        let removed_at = self.head.clock + self.params.lock_kept_ms;
        let row = self.locks.get_mut(lock).expect("an open lock");
        row.end = end(removed_at);
        let refund_at = row.refund_at;
        self.unschedule(refund_at, 201, lock);
        self.schedule(removed_at, 202, lock);
        Ok(())
    }

    /// BNK-7.
    pub(crate) fn refund_lock(&mut self, key: &[u8]) -> Result<(), Code> {
        let lock = id(key);
        let Ok(row) = self.open_lock(&lock) else { return Ok(()) };
        let from = row.from;
        self.end_lock(&lock, from, "lock refunded", End::Refunded)
    }

    pub(crate) fn forget_lock(&mut self, key: &[u8]) -> Result<(), Code> {
        self.locks.remove(&id(key));
        Ok(())
    }
}
