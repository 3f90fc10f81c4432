//! What a network starts from: its rules, its keys, its money.

use ddt_ledger::genesis::{Genesis, GenesisNodeKey};
use ddt_ledger::params::Params;
use ddt_ledger::{Amount, ChainId, Millis};
use ddt_tests::network::Setup;
use ddt_tests::people::{Person, Router as Keys};

use crate::clients::Client;
use crate::random::Random;

/// What all routers know.
pub struct Town {
    /// The genesis.
    pub genesis: Genesis,
    /// Its chain.
    pub chain: ChainId,
    /// Each router's keys.
    pub keys: Vec<Keys>,
    /// The hot keys of their nodes, each with an allowance.
    pub node_keys: Vec<Person>,
}

impl Town {
    /// A network of so many routers and clients.
    pub fn new((routers, clients): (usize, usize), random: &mut Random) -> Town {
        let keys: Vec<Keys> = (1..=routers as u32).map(Keys::of_zone).collect();
        let node_keys: Vec<Person> = (1..=routers as u32).map(node_of).collect();
        let duty = |(keys, node): (&Keys, &Person)| GenesisNodeKey {
            account: keys.person.id(),
            key: node.key(),
            allowance: Amount::from_apt(5),
        };
        let of_clients = (0..clients).map(|n| (Client::person(n), Amount::from_apt(2_000)));
        let of_routers = keys.iter().map(|keys| (keys.person.clone(), Amount::from_apt(10)));
        let setup = Setup {
            params: params(random),
            pool: Amount::from_apt(1_000),
            accounts: of_clients.chain(of_routers).collect(),
            node_keys: keys.iter().zip(&node_keys).map(duty).collect(),
            zones: routers as u32,
        };
        let genesis = setup.genesis();
        Town { chain: genesis.chain(), genesis, keys, node_keys }
    }
}

/// The key of the node of a zone's router.
pub fn node_of(zone: u32) -> Person {
    Person::named(&format!("node of router{zone}"))
}

/// What lasts a year elsewhere ends within seconds. A lease, and in half of the networks a name's
/// grace, outlives a calm: what a node has to do for them stays due until it is done.
fn params(random: &mut Random) -> Params {
    let mut number = |from, to| random.between(from, to);
    let (is_patient, grace) = (number(0, 1) == 0, number(10_000, 15_000));
    Params {
        commit_age_ms: Millis(number(200, 2_000)),
        commit_life_ms: Millis(number(5_000, 40_000)),
        anchor_work_max: number(4, 200),
        anchor_idle_ms: Millis(number(500, 10_000)),
        domain_year_ms: Millis(number(10_000, 60_000)),
        domain_grace_ms: Millis(if is_patient { grace * 20 } else { grace }),
        domain_premium_ms: Millis(number(1_000, 20_000)),
        domain_renewal_ms: Millis(number(4_000, 40_000)),
        stamp_period_ms: Millis(number(5_000, 60_000)),
        stamp_bits: 2,
        heartbeat_ms: Millis(number(1_000, 5_000)),
        inactive_ms: Millis(number(9_000, 40_000)),
        lease_ms: Millis(number(200_000, 400_000)),
        zone_seats: 40,
        // The stand-in of consensus asks every router, so nobody ceases to be a validator.
        router_silent_ms: Millis(u64::MAX),
        term_ms_min: Millis(number(500, 8_000)),
        ..Params::dev()
    }
}
