//! The agent that makes prepaid renewals of domains: a shell around the pure machine.
//!
//! What is due stands in the state, so there is nothing to keep: a node that starts looks at
//! the ledger and goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddt_core::agents::due::{DUE_MAX, Due, DueAgent, DueConfig, Effect, Input};
use ddt_ledger::admit::context_at;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::schema::{Field, Fields, Value};
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, params};
use ddt_ledger::view::{PAGE_ROWS_MAX, Page};
use ddt_ledger::{Amount, Millis, Refusal};

use super::core::{Core, now};
use super::duties::Duties;

/// The view that lists prepaid renewals by due time.
const VIEW: &str = "domains.renewals_due";
/// The event that makes one.
const EVENT: &str = "domains.renew_prepaid";
const TICK: Duration = Duration::from_secs(1);

/// The renewal agent of this node.
pub struct Renewals {
    core: Arc<Core>,
    duties: Arc<Duties>,
    agent: Mutex<DueAgent>,
}

impl Renewals {
    /// An agent that signs with this node's key.
    pub fn new(core: Arc<Core>, duties: Arc<Duties>) -> Result<Renewals, StoreFault> {
        let config = DueConfig::renewals(&params(&core.book.snapshot()?), core.keys.node_public());
        Ok(Renewals { core, duties, agent: Mutex::new(DueAgent::new(config)) })
    }

    /// Runs until the runtime ends: a turn at each anchor, and once a second.
    pub async fn run(self: Arc<Self>) {
        let mut anchors = self.core.anchors.subscribe();
        loop {
            let _ = tokio::time::timeout(TICK, anchors.recv()).await;
            let renewals = self.clone();
            let turn = tokio::task::spawn_blocking(move || renewals.turn()).await;
            if let Ok(Err(fault)) = turn {
                tracing::error!("the renewal agent: {fault}");
            }
        }
    }

    fn turn(&self) -> Result<(), StoreFault> {
        // Whoever may not sign need not look.
        if !self.duties.is_authorised()? {
            return Ok(());
        }
        let snapshot = self.core.book.snapshot()?;
        let head = Head::read(&snapshot);
        let due = head.as_ref().map(|head| due(&self.core, &snapshot, head)).unwrap_or_default();
        let config = DueConfig::renewals(&params(&snapshot), self.core.keys.node_public());
        // A row that could not be read is not a row that is gone.
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        let Some(head) = head else { return Ok(()) };
        let mut agent = self.agent.lock().unwrap_or_else(|error| error.into_inner());
        agent.set_config(config);
        let input = Input::Anchor { time: head.time, clock: head.clock, due };
        let mut effects = agent.step(now(), input);
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

    fn submit(&self, name: &str) -> Result<(), Refusal> {
        let row = self.core.book.registry().row_named(EVENT);
        let row = row.ok_or(ddt_ledger::event::UNKNOWN_TAG)?;
        let values = [("name".to_string(), Value::Text(name.to_string()))].into();
        let body = (row.build)(&values).map_err(|error| error.refusal)?;
        self.duties.submit(EVENT, body)
    }
}

/// The prepaid renewals in the state, earliest first.
fn due(core: &Core, snapshot: &Snapshot, head: &Head) -> Vec<Due> {
    let Some(view) = core.book.registry().view(VIEW) else { return Vec::new() };
    let cx = context_at(snapshot, head);
    let mut found: Vec<Due> = Vec::new();
    let mut page = Page::first(PAGE_ROWS_MAX);
    while found.len() < DUE_MAX {
        let Ok(answer) = (view.run)(&Default::default(), &cx, snapshot, &page) else { break };
        let rows: Vec<(Due, bool)> = answer.rows.iter().filter_map(renewal).collect();
        // By due time: what comes after one that is not due is not due, either.
        let is_late = rows.last().is_some_and(|(last, _)| last.due > soon(head));
        found.extend(rows.into_iter().filter(|(_, can_be_paid)| *can_be_paid).map(|(row, _)| row));
        page.after = answer.next.filter(|_| !is_late);
        if page.after.is_none() {
            break;
        }
    }
    found
}

/// Up to when the machine's guesses of the clock may reach.
fn soon(head: &Head) -> Millis {
    head.clock.plus(Millis(60_000))
}

/// What a row says, and whether the renewal can be paid: an owner who put too little aside is
/// no reason for this node to try.
fn renewal(row: &Fields) -> Option<(Due, bool)> {
    let [(_, renewal)] = row.as_slice() else { return None };
    let values = renewal.group().ok()?;
    let amount = |name: &str| <Amount as Field>::read(values.get(name)?).ok();
    let (price, cap, balance) = (amount("price")?, amount("price_max")?, amount("balance")?);
    match (values.get("name")?, values.get("due")?) {
        (Value::Text(name), Value::Time(due)) => {
            let renewal = Due { name: name.clone(), due: *due };
            Some((renewal, price <= cap && price <= balance))
        }
        _ => None,
    }
}
