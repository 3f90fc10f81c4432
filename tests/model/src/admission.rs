//! Whether an event may be executed at a state (EVT-7 … EVT-14), and what it costs.

use crate::accounts::{Account, account_of};
use crate::canonical::{Id, Time};
use crate::event::{Event, Role};
use crate::money::{Party, fee};
use crate::state::{State, demand};
use crate::{Code, Money};

const NONCE_AHEAD_US_MAX: Time = 10 * 60 * 1_000_000;
pub(crate) const VALIDITY_MS_MAX: Time = 7 * 24 * 3_600_000;
/// Events that a router's own key signs for nothing (EVT-15).
const FREE: [u16; 3] = [406, 409, 410];
/// Nonces below are tickets (EVT-13).
const TICKET_END: u64 = 1 << 32;

/// The 32 highest nonces that a signer used, ascending (EVT-7).
pub(crate) type Nonces = Vec<u64>;

fn check_nonce(nonces: &Nonces, nonce: u64) -> Result<(), Code> {
    demand(!nonces.contains(&nonce), "event.nonce_used")?;
    let lowest = if nonces.len() == 32 { nonces[0] } else { 0 };
    demand(nonce > lowest, "event.nonce_old")
}

fn remember(nonces: &mut Nonces, nonce: u64) {
    nonces.push(nonce);
    nonces.sort_unstable();
    if nonces.len() > 32 {
        nonces.remove(0);
    }
}

impl State {
    /// Uses nonce and fee or stamp of an event, or says why it is void. Then the caller takes
    /// back what was changed.
    pub(crate) fn admit(&mut self, event: &Event, zone: u32) -> Result<Money, Code> {
        let now = self.head.time;
        demand(event.valid_until > now, "event.expired")?;
        demand(event.valid_until - now <= VALIDITY_MS_MAX, "event.validity")?;
        let ahead = Time::from(event.nonce) - now * 1_000;
        demand(ahead <= NONCE_AHEAD_US_MAX, "event.nonce_ahead")?;
        let stamp = event.deed.rules().stamp();
        if let Some((stamp, is_heavy)) = &stamp {
            self.check_stamp(event, stamp, *is_heavy)?;
            if event.role == Role::Owner && !self.accounts.contains_key(&event.author) {
                self.open_by_stamp(event.author);
            }
        }
        self.check_key(event)?;
        let paid = match stamp {
            None if self.is_free(event) => Money::ZERO,
            None => self.pay_fee(event, zone)?,
            Some((_, is_heavy)) => {
                self.stamps.made[usize::from(is_heavy)] += 1;
                Money::ZERO
            }
        };
        self.use_nonce(event);
        Ok(paid)
    }

    /// EVT-15.
    pub(crate) fn is_free(&self, event: &Event) -> bool {
        event.role == Role::Router
            && FREE.contains(&event.deed.tag())
            && self.is_router_key(&event.author, &event.key)
    }

    fn check_key(&self, event: &Event) -> Result<(), Code> {
        let account = self.accounts.get(&event.author).ok_or("event.account")?;
        if event.role != Role::Owner {
            let node = self.node_keys.get(&(event.author, event.key)).ok_or("event.key")?;
            demand(node.role == event.role && !node.is_revoked, "event.key")?;
            return check_nonce(&node.nonces, event.nonce);
        }
        demand(account.is_key(&event.author, &event.key), "event.key")?;
        if event.nonce >= TICKET_END {
            return check_nonce(&account.nonces, event.nonce);
        }
        let open = self.tickets.get(&event.author).map(|tickets| &tickets.open);
        let is_open = open.is_some_and(|open| open.contains(&(event.nonce as u32)));
        demand(is_open, "event.ticket")
    }

    fn use_nonce(&mut self, event: &Event) {
        let lapses = self.head.clock + self.lapse_ms();
        let account = self.accounts.get_mut(&event.author).expect("an open account");
        // A row that a stamp opened stays as long as something it signed may be valid.
        account.lapses = account.lapses.map(|_| lapses);
        if event.role != Role::Owner {
            let node = self.node_keys.get_mut(&(event.author, event.key)).expect("a node key");
            remember(&mut node.nonces, event.nonce);
        } else if event.nonce >= TICKET_END {
            remember(&mut account.nonces, event.nonce);
        } else if let Some(tickets) = self.tickets.get_mut(&event.author) {
            tickets.open.retain(|ticket| u64::from(*ticket) != event.nonce);
        }
    }

    /// EVT-11, FEE-2.
    fn pay_fee(&mut self, event: &Event, zone: u32) -> Result<Money, Code> {
        let payer = match (event.deed.rules().payer(self), event.role) {
            (Some((programme, key)), _) => Party::Hold(programme, key),
            (None, Role::Owner) => Party::Account(event.author),
            (None, _) => Party::Allowance(event.author, event.key),
        };
        let fee = fee(event.sent().len());
        self.shift(payer, Party::Fees(zone), &fee, "fee").map_err(|_| "event.fee")?;
        Ok(fee)
    }
}

/// What whoever writes events wants to know.
impl State {
    /// The chain.
    pub fn chain(&self) -> Id {
        self.chain
    }

    /// The last anchor's time.
    pub fn time(&self) -> Time {
        self.head.time
    }

    /// The owner key of an account, once it is not the first one any more.
    pub fn owner_key(&self, account: &Id) -> Option<Id> {
        self.accounts.get(account)?.key
    }

    /// What an account has.
    pub fn balance(&self, account: &Id) -> Money {
        self.accounts.get(account).map(|row| row.balance.clone()).unwrap_or_default()
    }

    /// The node keys of an account, revoked ones too.
    pub fn node_keys_of(&self, account: &Id) -> Vec<(Id, Role)> {
        let own = self.node_keys.iter().filter(|((of, _), _)| of == account);
        own.map(|((_, key), node)| (*key, node.role)).collect()
    }

    /// The open tickets of an account.
    pub fn tickets_of(&self, account: &Id) -> Vec<u32> {
        self.tickets.get(account).map(|tickets| tickets.open.clone()).unwrap_or_default()
    }
}

impl Account {
    /// Whether this is the owner key of the account with this id (EVT-10, ACC-1).
    pub(crate) fn is_key(&self, id: &Id, key: &Id) -> bool {
        self.key.map_or(account_of(key) == *id, |current| current == *key)
    }
}
