//! Accounts (ACC): owners' keys, node keys, tickets.

use crate::admission::Nonces;
use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::{Role, Rules, check_amounts};
use crate::money::Party;
use crate::state::{By, State, demand};
use crate::{Code, Money};

/// The account whose first owner key this is (ACC-1).
pub fn account_of(key: &Id) -> Id {
    hash("ddt v1 account id", &[key])
}

/// What a new owner key signs (ACC-2).
pub fn possession_digest(account: &Id, new_key: &Id) -> Id {
    hash("ddt v1 key possession", &[account, new_key])
}

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub balance: Money,
    /// The owner key, if it is not the first one any more.
    pub key: Option<Id>,
    pub rotations: u32,
    pub opened: Time,
    pub nonces: Nonces,
    /// When the row goes that a stamp opened, on the epoch clock.
    pub lapses: Option<Time>,
}

impl Account {
    pub fn open(time: Time) -> Account {
        let (balance, nonces) = (Money::ZERO, Nonces::new());
        Account { balance, key: None, rotations: 0, opened: time, nonces, lapses: None }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct NodeKey {
    pub role: Role,
    pub allowance: Money,
    pub nonces: Nonces,
    pub is_revoked: bool,
}

impl NodeKey {
    pub fn new(role: Role) -> NodeKey {
        NodeKey { role, allowance: Money::ZERO, nonces: Nonces::new(), is_revoked: false }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets {
    pub last: u32,
    pub open: Vec<u32>,
}

/// Events of accounts.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/programmes.md says what each is.
pub enum Accounts {
    RotateKey {
        new_key: Id,
        possession: Vec<u8>,
        /// Whether the new key signed: verifying is somebody else's work.
        is_possessed: bool,
    },
    GrantNodeKey {
        is_router: bool,
        key: Id,
        allowance: Money,
    },
    TopUpNodeKey {
        key: Id,
        amount: Money,
    },
    RevokeNodeKey {
        key: Id,
    },
    ReserveTickets {
        count: u8,
    },
}

impl Rules for Accounts {
    fn tag(&self) -> u16 {
        match self {
            Accounts::RotateKey { .. } => 101,
            Accounts::GrantNodeKey { .. } => 102,
            Accounts::TopUpNodeKey { .. } => 103,
            Accounts::RevokeNodeKey { .. } => 104,
            Accounts::ReserveTickets { .. } => 105,
        }
    }

    fn body(&self) -> Vec<u8> {
        match self {
            Accounts::RotateKey { new_key, possession, .. } => (new_key, possession).bytes(),
            Accounts::GrantNodeKey { is_router, key, allowance } => {
                (is_router, key, allowance).bytes()
            }
            Accounts::TopUpNodeKey { key, amount } => (key, amount).bytes(),
            Accounts::RevokeNodeKey { key } => key.bytes(),
            Accounts::ReserveTickets { count } => count.bytes(),
        }
    }

    fn check(&self) -> Result<(), Code> {
        match self {
            Accounts::GrantNodeKey { allowance: amount, .. }
            | Accounts::TopUpNodeKey { amount, .. } => check_amounts(&[amount]),
            Accounts::ReserveTickets { count } => demand(*count > 0, "accounts.no_tickets"),
            _ => Ok(()),
        }
    }

    fn apply(&self, state: &mut State, by: &By) -> Result<(), Code> {
        match self {
            Accounts::RotateKey { new_key, is_possessed, .. } => {
                demand(*is_possessed, "accounts.possession")?;
                let account = state.accounts.get_mut(&by.author).expect("the author");
                demand(!account.is_key(&by.author, new_key), "ledger.same_key")?;
                account.key = Some(*new_key);
                account.rotations += 1;
                Ok(())
            }
            Accounts::GrantNodeKey { is_router, key, allowance } => {
                let role = if *is_router { Role::Router } else { Role::Node };
                state.register(by.author, *key, role)?;
                state.top_up(by.author, *key, allowance)
            }
            Accounts::TopUpNodeKey { key, amount } => state.top_up(by.author, *key, amount),
            Accounts::RevokeNodeKey { key } => {
                let allowance = state.live_key(by.author, *key)?.allowance.clone();
                let (from, to) = (Party::Allowance(by.author, *key), Party::Account(by.author));
                state.shift(from, to, &allowance, "allowance back")?;
                state.live_key(by.author, *key)?.is_revoked = true;
                Ok(())
            }
            Accounts::ReserveTickets { count } => {
                let tickets = state.tickets.entry(by.author).or_default();
                let last = tickets.last + u32::from(*count);
                tickets.open.extend(tickets.last + 1..=last);
                tickets.last = last;
                demand(tickets.open.len() <= 128, "ledger.tickets_full")
            }
        }
    }
}

impl State {
    /// Registers a key once and for ever (BOK-5).
    pub(crate) fn register(&mut self, account: Id, key: Id, role: Role) -> Result<(), Code> {
        demand(!self.node_keys.contains_key(&(account, key)), "ledger.duty_exists")?;
        self.node_keys.insert((account, key), NodeKey::new(role));
        Ok(())
    }

    fn live_key(&mut self, account: Id, key: Id) -> Result<&mut NodeKey, Code> {
        let node = self.node_keys.get_mut(&(account, key));
        node.filter(|node| !node.is_revoked).ok_or("ledger.no_duty")
    }

    fn top_up(&mut self, account: Id, key: Id, amount: &Money) -> Result<(), Code> {
        self.live_key(account, key)?;
        let (from, to) = (Party::Account(account), Party::Allowance(account, key));
        self.shift(from, to, amount, "allowance")
    }
}
