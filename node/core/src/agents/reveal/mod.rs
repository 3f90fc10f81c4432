//! The reveal agent: submits the reveals of domain commits when they are old enough.
//!
//! A commit gives its owner's authority; whoever knows its preimage may reveal it. So a node
//! can do it with its own key, while the wallet is long closed. Tasks are kept by the shell
//! and outlive restarts; whether a commit is there, the ledger says.

mod machine;

use std::collections::BTreeMap;

use ddt_ledger::borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::params::Params;
use ddt_ledger::{AccountId, Hash, Millis, Refusal};

use machine::{Anchor, Entry};

/// Most tasks at a time.
pub const TASKS_MAX: usize = 10_000;
/// Most reveals in flight: fewer than the nonces that the ledger remembers of a node key.
pub const IN_FLIGHT_MAX: usize = 16;
/// Longest name of a task, in bytes.
pub const NAME_BYTES_MAX: usize = 63;
/// After the first attempt failed, the next waits this long; then twice as long each time.
pub const RETRY_MS: Millis = Millis(1_000);
/// Longest wait between attempts.
pub const RETRY_MS_MAX: Millis = Millis(60_000);
/// An attempt that was accepted, or of which nothing was heard, is repeated after this long
/// if the commit is still there.
pub const SETTLE_MS: Millis = Millis(30_000);
/// How far this node's clock may run ahead of the network's without revealing too early.
pub const SKEW_MS: Millis = Millis(1_000);
/// A commit that did not appear is given up this long after it would have expired.
pub const MARGIN_MS: Millis = Millis(600_000);
/// Attempts refused in a row after which people are told.
pub const ALARM_ATTEMPTS: u32 = 5;

ddt_ledger::refusals! {
    FULL = "reveals.full",
        "This node has 10,000 reveals to do; reveal yourself or ask another node.";
    NAME = "reveals.name", "A domain's name has 1 to 63 bytes.";
    OTHER_TASK = "reveals.other_task",
        "This node waits to reveal that commit with another preimage; check owner, name and salt.";
    TOO_LATE = "reveals.too_late", "The commit expired long ago; make a new one.";
}

/// A commit to reveal. The shell has checked that the commit is this preimage's hash.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(crate = "ddt_ledger::borsh")]
pub struct Task {
    /// For whom the reveal buys.
    pub owner: AccountId,
    /// The domain's name. Secret until the reveal: never in a log.
    pub name: String,
    /// The term.
    pub years: u8,
    /// The commit's salt.
    pub salt: Hash,
    /// The commit's hash.
    pub commit: Hash,
    /// When the task was made.
    pub created: Millis,
}

/// The row of a commit in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitFacts {
    /// The anchor of the commit.
    pub height: u64,
    /// Its epoch clock.
    pub clock: Millis,
    /// When it is refunded, on the epoch clock.
    pub expires: Millis,
}

/// The rules of the network that the agent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevealConfig {
    /// Age from which a commit may be revealed, on the epoch clock.
    pub commit_age_ms: Millis,
    /// And after this many further anchors.
    pub commit_age_anchors: u64,
    /// How long a commit lives.
    pub commit_life_ms: Millis,
    /// The epoch clock advances at most this much per anchor.
    pub clock_step_ms_max: Millis,
    /// Most tasks; [`TASKS_MAX`] on a network.
    pub tasks_max: usize,
}

impl RevealConfig {
    /// By the parameters in force.
    pub fn of(params: &Params) -> RevealConfig {
        RevealConfig {
            commit_age_ms: params.commit_age_ms,
            commit_age_anchors: params.commit_age_anchors,
            commit_life_ms: params.commit_life_ms,
            clock_step_ms_max: params.clock_step_ms_max,
            tasks_max: TASKS_MAX,
        }
    }
}

/// What happens to the agent.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody asks for a reveal.
    Task(Task),
    /// An anchor was executed.
    Anchor {
        /// The anchor.
        height: u64,
        /// Its time.
        time: Millis,
        /// Its epoch clock.
        clock: Millis,
        /// For each task's commit, its row in the state after the anchor, if there is one.
        facts: Vec<(Hash, Option<CommitFacts>)>,
    },
    /// What became of an [`Effect::Submit`]: `Ok` once it is sequenced or waits for it. The
    /// shell should ask the ledger's admission for its forecast first: a reveal that is
    /// sequenced and refused costs a fee.
    Submitted {
        /// Of which commit.
        commit: Hash,
        /// Whether the network took it.
        result: Result<(), Refusal>,
    },
    /// Time has passed; about once a second.
    Tick,
}

/// What the shell must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Keep the task durably.
    StoreTask(Task),
    /// Tell who asked that the task is taken; only after it is kept.
    Accepted(Hash),
    /// Tell who asked that it is not.
    Refused(Hash, Refusal),
    /// Forget the task.
    DropTask(Hash, Ended),
    /// Build, sign and submit the reveal; then [`Input::Submitted`].
    Submit {
        /// Of what.
        task: Task,
    },
    /// People should know.
    Alarm(String),
}

/// Why a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The commit was there and is gone: revealed, or expired and refunded.
    Gone,
    /// No commit appeared in the time in which it could have.
    NeverSeen,
}

/// The machine that reveals.
#[derive(Debug)]
pub struct RevealAgent {
    config: RevealConfig,
    entries: BTreeMap<Hash, Entry>,
    anchor: Option<Anchor>,
}

impl RevealAgent {
    /// An agent with the tasks that the shell has kept.
    pub fn new(config: RevealConfig, tasks: Vec<Task>) -> RevealAgent {
        let entries = tasks.into_iter().map(|task| (task.commit, Entry::new(task)));
        RevealAgent { config, entries: entries.collect(), anchor: None }
    }

    /// The tasks, by commit: for whose rows the shell must look at each anchor.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.entries.values().map(|entry| &entry.task)
    }

    /// Follows a change of the parameters.
    pub fn set_config(&mut self, config: RevealConfig) {
        self.config = config;
    }
}
