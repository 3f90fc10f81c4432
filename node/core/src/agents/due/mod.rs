//! The agent of what is due: submits, for each name in the state, an event whose time has come.
//!
//! It makes prepaid renewals of domains and says for members that they are there. What is due
//! stands in the state: the agent keeps nothing, and begins anew after a restart. Where every
//! node has the same duty, each waits for a turn of its own first; whoever is early spares the
//! others the event.

mod machine;

use std::collections::BTreeMap;

use ddt_ledger::params::Params;
use ddt_ledger::{Millis, PublicKey, Refusal};

use machine::{Anchor, Entry};

/// Most names looked at; the rest, due later, waits until these are done.
pub const DUE_MAX: usize = 10_000;
/// Most events in flight. With those of the other agents this stays below the nonces that the
/// ledger remembers of a node key.
pub const IN_FLIGHT_MAX: usize = 8;
/// After the first refusal the next attempt waits this long; then twice as long each time.
pub const RETRY_MS: Millis = Millis(1_000);
/// Longest wait between attempts.
pub const RETRY_MS_MAX: Millis = Millis(600_000);
/// An attempt that was accepted, or of which nothing was heard, is repeated after this long
/// if it is still due.
pub const SETTLE_MS: Millis = Millis(30_000);
/// How far this node's clock may run ahead of the network's without submitting too early.
pub const SKEW_MS: Millis = Millis(1_000);
/// Nodes spread over at most this long after something is due; see [`DueConfig::renewals`].
pub const SPREAD_MS_MAX: Millis = Millis(600_000);
/// Attempts refused in a row after which people are told.
pub const ALARM_ATTEMPTS: u32 = 5;

/// Something that will be due, as the state has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The domain's name, or the member's account.
    pub name: String,
    /// From when on the epoch clock.
    pub due: Millis,
}

/// Who the node is, and the rules of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueConfig {
    /// What is due, in alarms.
    pub what: &'static str,
    /// The node's key: with the name it decides about the node's turn.
    pub node: PublicKey,
    /// Nodes spread over this long.
    pub spread_ms: Millis,
    /// The epoch clock advances at most this much per anchor.
    pub clock_step_ms_max: Millis,
}

impl DueConfig {
    /// Prepaid renewals of domains, which every node may make: spread over a quarter of the
    /// time in which they may be made, at most [`SPREAD_MS_MAX`].
    pub fn renewals(params: &Params, node: PublicKey) -> DueConfig {
        let quarter = params.domain_renewal_ms.0.checked_div(4).unwrap_or_default();
        DueConfig {
            what: "the prepaid renewal",
            node,
            spread_ms: Millis(quarter).min(SPREAD_MS_MAX),
            clock_step_ms_max: params.clock_step_ms_max,
        }
    }

    /// Heartbeats of members that named this node: nobody else's duty.
    pub fn heartbeats(params: &Params, node: PublicKey) -> DueConfig {
        DueConfig {
            what: "the heartbeat",
            node,
            spread_ms: Millis(0),
            clock_step_ms_max: params.clock_step_ms_max,
        }
    }
}

/// When a member that was seen last at `seen` should be heard of again: three times before it
/// would be inactive, and no earlier than it may.
pub fn heartbeat_due(seen: Millis, params: &Params) -> Millis {
    let third = params.inactive_ms.0.checked_div(3).unwrap_or_default();
    seen.plus(Millis(third).max(params.heartbeat_ms))
}

/// What happens to the agent.
#[derive(Clone, Debug)]
pub enum Input {
    /// An anchor was executed.
    Anchor {
        /// Its time.
        time: Millis,
        /// Its epoch clock.
        clock: Millis,
        /// What the state after it has, by due time, at most [`DUE_MAX`].
        due: Vec<Due>,
    },
    /// What became of an [`Effect::Submit`]: `Ok` once it is sequenced or waits for it. The
    /// shell asks the ledger's admission for its forecast first: an event that is sequenced and
    /// refused costs a fee.
    Submitted {
        /// Of which name.
        name: String,
        /// Whether the network took it.
        result: Result<(), Refusal>,
    },
    /// Time has passed; about once a second.
    Tick,
}

/// What the shell must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Build, sign and submit the event for this name; then [`Input::Submitted`].
    Submit(String),
    /// People should know.
    Alarm(String),
}

/// The machine.
#[derive(Debug)]
pub struct DueAgent {
    config: DueConfig,
    entries: BTreeMap<String, Entry>,
    anchor: Option<Anchor>,
}

impl DueAgent {
    /// An agent that has heard of nothing yet.
    pub fn new(config: DueConfig) -> DueAgent {
        DueAgent { config, entries: BTreeMap::new(), anchor: None }
    }

    /// Follows a change of the parameters.
    pub fn set_config(&mut self, config: DueConfig) {
        self.config = config;
    }

    /// How many names it knows of.
    pub fn known(&self) -> usize {
        self.entries.len()
    }
}
