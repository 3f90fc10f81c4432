//! Moving money (BOK): from one party to another, never otherwise.

use crate::accounts::Account;
use crate::canonical::{Canonical, Id};
use crate::state::{State, demand};
use crate::{Code, Money};

/// 10¹⁸ APT, the largest amount.
pub(crate) fn amount_max() -> Money {
    Money::from(10u8).pow(27)
}

/// What there was from the beginning, and what was burned since. Nothing is minted yet (BOK-6).
#[derive(Clone, Debug, Default)]
pub(crate) struct Supply {
    pub genesis: Money,
    pub burned: Money,
}

/// A side of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Account(Id),
    Hold(u16, Id),
    Allowance(Id, Id),
    Pool,
    Fees(u32),
    Burned,
}

impl Canonical for Party {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Party::Account(account) => (0u8, account).write(out),
            Party::Hold(programme, key) => (1u8, programme, key).write(out),
            Party::Allowance(account, key) => (2u8, account, key).write(out),
            Party::Pool => 3u8.write(out),
            Party::Fees(zone) => (4u8, zone).write(out),
            Party::Burned => 6u8.write(out),
        }
    }
}

/// A movement.
#[derive(Clone, Debug)]
pub(crate) struct Posting {
    pub from: Party,
    pub to: Party,
    pub amount: Money,
    pub reason: &'static str,
}

impl Canonical for Posting {
    fn write(&self, out: &mut Vec<u8>) {
        (&self.from, &self.to, &self.amount, &self.reason).write(out);
    }
}

impl State {
    /// What a hold has.
    pub(crate) fn held(&self, programme: u16, key: &Id) -> Money {
        self.holds.get(&(programme, *key)).cloned().unwrap_or_default()
    }

    /// One movement, whole or not at all (BOK-1).
    pub(crate) fn shift(
        &mut self,
        from: Party,
        to: Party,
        amount: &Money,
        reason: &'static str,
    ) -> Result<(), Code> {
        if *amount == Money::ZERO {
            return Ok(());
        }
        let had = self.purse(&from).cloned().unwrap_or_default();
        let is_hold = matches!(from, Party::Hold(..));
        let code = if is_hold { "ledger.hold" } else { "ledger.insufficient_funds" };
        demand(had >= *amount, code)?;
        *self.purse(&from).expect("it has something") -= amount;
        match &to {
            Party::Account(account) => {
                let time = self.head.time;
                let account = self.accounts.entry(*account).or_insert(Account::open(time));
                account.lapses = None;
            }
            Party::Hold(programme, key) => {
                self.holds.entry((*programme, *key)).or_default();
            }
            Party::Fees(zone) => {
                self.fees.entry(*zone).or_default();
            }
            Party::Allowance(..) | Party::Pool | Party::Burned => {}
        }
        *self.purse(&to).expect("a party that can receive") += amount;
        self.holds.retain(|_, held| *held != Money::ZERO);
        self.postings.push(Posting { from, to, amount: amount.clone(), reason });
        Ok(())
    }

    fn purse(&mut self, party: &Party) -> Option<&mut Money> {
        match party {
            Party::Account(id) => self.accounts.get_mut(id).map(|account| &mut account.balance),
            Party::Hold(programme, key) => self.holds.get_mut(&(*programme, *key)),
            Party::Allowance(account, key) => {
                self.node_keys.get_mut(&(*account, *key)).map(|node| &mut node.allowance)
            }
            Party::Pool => Some(&mut self.pool),
            Party::Fees(zone) => self.fees.get_mut(zone),
            Party::Burned => Some(&mut self.supply.burned),
        }
    }
}

/// `units` of 10⁻⁹ at V = 1 (FEE-1, FEE-3).
pub(crate) fn price(units: u64) -> Money {
    Money::from(units)
}

/// The fee of an event of so many bytes (FEE-2).
pub(crate) fn fee(bytes: usize) -> Money {
    price(500_000 + 2_000 * bytes as u64)
}
