//! Payments (BNK-1 … BNK-3).

use crate::canonical::{Canonical, Id};
use crate::event::{Rules, check_amounts};
use crate::money::Party;
use crate::state::{By, State, demand};
use crate::{Code, Money};

/// Payments.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/bank.md says what each is.
pub enum Bank {
    Transfer { to: Id, amount: Money, memo: Option<String> },
    Batch { payments: Vec<(Id, Money)> },
}

impl Rules for Bank {
    fn tag(&self) -> u16 {
        match self {
            Bank::Transfer { .. } => 201,
            Bank::Batch { .. } => 202,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Bank::Transfer { to, amount, memo } => (to, amount, memo).bytes(),
            Bank::Batch { payments } => payments.bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        match self {
            Bank::Transfer { amount, memo, .. } => {
                check_amounts(&[amount])?;
                let length = memo.as_ref().map_or(0, String::len);
                demand(length <= 128, "field.too_long")?;
                demand(*amount > Money::ZERO, "bank.nothing")
            }
            Bank::Batch { payments } => {
                demand(payments.len() <= 64, "field.too_long")?;
                payments.iter().try_for_each(|(_, amount)| check_amounts(&[amount]))?;
                demand(!payments.is_empty(), "bank.empty")?;
                let is_something = |(_, amount): &(Id, Money)| *amount > Money::ZERO;
                demand(payments.iter().all(is_something), "bank.nothing")
            }
        }
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        let mut pay = |to: &Id, amount: &Money| {
            state.shift(Party::Account(by.author), Party::Account(*to), amount, "payment")
        };
        match self {
            Bank::Transfer { to, amount, .. } => pay(to, amount),
            Bank::Batch { payments } => payments.iter().try_for_each(|(to, sum)| pay(to, sum)),
        }
    }
}
