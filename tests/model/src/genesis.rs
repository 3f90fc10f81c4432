//! What a network starts from (GEN).

use crate::accounts::{Account, NodeKey, account_of};
use crate::canonical::{Canonical, Id, Time};
use crate::event::Role;
use crate::routers::Protocol;
use crate::stamps::{Period, Stamps};
use crate::state::{Head, State};
use crate::{Money, money::Supply};

/// What a network starts from.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The chain's id, which is the hash of the genesis file.
    pub chain: Id,
    /// When it starts.
    pub time: Time,
    /// What is in the pool.
    pub pool: Money,
    /// The parameters.
    pub params: Params,
    /// Owner keys and balances.
    pub accounts: Vec<(Id, Money)>,
    /// Accounts, their node keys, and the keys' allowances.
    pub node_keys: Vec<(Id, Id, Money)>,
    /// Zones, ascending.
    pub zones: Vec<Zone>,
}

/// A zone and its router.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // docs/spec/genesis.md says what each is.
pub struct Zone {
    pub zone: u32,
    pub router: Id,
    pub key: Id,
    pub vrf_key: Id,
    pub bond: Money,
}

/// The network's parameters.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // docs/spec/genesis.md says what each is.
pub struct Params {
    pub epoch_ms: Time,
    pub clock_step_ms_max: Time,
    pub anchor_idle_ms: Time,
    pub anchor_bytes_max: u64,
    pub anchor_work_max: u64,
    pub anchor_deadlines_max: u32,
    pub commit_age_ms: Time,
    pub commit_age_anchors: u64,
    pub contest_ms: Time,
    pub contest_anchors: u64,
    pub commit_life_ms: Time,
    pub domain_year_ms: Time,
    pub domain_grace_ms: Time,
    pub domain_premium_ms: Time,
    pub domain_renewal_ms: Time,
    pub lock_grace_ms: Time,
    pub lock_kept_ms: Time,
    pub stamp_period_ms: Time,
    pub stamp_bits: u8,
    pub stamp_bits_heavy: u8,
    pub stamp_target: u64,
    pub zone_seats: u32,
    pub heartbeat_ms: Time,
    pub inactive_ms: Time,
    pub lease_ms: Time,
    pub username_year_ms: Time,
    pub router_bond_apt_min: u64,
    pub router_unbond_ms: Time,
    pub term_ms_min: Time,
    pub router_alive_ms: Time,
    pub router_silent_ms: Time,
    pub validators_max: u16,
}

impl Canonical for Params {
    fn write(&self, out: &mut Vec<u8>) {
        (self.epoch_ms, self.clock_step_ms_max, self.anchor_idle_ms).write(out);
        (self.anchor_bytes_max, self.anchor_work_max, self.anchor_deadlines_max).write(out);
        (self.commit_age_ms, self.commit_age_anchors).write(out);
        (self.contest_ms, self.contest_anchors, self.commit_life_ms).write(out);
        (self.domain_year_ms, self.domain_grace_ms).write(out);
        (self.domain_premium_ms, self.domain_renewal_ms).write(out);
        (self.lock_grace_ms, self.lock_kept_ms).write(out);
        (self.stamp_period_ms, self.stamp_bits, self.stamp_bits_heavy).write(out);
        (self.stamp_target, self.zone_seats).write(out);
        (self.heartbeat_ms, self.inactive_ms, self.lease_ms, self.username_year_ms).write(out);
        (self.router_bond_apt_min, self.router_unbond_ms, self.term_ms_min).write(out);
        (self.router_alive_ms, self.router_silent_ms, self.validators_max).write(out);
    }
}

impl Params {
    /// The least sizes of stamps, light and heavy (STP-3).
    pub(crate) fn least_bits(&self) -> [u8; 2] {
        [0, self.stamp_bits_heavy].map(|more| 60.min(self.stamp_bits + more))
    }
}

impl State {
    /// The state at height 0 (GEN-3).
    pub fn start(genesis: &Genesis) -> State {
        let bits = genesis.params.least_bits();
        let period = Period { number: 0, beacon: genesis.chain, bits };
        let account = |(key, balance): &(Id, Money)| {
            let account = Account { balance: balance.clone(), ..Account::open(genesis.time) };
            (account_of(key), account)
        };
        let node_key = |(account, key, allowance): &(Id, Id, Money)| {
            let node = NodeKey { allowance: allowance.clone(), ..NodeKey::new(Role::Node) };
            ((*account, *key), node)
        };
        let sum = |sum: Money, part: &Money| sum + part;
        let funded = genesis.accounts.iter().map(|(_, balance)| balance);
        let funded = funded.chain(genesis.node_keys.iter().map(|(_, _, allowance)| allowance));
        let funded = funded.chain(genesis.zones.iter().map(|zone| &zone.bond));
        let mut best: Vec<&Zone> = genesis.zones.iter().collect();
        best.sort_by_key(|zone| -zone.bond.clone());
        best.truncate(usize::from(genesis.params.validators_max).min(100));
        best.sort_by_key(|zone| zone.zone);
        let validators: Vec<_> =
            best.into_iter().map(|zone| (zone.zone, zone.key, zone.vrf_key)).collect();
        let mut state = State {
            chain: genesis.chain,
            params: genesis.params.clone(),
            head: Head {
                height: 0,
                anchor: genesis.chain,
                time: genesis.time,
                clock: genesis.time,
                clock_start: genesis.time,
                epoch: 0,
                beacon: [0; 32],
                receipts: 0,
            },
            supply: Supply { genesis: funded.fold(genesis.pool.clone(), sum), burned: Money::ZERO },
            pool: genesis.pool.clone(),
            accounts: genesis.accounts.iter().map(account).collect(),
            node_keys: genesis.node_keys.iter().map(node_key).collect(),
            validators: [validators.clone(), validators],
            protocol: Protocol { version: 1, ready: 0, next: None },
            stamps: Stamps { now: period.clone(), before: period, made: [0; 2] },
            ..State::default()
        };
        genesis.zones.iter().for_each(|zone| state.start_router(zone));
        state
    }
}
