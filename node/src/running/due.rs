//! What nodes do for others when it is due: a shell around the pure machine.
//!
//! What is due stands in the state, so there is nothing to keep: a node that starts looks at
//! the ledger and goes on.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddt_core::agents::due::{Due, DueAgent, DueConfig, Effect, Input};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::params::Params;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, params};
use ddt_ledger::{PublicKey, Refusal};

use super::core::{Core, now};

const TICK: Duration = Duration::from_secs(1);

/// Something that nodes do for others when it is due.
pub trait Chore: Send + Sync + 'static {
    /// The machine's settings at these parameters, for the node with this key.
    fn config(params: &Params, key: PublicKey) -> DueConfig;

    /// Whether looking is worth it now.
    ///
    /// # Errors
    /// The store failed.
    fn is_authorised(&self) -> Result<bool, StoreFault> {
        Ok(true)
    }

    /// What is due in this state or soon, earliest first. A row that cannot be read is the
    /// snapshot's fault.
    fn due(&self, snapshot: &Snapshot, head: &Head) -> Vec<Due>;

    /// Does it: signs the event and hands it to the mempool. May take its time.
    ///
    /// # Errors
    /// What keeps the event out.
    fn submit(&self, name: &str) -> Result<(), Refusal>;
}

/// Does a chore at each anchor.
pub struct Worker<C> {
    core: Arc<Core>,
    chore: C,
    agent: Mutex<DueAgent>,
}

impl<C: Chore> Worker<C> {
    /// A worker that signs with this node's key.
    ///
    /// # Errors
    /// The store failed.
    pub fn new(core: Arc<Core>, chore: C) -> Result<Worker<C>, StoreFault> {
        let config = C::config(&params(&core.book.snapshot()?), core.keys.node_public());
        Ok(Worker { core, chore, agent: Mutex::new(DueAgent::new(config)) })
    }

    /// Runs until the runtime ends: a turn at each anchor, and once a second.
    pub async fn run(self: Arc<Self>) {
        let mut anchors = self.core.anchors.subscribe();
        loop {
            let _ = tokio::time::timeout(TICK, anchors.recv()).await;
            let worker = self.clone();
            let turn = tokio::task::spawn_blocking(move || worker.turn()).await;
            if let Ok(Err(fault)) = turn {
                tracing::error!("an agent of this node: {fault}");
            }
        }
    }

    fn turn(&self) -> Result<(), StoreFault> {
        if !self.chore.is_authorised()? {
            return Ok(());
        }
        let snapshot = self.core.book.snapshot()?;
        let head = Head::read(&snapshot);
        let due = head.as_ref().map(|head| self.chore.due(&snapshot, head)).unwrap_or_default();
        let config = C::config(&params(&snapshot), self.core.keys.node_public());
        // A row that could not be read is not a row that is gone.
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        // The work may take time, and an open snapshot keeps old pages of the book.
        drop(snapshot);
        let Some(head) = head else { return Ok(()) };
        let mut agent = self.agent.lock().unwrap_or_else(|error| error.into_inner());
        agent.set_config(config);
        let input = Input::Anchor { time: head.time, clock: head.clock, due };
        let mut effects = agent.step(now(), input);
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                if self.core.is_stopping.load(Ordering::Relaxed) {
                    return Ok(());
                }
                match effect {
                    Effect::Submit(name) => {
                        let result = self.chore.submit(&name);
                        effects.extend(agent.step(now(), Input::Submitted { name, result }));
                    }
                    Effect::Alarm(words) => tracing::warn!("{words}"),
                }
            }
        }
        Ok(())
    }
}
