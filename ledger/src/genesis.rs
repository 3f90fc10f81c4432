//! Genesis: what a network starts from, as a file that people read.

use std::collections::BTreeSet;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::accounts::{ACCOUNTS, DUTIES, Duty};
use crate::amount::Amount;
use crate::anchor::{Roots, TIPS_MAX};
use crate::book::{Book, Party};
use crate::certificate::{VALIDATORS_MAX, Validator, ValidatorSet};
use crate::codec::encode;
use crate::event::Role;
use crate::fees::ValueIndex;
use crate::hash::{Domain, Hash};
use crate::ids::{AccountId, ChainId, Millis, Zone};
use crate::key::PublicKey;
use crate::merkle::list_root;
use crate::params::Params;
use crate::routers::{Protocol, ROUTER_KEYS, ROUTERS, Router, RouterKey, bond_party};
use crate::stamp::Stamps;
use crate::state::{Changes, MemoryState, Overlay, StateTree};
use crate::system::{
    HEAD, Head, INDEX, LANES, Lane, PARAMS, STATE_VERSION, VALIDATORS, Validators,
};

/// The version of the genesis format that this code writes and reads.
pub const GENESIS_VERSION: u32 = 2;
/// Longest genesis file, in bytes.
pub const GENESIS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a network starts from. Its canonical bytes' hash is the chain id.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// [`GENESIS_VERSION`].
    pub version: u32,
    /// The network's name: `[a-z0-9-]`, at most 32 bytes.
    pub name: String,
    /// When it starts.
    pub time_ms: Millis,
    /// What the pool starts with.
    pub pool: Amount,
    /// Its parameters.
    pub params: Params,
    /// Its first accounts.
    #[serde(default, rename = "account")]
    pub accounts: Vec<GenesisAccount>,
    /// Node keys with prepaid allowances.
    #[serde(default, rename = "node_key")]
    pub node_keys: Vec<GenesisNodeKey>,
    /// Its zones and their routers, all of them validators.
    #[serde(rename = "zone")]
    pub zones: Vec<GenesisZone>,
}

/// A first account.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisAccount {
    /// Its first owner key; the id is its hash.
    pub key: PublicKey,
    /// What it starts with.
    pub balance: Amount,
}

/// A node key that works from the start.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisNodeKey {
    /// Whose.
    pub account: AccountId,
    /// The key.
    pub key: PublicKey,
    /// Prepaid fees, beside the account's balance.
    pub allowance: Amount,
}

/// A zone and its router.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisZone {
    /// Its number.
    pub zone: Zone,
    /// The account that receives the router's half of fees.
    pub router: AccountId,
    /// The router's Ed25519 key.
    pub key: PublicKey,
    /// The router's VRF key.
    pub vrf_key: PublicKey,
    /// The router's bond, beside the account's balance.
    pub bond: Amount,
}

/// Why a genesis cannot start a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the genesis file is wrong: {0}")]
pub struct GenesisError(pub String);

/// Most members of a zone, in any network.
const ZONE_SEATS_MAX: u32 = 1_024;

fn need(holds: bool, words: &str) -> Result<(), GenesisError> {
    if holds { Ok(()) } else { Err(GenesisError(words.to_string())) }
}

impl Params {
    /// What no network can go on with (spec GEN-1, GEN-6).
    fn check(&self) -> Result<(), GenesisError> {
        need(self.epoch_ms.0 > 0, "epoch_ms must be above 0")?;
        need(self.clock_step_ms_max.0 > 0, "clock_step_ms_max must be above 0")?;
        need(self.domain_year_ms.0 > 0, "domain_year_ms must be above 0")?;
        need(self.stamp_period_ms.0 > 0, "stamp_period_ms must be above 0")?;
        need(self.username_year_ms.0 > 0, "username_year_ms must be above 0")?;
        need(self.validators_max > 0, "validators_max must be above 0")?;
        let words = "clock_step_ms_max must be at most epoch_ms, or epochs pass without an anchor";
        need(self.clock_step_ms_max <= self.epoch_ms, words)?;
        need(self.zone_seats <= ZONE_SEATS_MAX, "zone_seats must be at most 1024")?;
        let words = "router_unbond_ms must be above 0, or no router answers for what it signed";
        need(self.router_unbond_ms.0 > 0, words)?;
        let words = "router_alive_ms must be above 0: a router says for nothing that it is there";
        need(self.router_alive_ms.0 > 0, words)?;
        let words = "router_silent_ms must be above router_alive_ms, or a router is silent before \
                     it may say that it is there";
        need(self.router_silent_ms > self.router_alive_ms, words)
    }
}

/// A genesis turned into a state.
pub struct GenesisState {
    /// The chain.
    pub chain: ChainId,
    /// All rows.
    pub rows: MemoryState,
    /// The same, as changes to nothing.
    pub changes: Changes,
    /// What anchor 1 must name.
    pub roots: Roots,
    /// The validators of anchor 1.
    pub validators: ValidatorSet,
}

impl Genesis {
    /// Reads a genesis file.
    pub fn from_toml(text: &str) -> Result<Genesis, GenesisError> {
        if text.len() > GENESIS_BYTES_MAX {
            return Err(GenesisError("longer than 16 MiB".to_string()));
        }
        let genesis: Genesis =
            toml::from_str(text).map_err(|error| GenesisError(error.to_string()))?;
        genesis.check()?;
        Ok(genesis)
    }

    /// Writes a genesis file.
    pub fn to_toml(&self) -> Result<String, GenesisError> {
        toml::to_string_pretty(self).map_err(|error| GenesisError(error.to_string()))
    }

    /// The chain that starts from this.
    pub fn chain(&self) -> ChainId {
        ChainId(Domain::CHAIN.hash(&[&encode(self)]))
    }

    /// The validators of the first two anchors: the largest bonds, of equal ones the first
    /// zones.
    pub fn validators(&self) -> ValidatorSet {
        let validator = |zone: &GenesisZone| Validator {
            zone: zone.zone,
            key: zone.key,
            vrf_key: zone.vrf_key,
        };
        let mut zones: Vec<&GenesisZone> = self.zones.iter().collect();
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.bond));
        zones.truncate(usize::from(self.params.validators_max).clamp(1, VALIDATORS_MAX));
        zones.sort_by_key(|zone| zone.zone);
        ValidatorSet(zones.into_iter().map(validator).collect())
    }

    fn check(&self) -> Result<(), GenesisError> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        need(self.version == GENESIS_VERSION, "version must be 2: this release reads no other")?;
        let named = !self.name.is_empty() && self.name.len() <= 32;
        need(named && self.name.bytes().all(is_plain), "name must be 1 to 32 of a-z, 0-9, -")?;
        need(!self.zones.is_empty(), "there must be at least one zone")?;
        need(self.zones.is_sorted_by(|a, b| a.zone < b.zone), "zones must ascend")?;
        let keys: BTreeSet<_> = self.zones.iter().map(|zone| zone.key).collect();
        need(keys.len() == self.zones.len(), "two zones have one router key")?;
        let routers: BTreeSet<_> = self.zones.iter().map(|zone| zone.router).collect();
        need(routers.len() == self.zones.len(), "two zones have one router")?;
        need(self.zones.len() <= TIPS_MAX, "there are more than 1,024 zones")?;
        let least = self.params.router_bond_min();
        let is_bonded = self.zones.iter().all(|zone| zone.bond >= least && !zone.bond.is_zero());
        need(is_bonded, "a zone's bond is smaller than router_bond_apt_min, or nothing")?;
        let keys: BTreeSet<_> = self.accounts.iter().map(|account| account.key).collect();
        need(keys.len() == self.accounts.len(), "an account stands there twice")?;
        let nodes = self.node_keys.iter().map(|duty| (duty.account, duty.key));
        let duties: BTreeSet<_> =
            nodes.chain(self.zones.iter().map(|zone| (zone.router, zone.key))).collect();
        let count = self.node_keys.len().saturating_add(self.zones.len());
        need(duties.len() == count, "a node key stands there twice")?;
        self.params.check()
    }

    /// The state at height 0.
    pub fn state(&self) -> Result<GenesisState, GenesisError> {
        self.check()?;
        let chain = self.chain();
        let base = MemoryState::default();
        let mut book = Book::open(Overlay::new(&base), self.time_ms);
        self.fund(&mut book).map_err(|refusal| GenesisError(refusal.to_string()))?;
        let validators = self.validators();
        let rows = &mut book.rows;
        PARAMS.put(rows, &(), &self.params);
        INDEX.put(rows, &(), &ValueIndex::ONE);
        Stamps::at_genesis(chain, &self.params).put(rows);
        let (next, after_next) = (validators.clone(), validators.clone());
        VALIDATORS.put(rows, &(), &Validators { next, after_next });
        HEAD.put(rows, &(), &self.head(chain));
        Protocol::at_genesis().put(rows);
        for zone in &self.zones {
            LANES.put(rows, &zone.zone, &Lane::first(zone.router, zone.key, self.time_ms));
            let mut router = Router::new((zone.key, zone.vrf_key), self.time_ms, 0);
            router.zone = Some(zone.zone);
            ROUTERS.put(rows, &zone.router, &router);
            let key = RouterKey { account: zone.router, past: None };
            ROUTER_KEYS.put(rows, &zone.key, &key);
        }
        let changes = book.finish().map_err(|fault| GenesisError(fault.to_string()))?;
        let mut rows = MemoryState::default();
        rows.apply(&changes);
        let state = StateTree::build(rows.rows.clone()).root();
        let roots = Roots { state, receipts: list_root::<&[u8]>([]) };
        Ok(GenesisState { chain, rows, changes, roots, validators })
    }

    fn head(&self, chain: ChainId) -> Head {
        Head {
            version: STATE_VERSION,
            height: 0,
            anchor: chain.0,
            time: self.time_ms,
            clock: self.time_ms,
            clock_start: self.time_ms,
            epoch: 0,
            beacon: Hash::ZERO,
            receipts: 0,
        }
    }

    fn fund(&self, book: &mut Book) -> Result<(), crate::refusal::Refusal> {
        book.shift(Party::Genesis, Party::Pool, self.pool, "genesis")?;
        for account in &self.accounts {
            let id = AccountId::of(&account.key);
            book.shift(Party::Genesis, Party::Account(id), account.balance, "genesis")?;
        }
        for zone in &self.zones {
            let account = Party::Account(zone.router);
            book.shift(Party::Genesis, account.clone(), zone.bond, "genesis")?;
            book.shift(account, bond_party(&zone.router), zone.bond, "bond")?;
            DUTIES.put(&mut book.rows, &(zone.router, zone.key), &Duty::new(Role::Router));
        }
        for duty in &self.node_keys {
            if ACCOUNTS.get(&book.rows, &duty.account).is_none() {
                return Err(crate::event::ACCOUNT);
            }
            let (account, key) = (duty.account, duty.key);
            DUTIES.put(&mut book.rows, &(account, key), &Duty::new(Role::Node));
            let to = Party::Allowance { account, key };
            book.shift(Party::Genesis, to, duty.allowance, "genesis")?;
        }
        Ok(())
    }
}
