//! The renewal agent: submits prepaid renewals of domains when they are due.
//!
//! An owner who prepaid a renewal has allowed it beforehand, so anybody may submit it, and a
//! node does, with its own key. What is due stands in the state: the agent keeps nothing, and
//! begins anew after a restart. Every node has the same duty, so each waits for a turn of its
//! own first; whoever is early spares the others the event.

mod machine;

use std::collections::BTreeMap;

use ddt_ledger::params::Params;
use ddt_ledger::{Millis, PublicKey, Refusal};

use machine::{Anchor, Entry};

/// Most due renewals looked at; the rest, due later, waits until these are done.
pub const DUE_MAX: usize = 10_000;
/// Most renewals in flight. With the reveals' this stays below the nonces that the ledger
/// remembers of a node key.
pub const IN_FLIGHT_MAX: usize = 8;
/// After the first refusal the next attempt waits this long; then twice as long each time.
pub const RETRY_MS: Millis = Millis(1_000);
/// Longest wait between attempts.
pub const RETRY_MS_MAX: Millis = Millis(600_000);
/// An attempt that was accepted, or of which nothing was heard, is repeated after this long
/// if the renewal is still due.
pub const SETTLE_MS: Millis = Millis(30_000);
/// How far this node's clock may run ahead of the network's without submitting too early.
pub const SKEW_MS: Millis = Millis(1_000);
/// Nodes spread over at most this long after a renewal is due; see [`RenewConfig::of`].
pub const SPREAD_MS_MAX: Millis = Millis(600_000);
/// Attempts refused in a row after which people are told.
pub const ALARM_ATTEMPTS: u32 = 5;

/// A prepaid renewal, as the state has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The domain's name.
    pub name: String,
    /// From when it may be made, on the epoch clock.
    pub due: Millis,
}

/// Who the node is, and the rules of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewConfig {
    /// The node's key: with the name it decides about the node's turn.
    pub node: PublicKey,
    /// Nodes spread over this long.
    pub spread_ms: Millis,
    /// The epoch clock advances at most this much per anchor.
    pub clock_step_ms_max: Millis,
}

impl RenewConfig {
    /// By the parameters in force: a quarter of the time in which renewals may be made, at
    /// most [`SPREAD_MS_MAX`].
    pub fn of(params: &Params, node: PublicKey) -> RenewConfig {
        let quarter = params.domain_renewal_ms.0.checked_div(4).unwrap_or_default();
        RenewConfig {
            node,
            spread_ms: Millis(quarter).min(SPREAD_MS_MAX),
            clock_step_ms_max: params.clock_step_ms_max,
        }
    }
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
        /// The prepaid renewals in the state after it, by due time, at most [`DUE_MAX`].
        due: Vec<Renewal>,
    },
    /// What became of an [`Effect::Submit`]: `Ok` once it is sequenced or waits for it. The
    /// shell asks the ledger's admission for its forecast first: a renewal that is sequenced
    /// and refused costs a fee.
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
    /// Build, sign and submit the renewal of this name; then [`Input::Submitted`].
    Submit(String),
    /// People should know.
    Alarm(String),
}

/// The machine that renews.
#[derive(Debug)]
pub struct RenewAgent {
    config: RenewConfig,
    entries: BTreeMap<String, Entry>,
    anchor: Option<Anchor>,
}

impl RenewAgent {
    /// An agent that has heard of nothing yet.
    pub fn new(config: RenewConfig) -> RenewAgent {
        RenewAgent { config, entries: BTreeMap::new(), anchor: None }
    }

    /// Follows a change of the parameters.
    pub fn set_config(&mut self, config: RenewConfig) {
        self.config = config;
    }

    /// How many prepaid renewals it knows of.
    pub fn known(&self) -> usize {
        self.entries.len()
    }
}
