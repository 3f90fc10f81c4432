//! Parameters of the network, kept in the state so that they can change at a height.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::ids::Millis;

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
}

impl Params {
    /// Of a public network.
    pub fn network() -> Params {
        Params {
            epoch_ms: Millis(24 * 3_600_000),
            clock_step_ms_max: Millis(20_000),
            anchor_idle_ms: Millis(10_000),
            anchor_bytes_max: 16 * 1024 * 1024,
            anchor_work_max: 20_000,
            anchor_deadlines_max: 1_000,
            commit_age_ms: Millis(60_000),
            commit_age_anchors: 2,
            contest_ms: Millis(600_000),
            contest_anchors: 2,
            commit_life_ms: Millis(24 * 3_600_000),
            domain_year_ms: Millis(365 * 24 * 3_600_000),
            domain_grace_ms: Millis(30 * 24 * 3_600_000),
        }
    }

    /// Of a development network: the same rules in minutes.
    pub fn dev() -> Params {
        Params {
            epoch_ms: Millis(60_000),
            commit_age_ms: Millis(2_000),
            contest_ms: Millis(2_000),
            commit_life_ms: Millis(120_000),
            ..Params::network()
        }
    }
}
