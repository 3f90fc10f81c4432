//! Parameters of the network, kept in the state so that they can change at a height.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::ids::Millis;

const DAY_MS: u64 = 24 * 3_600_000;

/// Numbers that rules depend on. Times are on the epoch clock, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Length of an epoch.
    pub epoch_ms: Millis,
    /// The epoch clock advances at most this much per anchor.
    pub clock_step_ms_max: Millis,
    /// An idle network makes an anchor this often.
    pub anchor_idle_ms: Millis,
    /// Most bytes of lane blocks that an anchor covers.
    pub anchor_bytes_max: u64,
    /// Most work units that an anchor covers.
    pub anchor_work_max: u64,
    /// Most deadlines that an anchor works off; the rest waits.
    pub anchor_deadlines_max: u32,
    /// A domain commit may be revealed from this age.
    pub commit_age_ms: Millis,
    /// And after this many further anchors.
    pub commit_age_anchors: u64,
    /// How long after the first reveal an older commit still wins the name.
    pub contest_ms: Millis,
    /// And for at least this many anchors.
    pub contest_anchors: u64,
    /// A commit not revealed by this age is refunded.
    pub commit_life_ms: Millis,
    /// Length of a domain's year.
    pub domain_year_ms: Millis,
    /// How long after its term a domain still belongs to its owner.
    pub domain_grace_ms: Millis,
    /// How long after the grace a domain's price falls from its premium to the plain price.
    pub domain_premium_ms: Millis,
    /// How long before the term's end a prepaid renewal may be made.
    pub domain_renewal_ms: Millis,
    /// How long after its deadline a lock of coins is refunded.
    pub lock_grace_ms: Millis,
    /// How long the row of a lock that ended stays readable.
    pub lock_kept_ms: Millis,
    /// A stamp's beacon is good for its period and the next one.
    pub stamp_period_ms: Millis,
    /// Leading zero bits of an ordinary stamp when few are made.
    pub stamp_bits: u8,
    /// How many more bits a heavy stamp has.
    pub stamp_bits_heavy: u8,
    /// Events with stamps of one weight in a period, above which the next period's grow by one
    /// bit.
    pub stamp_target: u64,
    /// Most members of a zone.
    pub zone_seats: u32,
    /// A member is heard of at most once in this time.
    pub heartbeat_ms: Millis,
    /// A member that is silent for this long is inactive.
    pub inactive_ms: Millis,
    /// A member that is silent for this long loses its address and its seat.
    pub lease_ms: Millis,
    /// Length of a username's year.
    pub username_year_ms: Millis,
    /// The smallest bond of a router, in whole APT.
    pub router_bond_apt_min: u64,
    /// How long after it leaves a router's bond is paid out; so long what it signed counts.
    pub router_unbond_ms: Millis,
    /// A lane's term lasts at least this long, unless its router's keys change.
    pub term_ms_min: Millis,
    /// A router that has nothing to seal may say that it is there once in this time.
    pub router_alive_ms: Millis,
    /// A router that is silent for this long loses its lane at the epoch's end.
    pub router_silent_ms: Millis,
    /// Most validators.
    pub validators_max: u16,
}

impl Params {
    /// The smallest bond of a router.
    pub fn router_bond_min(&self) -> Amount {
        Amount::from_apt(self.router_bond_apt_min)
    }

    /// Of a public network.
    pub fn network() -> Params {
        Params {
            epoch_ms: Millis(DAY_MS),
            clock_step_ms_max: Millis(20_000),
            anchor_idle_ms: Millis(10_000),
            anchor_bytes_max: 16 * 1024 * 1024,
            anchor_work_max: 20_000,
            anchor_deadlines_max: 1_000,
            commit_age_ms: Millis(60_000),
            commit_age_anchors: 2,
            contest_ms: Millis(600_000),
            contest_anchors: 2,
            commit_life_ms: Millis(DAY_MS),
            domain_year_ms: Millis(365 * DAY_MS),
            domain_grace_ms: Millis(30 * DAY_MS),
            domain_premium_ms: Millis(21 * DAY_MS),
            domain_renewal_ms: Millis(30 * DAY_MS),
            lock_grace_ms: Millis(3_600_000),
            lock_kept_ms: Millis(7 * DAY_MS),
            stamp_period_ms: Millis(600_000),
            stamp_bits: 22,
            stamp_bits_heavy: 6,
            stamp_target: 1_000,
            zone_seats: 1_024,
            heartbeat_ms: Millis(6 * 3_600_000),
            inactive_ms: Millis(36 * 3_600_000),
            lease_ms: Millis(7 * DAY_MS),
            username_year_ms: Millis(365 * DAY_MS),
            router_bond_apt_min: 10_000,
            router_unbond_ms: Millis(21 * DAY_MS),
            term_ms_min: Millis(60_000),
            router_alive_ms: Millis(6 * 3_600_000),
            router_silent_ms: Millis(36 * 3_600_000),
            validators_max: 100,
        }
    }

    /// Of a development network: the same rules in minutes.
    pub fn dev() -> Params {
        Params {
            epoch_ms: Millis(60_000),
            commit_age_ms: Millis(2_000),
            contest_ms: Millis(2_000),
            commit_life_ms: Millis(120_000),
            lock_grace_ms: Millis(2_000),
            stamp_period_ms: Millis(60_000),
            stamp_bits: 12,
            heartbeat_ms: Millis(5_000),
            inactive_ms: Millis(90_000),
            lease_ms: Millis(300_000),
            router_unbond_ms: Millis(120_000),
            term_ms_min: Millis(2_000),
            router_alive_ms: Millis(20_000),
            router_silent_ms: Millis(90_000),
            ..Params::network()
        }
    }
}
