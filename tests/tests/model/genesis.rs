//! Networks in which everything ends soon, for the ledger and for the model.

use ddt_ledger::genesis::GenesisNodeKey;
use ddt_ledger::params::Params;
use ddt_ledger::{Amount, Millis};
use ddt_model as model;
use ddt_tests::network::{START, Setup};
use ddt_tests::people::{Person, Router};

use crate::letters::KEYS;

/// People: the first four are rich, the fifth has next to nothing, the last is not there yet.
pub const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

const DAY_MS: u64 = 24 * 3_600_000;

/// What the network of this seed starts from.
pub fn setup(seed: u64) -> Setup {
    // In every third one the clock leaps a day, so that what lasts long ends too. There an epoch
    // is as long as a leap may be (GEN-6): it ends when one comes.
    let (step, epoch) = match seed % 3 {
        2 => (DAY_MS, DAY_MS),
        // So short that zones without a router are dead before their members are gone.
        1 => (6_000, 6_000),
        _ => (20_000, 45_000),
    };
    let params = Params {
        epoch_ms: Millis(epoch),
        clock_step_ms_max: Millis(step),
        anchor_deadlines_max: if seed.is_multiple_of(2) { 3 } else { 100 },
        contest_ms: Millis(6_000),
        commit_life_ms: Millis(40_000),
        domain_year_ms: Millis(30_000),
        domain_grace_ms: Millis(8_000),
        domain_premium_ms: Millis(12_000),
        domain_renewal_ms: Millis(20_000),
        lock_kept_ms: Millis(10_000),
        stamp_period_ms: Millis(15_000),
        stamp_bits: 2,
        stamp_bits_heavy: 2,
        stamp_target: 5,
        zone_seats: if seed % 3 == 1 { 33 } else { 9 },
        heartbeat_ms: Millis(3_000),
        inactive_ms: Millis(9_000),
        lease_ms: Millis(30_000),
        username_year_ms: Millis(25_000),
        router_bond_apt_min: 2_000,
        router_unbond_ms: Millis(40_000),
        term_ms_min: Millis(3_000),
        router_alive_ms: Millis(4_000),
        router_silent_ms: Millis(15_000),
        validators_max: if seed.is_multiple_of(4) { 2 } else { 100 },
        ..Params::dev()
    };
    let balance = |place| match place {
        0..4 => Amount::from_apt(60_000),
        4 => Amount::from_units(4_000_001).expect("little"),
        _ => Amount::ZERO,
    };
    let accounts = PEOPLE.iter().zip(0..).map(|(name, at)| (Person::named(name), balance(at)));
    let zones = 1 + (seed % 3) as u32;
    let (pool, node_keys) = (Amount::from_apt(9), node_keys(seed));
    Setup { params, pool, accounts: accounts.collect(), node_keys, zones }
}

/// In every second history nodes work from the start: one for two accounts, another with
/// nothing to spend.
fn node_keys(seed: u64) -> Vec<GenesisNodeKey> {
    let duty = |(owner, node, units): (&str, &str, u128)| GenesisNodeKey {
        account: Person::named(owner).id(),
        key: Person::named(node).key(),
        allowance: Amount::from_units(units).expect("little"),
    };
    let [spare, tablet] = [KEYS[2], KEYS[3]];
    let duties = [
        (PEOPLE[0], tablet, 30_000_000),
        (PEOPLE[1], tablet, 5_000_000_000),
        (PEOPLE[1], spare, 0),
        (PEOPLE[4], spare, 1_000_001),
    ];
    duties.into_iter().filter(|_| seed % 2 == 1).map(duty).collect()
}

/// The same for the model.
pub fn model_of(setup: &Setup) -> model::Genesis {
    let chain = setup.genesis().chain().0.0;
    let funded = setup.accounts.iter().filter(|(_, balance)| !balance.is_zero());
    let zone = |zone| {
        let Router { person, vrf, .. } = Router::of_zone(zone);
        let (router, key, vrf_key) = (person.id().0, person.key().0, vrf.public().0);
        model::Zone {
            zone,
            router,
            key,
            vrf_key,
            bond: setup.params.router_bond_min().units().into(),
        }
    };
    let node_key = |duty: &GenesisNodeKey| {
        (duty.account.0, duty.key.0, model::Money::from(duty.allowance.units()))
    };
    model::Genesis {
        chain,
        time: START.0.into(),
        pool: setup.pool.units().into(),
        params: params_of(&setup.params),
        accounts: funded.map(|(one, has)| (one.key().0, has.units().into())).collect(),
        node_keys: setup.node_keys.iter().map(node_key).collect(),
        zones: (1..=setup.zones).map(zone).collect(),
    }
}

fn params_of(params: &Params) -> model::Params {
    let time = |time: Millis| model::Time::from(time.0);
    model::Params {
        epoch_ms: time(params.epoch_ms),
        clock_step_ms_max: time(params.clock_step_ms_max),
        anchor_idle_ms: time(params.anchor_idle_ms),
        anchor_bytes_max: params.anchor_bytes_max,
        anchor_work_max: params.anchor_work_max,
        anchor_deadlines_max: params.anchor_deadlines_max,
        commit_age_ms: time(params.commit_age_ms),
        commit_age_anchors: params.commit_age_anchors,
        contest_ms: time(params.contest_ms),
        contest_anchors: params.contest_anchors,
        commit_life_ms: time(params.commit_life_ms),
        domain_year_ms: time(params.domain_year_ms),
        domain_grace_ms: time(params.domain_grace_ms),
        domain_premium_ms: time(params.domain_premium_ms),
        domain_renewal_ms: time(params.domain_renewal_ms),
        lock_grace_ms: time(params.lock_grace_ms),
        lock_kept_ms: time(params.lock_kept_ms),
        stamp_period_ms: time(params.stamp_period_ms),
        stamp_bits: params.stamp_bits,
        stamp_bits_heavy: params.stamp_bits_heavy,
        stamp_target: params.stamp_target,
        zone_seats: params.zone_seats,
        heartbeat_ms: time(params.heartbeat_ms),
        inactive_ms: time(params.inactive_ms),
        lease_ms: time(params.lease_ms),
        username_year_ms: time(params.username_year_ms),
        router_bond_apt_min: params.router_bond_apt_min,
        router_unbond_ms: time(params.router_unbond_ms),
        term_ms_min: time(params.term_ms_min),
        router_alive_ms: time(params.router_alive_ms),
        router_silent_ms: time(params.router_silent_ms),
        validators_max: params.validators_max,
    }
}
