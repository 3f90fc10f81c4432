//! The agent that finishes purchases of domains: a shell around the pure machine.
//!
//! Whoever commits to a domain hands the preimage to the node. From then on the purchase
//! finishes whatever becomes of the command that began it: tasks are on disk, and the node
//! signs reveals with its own hot key, which moves nobody's coins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ddt_api::SubmitError;
use ddt_contracts::domains::{DomainName, Reveal, commit_hash, read_commit};
use ddt_core::agents::reveal::{CommitFacts, Effect, Input, RevealAgent, RevealConfig, Task};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::fault::{FaultKind, StoreFault};
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Field, Shape, Value};
use ddt_ledger::store::{Backend, begin_write, open_file};
use ddt_ledger::system::params;
use ddt_ledger::{Hash, Refusal};
use redb::{Database, ReadableTable, TableDefinition};
use serde_json::{Value as Json, json};

use super::core::{Core, now};
use super::duties::Duties;
use crate::failure::Failure;

/// The agent's tasks, in `agents.redb`.
pub const TASKS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("reveals");
const TASK_BYTES_MAX: usize = 1_024;
const TICK: Duration = Duration::from_secs(1);

/// The reveal agent of this node.
pub struct Reveals {
    core: Arc<Core>,
    store: Database,
    agent: Mutex<RevealAgent>,
    duties: Arc<Duties>,
}

fn fault(error: impl Into<redb::Error>) -> StoreFault {
    StoreFault::new(FaultKind::Disk, format!("the agents' store: {}", error.into()))
}

impl Reveals {
    /// Opens the agent's store in the data folder and takes its tasks up again.
    pub fn open(
        folder: &Path,
        core: Arc<Core>,
        duties: Arc<Duties>,
    ) -> Result<Reveals, StoreFault> {
        let file = Backend::File(folder.join("agents.redb"));
        let store = open_file(file, core.book.chain())?;
        let write = begin_write(&store)?;
        let tasks = {
            let table = write.open_table(TASKS).map_err(fault)?;
            let mut tasks: Vec<Task> = Vec::new();
            for entry in table.iter().map_err(fault)? {
                let (_, bytes) = entry.map_err(fault)?;
                tasks.push(decode(bytes.value(), TASK_BYTES_MAX).map_err(StoreFault::damaged)?);
            }
            tasks
        };
        write.commit().map_err(fault)?;
        let config = RevealConfig::of(&params(&core.book.snapshot()?));
        let agent = Mutex::new(RevealAgent::new(config, tasks));
        Ok(Reveals { core, store, agent, duties })
    }

    fn agent(&self) -> MutexGuard<'_, RevealAgent> {
        self.agent.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Runs until the runtime ends: a turn at each anchor, and once a second.
    pub async fn run(self: Arc<Self>) {
        let mut anchors = self.core.anchors.subscribe();
        loop {
            let _ = tokio::time::timeout(TICK, anchors.recv()).await;
            let reveals = self.clone();
            let turn = tokio::task::spawn_blocking(move || reveals.turn()).await;
            if let Ok(Err(fault)) = turn {
                tracing::error!("the reveal agent: {fault}");
            }
        }
    }

    fn turn(&self) -> Result<(), StoreFault> {
        let snapshot = self.core.book.snapshot()?;
        let mut agent = self.agent();
        let facts: Vec<(Hash, Option<CommitFacts>)> = agent
            .tasks()
            .map(|task| {
                let row = read_commit(&snapshot, &task.owner, &task.commit);
                let facts = row.map(|row| CommitFacts {
                    height: row.order.height,
                    clock: row.clock,
                    expires: row.expires,
                });
                (task.commit, facts)
            })
            .collect();
        let head = ddt_ledger::system::Head::read(&snapshot);
        // A row that could not be read is not a row that is gone.
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        let Some(head) = head else { return Ok(()) };
        let input =
            Input::Anchor { height: head.height, time: head.time, clock: head.clock, facts };
        let mut effects = agent.step(now(), input);
        effects.extend(agent.step(now(), Input::Tick));
        self.perform(&mut agent, effects)?;
        Ok(())
    }

    /// Does what the machine says; answers what became of a task just taken.
    fn perform(
        &self,
        agent: &mut RevealAgent,
        mut effects: Vec<Effect>,
    ) -> Result<Option<Result<(), Refusal>>, StoreFault> {
        let mut taken = None;
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::StoreTask(task) => self.keep(&task)?,
                    Effect::DropTask(commit, why) => {
                        tracing::info!("the reveal of commit {commit} has ended: {why:?}");
                        self.forget(&commit)?;
                    }
                    Effect::Accepted(_) => taken = Some(Ok(())),
                    Effect::Refused(_, refusal) => taken = Some(Err(refusal)),
                    Effect::Submit { task } => {
                        let (commit, result) = (task.commit, self.submit(&task));
                        effects.extend(agent.step(now(), Input::Submitted { commit, result }));
                    }
                    Effect::Alarm(words) => tracing::warn!("{words}"),
                }
            }
        }
        Ok(taken)
    }

    fn keep(&self, task: &Task) -> Result<(), StoreFault> {
        let write = begin_write(&self.store)?;
        {
            let mut table = write.open_table(TASKS).map_err(fault)?;
            table.insert(&task.commit.0, encode(task).as_slice()).map_err(fault)?;
        }
        write.commit().map_err(fault)
    }

    fn forget(&self, commit: &Hash) -> Result<(), StoreFault> {
        let write = begin_write(&self.store)?;
        write.open_table(TASKS).map_err(fault)?.remove(&commit.0).map_err(fault)?;
        write.commit().map_err(fault)
    }

    fn submit(&self, task: &Task) -> Result<(), Refusal> {
        let name = DomainName::new(&task.name)?;
        let body = Reveal { owner: task.owner, name, years: task.years, salt: task.salt };
        self.duties.submit(Reveal::NAME, encode(&body))
    }

    /// Takes a preimage over; it is on disk before this answers.
    pub fn take(&self, preimage: &Json) -> Result<Json, SubmitError> {
        let body = read_preimage(preimage)?;
        let commit = commit_hash(&body.owner, &body.name, body.years, &body.salt);
        let task = Task {
            owner: body.owner,
            name: body.name.to_string(),
            years: body.years,
            salt: body.salt,
            commit,
            created: now(),
        };
        if !self.duties.is_authorised().map_err(|fault| SubmitError::Fault(fault.to_string()))? {
            let words = "no account has authorised this node's key: reveal with the wallet";
            return Err(SubmitError::Busy(words.to_string()));
        }
        let mut agent = self.agent();
        let effects = agent.step(now(), Input::Task(task));
        let taken = self.perform(&mut agent, effects);
        let taken = taken.map_err(|fault| {
            // The machine has the task and the disk has not: it must not say so again.
            self.core.end(Failure::from(fault.clone()));
            SubmitError::Fault(fault.to_string())
        });
        match taken? {
            Some(Err(refusal)) => Err(SubmitError::Refused(refusal)),
            _ => Ok(json!({ "commit": commit })),
        }
    }

    /// The store of tasks.
    pub fn store(&self) -> &Database {
        &self.store
    }

    /// How many reveals are still to be made.
    pub fn count(&self) -> usize {
        self.agent().tasks().count()
    }

    /// The reveals that are still to be made.
    pub fn list(&self) -> Vec<Json> {
        let shown = |task: &Task| {
            json!({
                "commit": task.commit,
                "owner": task.owner,
                "name": task.name,
                "years": task.years,
                "created": task.created,
            })
        };
        self.agent().tasks().map(shown).collect()
    }
}

/// Reads `{owner, name, years, salt}`, naming the field that is wrong.
fn read_preimage(json: &Json) -> Result<Reveal, SubmitError> {
    let field = |error: ddt_ledger::schema::FieldError| SubmitError::Field {
        field: error.field.clone(),
        words: error.refusal.words.to_string(),
    };
    let group = Value::from_json(&<Reveal as Field>::KIND, json).map_err(field)?;
    let values: BTreeMap<String, Value> = group.group().map_err(field)?;
    let reveal = <Reveal as Shape>::read(&values).map_err(field)?;
    ddt_ledger::registry::Event::check(&reveal).map_err(SubmitError::Refused)?;
    Ok(reveal)
}
