//! What a network of a test starts from.

use ddt_ledger::genesis::{GENESIS_VERSION, Genesis, GenesisAccount, GenesisNodeKey, GenesisZone};
use ddt_ledger::params::Params;
use ddt_ledger::{Amount, Millis, Zone};

use crate::people::{Person, Router};

/// When every network starts.
pub const START: Millis = Millis(1_700_000_000_000);

/// What a network starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its parameters.
    pub params: Params,
    /// What is in the pool.
    pub pool: Amount,
    /// Its accounts; one with nothing opens later.
    pub accounts: Vec<(Person, Amount)>,
    /// Node keys that work from the start, each of one of the accounts.
    pub node_keys: Vec<GenesisNodeKey>,
    /// How many zones, each with a router: 1, 2, ….
    pub zones: u32,
}

impl Setup {
    /// One zone, the parameters of a development network, nobody in it.
    pub fn new() -> Setup {
        Setup {
            params: Params::dev(),
            pool: Amount::ZERO,
            accounts: Vec::new(),
            node_keys: Vec::new(),
            zones: 1,
        }
    }

    /// A router's bond: the smallest there may be.
    fn bond(&self) -> Amount {
        self.params.router_bond_min().max(Amount::from_units(1).unwrap_or_default())
    }

    /// The genesis.
    pub fn genesis(&self) -> Genesis {
        let funded = self.accounts.iter().filter(|(_, balance)| !balance.is_zero());
        let account = |(person, balance): &(Person, Amount)| GenesisAccount {
            key: person.key(),
            balance: *balance,
        };
        let zone = |zone: u32| {
            let router = Router::of_zone(zone);
            let (key, vrf_key) = (router.person.key(), router.vrf.public());
            let (zone, router) = (Zone(zone), router.person.id());
            GenesisZone { zone, router, key, vrf_key, bond: self.bond() }
        };
        Genesis {
            version: GENESIS_VERSION,
            name: "in-memory".to_string(),
            time_ms: START,
            pool: self.pool,
            params: self.params.clone(),
            accounts: funded.map(account).collect(),
            node_keys: self.node_keys.clone(),
            zones: (1..=self.zones).map(zone).collect(),
        }
    }
}

impl Default for Setup {
    fn default() -> Setup {
        Setup::new()
    }
}
