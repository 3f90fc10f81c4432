//! The agent that says for members that they are there: a shell around the pure machine.
//!
//! Whoever signs up may name a node. From then on that node is heard of for the member, with
//! its own key and a stamp, so that nobody has to pay or to think of it.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ddt_contracts::zones::{Heartbeat, MemberRow, members_of_key};
use ddt_core::agents::due::{DUE_MAX, Due, DueAgent, DueConfig, Effect, Input, heartbeat_due};
use ddt_ledger::accounts::Duty;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ACCOUNT, KEY, Role, STAMP, STAMP_OLD, UNKNOWN_TAG};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::registry::Declared;
use ddt_ledger::stamp::{Period, StampWeight, Stamps};
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, params};
use ddt_ledger::{AccountId, Refusal};
use ddt_wallet::stamp::{Order, solve_on};

use super::core::{Core, now};
use super::duties::Duties;

const TICK: Duration = Duration::from_secs(1);
/// Longest work on one stamp; more than a minute's is nobody's to ask of a node.
const WORK_MAX: Duration = Duration::from_secs(60);
/// Members read at a time.
const PAGE: usize = 500;

/// The heartbeat agent of this node.
pub struct Heartbeats {
    core: Arc<Core>,
    duties: Arc<Duties>,
    agent: Mutex<DueAgent>,
}

impl Heartbeats {
    /// An agent that signs with this node's key.
    pub fn new(core: Arc<Core>, duties: Arc<Duties>) -> Result<Heartbeats, StoreFault> {
        let params = params(&core.book.snapshot()?);
        let config = DueConfig::heartbeats(&params, core.keys.node_public());
        Ok(Heartbeats { core, duties, agent: Mutex::new(DueAgent::new(config)) })
    }

    /// Runs until the runtime ends: a turn at each anchor, and once a second.
    pub async fn run(self: Arc<Self>) {
        let mut anchors = self.core.anchors.subscribe();
        loop {
            let _ = tokio::time::timeout(TICK, anchors.recv()).await;
            let heartbeats = self.clone();
            let turn = tokio::task::spawn_blocking(move || heartbeats.turn()).await;
            if let Ok(Err(fault)) = turn {
                tracing::error!("the heartbeat agent: {fault}");
            }
        }
    }

    fn turn(&self) -> Result<(), StoreFault> {
        let snapshot = self.core.book.snapshot()?;
        let head = Head::read(&snapshot);
        let params = params(&snapshot);
        let members = self.members(&snapshot);
        // A row that could not be read is not a row that is gone.
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        let Some(head) = head else { return Ok(()) };
        let due = |(account, member): &(AccountId, MemberRow)| Due {
            name: account.to_string(),
            due: heartbeat_due(member.seen, &params),
        };
        let due = members.iter().map(due).collect();
        let mut agent = self.agent.lock().unwrap_or_else(|error| error.into_inner());
        agent.set_config(DueConfig::heartbeats(&params, self.core.keys.node_public()));
        let input = Input::Anchor { time: head.time, clock: head.clock, due };
        let mut effects = agent.step(now(), input);
        // Work takes time, and an open snapshot keeps old pages of the book.
        drop(snapshot);
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Submit(name) => {
                        let result = self.submit(&name);
                        effects.extend(agent.step(now(), Input::Submitted { name, result }));
                    }
                    Effect::Alarm(words) => tracing::warn!("{words}"),
                }
            }
        }
        Ok(())
    }

    fn members(&self, snapshot: &Snapshot) -> Vec<(AccountId, MemberRow)> {
        let key = self.core.keys.node_public();
        let mut found = Vec::new();
        while found.len() < DUE_MAX {
            let after = found.last().map(|(account, _): &(AccountId, MemberRow)| *account);
            let page = members_of_key(snapshot, &key, after, PAGE);
            let is_last = page.len() < PAGE;
            found.extend(page);
            if is_last {
                break;
            }
        }
        found
    }

    fn submit(&self, name: &str) -> Result<(), Refusal> {
        let author: AccountId = name.parse().map_err(|_| ACCOUNT)?;
        let registry = self.core.book.registry();
        let row = registry.row_named(Heartbeat::NAME).ok_or(UNKNOWN_TAG)?;
        let (event_nonce, key) = (self.duties.next_nonce(), self.core.keys.node_public());
        let (period, bits) = self.wanted(&author)?;
        let order = Order {
            chain: self.core.book.chain(),
            author,
            key,
            tag: row.tag,
            event_nonce,
            period: period.number,
            beacon: period.beacon,
            bits,
        };
        // One core, and not for longer than it may take: whoever named this node asked nobody.
        let since = Instant::now();
        let stamp = solve_on(&order, 1, |_| match since.elapsed() < WORK_MAX {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        });
        let body = encode(&Heartbeat { stamp: Some(stamp.map_err(|_| STAMP)?) });
        self.duties.submit_for(author, event_nonce, Heartbeat::NAME, body)
    }

    /// What the stamp is made over, and its size; a refusal where it would be for nothing.
    fn wanted(&self, author: &AccountId) -> Result<(Period, u8), Refusal> {
        let snapshot = self.core.book.snapshot().map_err(|_| STAMP_OLD)?;
        let duty = Duty::read(&snapshot, author, &self.core.keys.node_public());
        if duty.is_none_or(|duty| duty.is_revoked || duty.role != Role::Node) {
            return Err(KEY);
        }
        let period = Stamps::read(&snapshot).ok_or(STAMP_OLD)?.now;
        let bits = period.bits_of(StampWeight::Light, &params(&snapshot));
        Ok((period, bits))
    }
}
