//! The shell around the reveal agent: its tasks on a disk of their own; and what all agents
//! sign with the node's hot key.

use ddt_contracts::REGISTRY;
use ddt_contracts::domains::{DomainName, Reveal, read_commit};
use ddt_core::agents::reveal::{CommitFacts, Effect, Input, NAME, RevealAgent, RevealConfig, Task};
use ddt_core::sequencer;
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::{Checked, Draft, EVENT_VERSION, Role, TOO_LONG, UNKNOWN_TAG};
use ddt_ledger::fault::{FaultKind, StoreFault};
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::Bytes;
use ddt_ledger::store::{begin_write, open_file};
use ddt_ledger::system::{Head, params};
use ddt_ledger::{AccountId, ChainId, Hash, Millis, Refusal};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::disk::Disk;
use crate::facts::{Fact, Out};
use crate::message::{Answer, Endpoint, Message};
use crate::router::{Machine, Router};

const TASKS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("reveals");
const TASK_BYTES_MAX: usize = 1_024;
const TICK_MS: Millis = Millis(1_000);
const VALIDITY_MS: Millis = Millis(600_000);

/// The agent and its tasks.
pub struct Agent {
    machine: RevealAgent,
    store: Database,
    nonce: u64,
}

fn fault(error: impl Into<redb::Error>) -> StoreFault {
    match error.into() {
        redb::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => {
            StoreFault::new(FaultKind::Full, io.to_string())
        }
        error => StoreFault::new(FaultKind::Disk, error.to_string()),
    }
}

impl Agent {
    /// Takes up the tasks on the disk.
    pub fn open(disk: &Disk, chain: ChainId, config: RevealConfig) -> Result<Agent, StoreFault> {
        let store = open_file(disk.backend(), chain)?;
        let write = begin_write(&store)?;
        write.open_table(TASKS).map_err(fault)?;
        write.commit().map_err(fault)?;
        let mut tasks = Vec::new();
        {
            let read = store.begin_read().map_err(fault)?;
            let table = read.open_table(TASKS).map_err(fault)?;
            for entry in table.iter().map_err(fault)? {
                let bytes = entry.map_err(fault)?.1;
                tasks.push(decode(bytes.value(), TASK_BYTES_MAX).map_err(StoreFault::damaged)?);
            }
        }
        Ok(Agent { machine: RevealAgent::new(config, tasks), store, nonce: 0 })
    }

    /// Whether it has this commit's task.
    pub fn has(&self, commit: &Hash) -> bool {
        self.machine.tasks().any(|task| task.commit == *commit)
    }

    fn write(&self, commit: &Hash, task: Option<&Task>) -> Result<(), StoreFault> {
        let write = begin_write(&self.store)?;
        {
            let mut table = write.open_table(TASKS).map_err(fault)?;
            match task {
                Some(task) => {
                    table.insert(&commit.0, encode(task).as_slice()).map_err(fault)?;
                }
                None => drop(table.remove(&commit.0).map_err(fault)?),
            }
        }
        write.commit().map_err(fault)
    }
}

impl Router {
    /// A client hands a preimage over.
    pub(crate) fn take_task(
        &mut self,
        now: Millis,
        client: Endpoint,
        task: Task,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let (commit, effects) = (task.commit, self.agent.machine.step(now, Input::Task(task)));
        let is_taken = effects.iter().any(|effect| matches!(effect, Effect::Accepted(_)));
        self.duties(now, effects, out)?;
        if is_taken {
            out.push(Out::Fact(Fact::TaskTaken(commit)));
            out.push(Out::Send(client, Message::Reply { event: commit, answer: Answer::Taken }));
        }
        Ok(())
    }

    /// The agent looks at the state, and at the time.
    pub(crate) fn agent_turn(&mut self, now: Millis, out: &mut Vec<Out>) -> Result<(), StoreFault> {
        let snapshot = self.book.snapshot()?;
        let facts = |task: &Task| {
            let row = read_commit(&snapshot, &task.owner, &task.commit);
            let facts = row.map(|row| CommitFacts {
                height: row.order.height,
                clock: row.clock,
                expires: row.expires,
            });
            (task.commit, facts)
        };
        let facts = self.agent.machine.tasks().map(facts).collect();
        let head = Head::read(&snapshot);
        self.agent.machine.set_config(RevealConfig::of(&params(&snapshot)));
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        drop(snapshot);
        if let Some(Head { height, time, clock, .. }) = head {
            let input = Input::Anchor { height, time, clock, facts };
            let effects = self.agent.machine.step(now, input);
            self.duties(now, effects, out)?;
        }
        self.chores_turn(now, out)?;
        self.wake(Machine::Agent, now, now.plus(TICK_MS), out);
        Ok(())
    }

    fn duties(
        &mut self,
        now: Millis,
        mut effects: Vec<Effect>,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::StoreTask(task) => self.agent.write(&task.commit, Some(&task))?,
                    Effect::DropTask(commit, _) => {
                        out.push(Out::Fact(Fact::TaskEnded(commit)));
                        self.agent.write(&commit, None)?;
                    }
                    Effect::Submit { task } => {
                        let (commit, result) = (task.commit, self.reveal(now, &task, out)?);
                        let input = Input::Submitted { commit, result };
                        effects.extend(self.agent.machine.step(now, input));
                    }
                    Effect::Accepted(_) | Effect::Refused(..) | Effect::Alarm(_) => {}
                }
            }
        }
        Ok(())
    }

    fn reveal(
        &mut self,
        now: Millis,
        task: &Task,
        out: &mut Vec<Out>,
    ) -> Result<Result<(), Refusal>, StoreFault> {
        let Ok(name) = DomainName::new(&task.name) else { return Ok(Err(NAME)) };
        let body = Reveal { owner: task.owner, name, years: task.years, salt: task.salt };
        let author = self.town.keys[self.number].person.id();
        match self.duty(now, author, Reveal::NAME, encode(&body)) {
            Ok(draft) => self.do_duty(now, draft, out),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// An event of this node's key for an account that authorised it. All agents share the
    /// key's nonces.
    pub(crate) fn duty(
        &mut self,
        now: Millis,
        author: AccountId,
        event: &str,
        body: Vec<u8>,
    ) -> Result<Draft, Refusal> {
        self.agent.nonce = (now.0 * 1_000).max(self.agent.nonce + 1);
        Ok(Draft {
            version: EVENT_VERSION,
            chain: self.town.chain,
            author,
            key: self.town.node_keys[self.number].key(),
            role: Role::Node,
            nonce: self.agent.nonce,
            valid_until: now.plus(VALIDITY_MS),
            tag: REGISTRY.row_named(event).ok_or(UNKNOWN_TAG)?.tag,
            body: Bytes::new(body).ok_or(TOO_LONG)?,
        })
    }

    /// Signs an event and sequences it, unless admission expects a refusal.
    pub(crate) fn do_duty(
        &mut self,
        now: Millis,
        draft: Draft,
        out: &mut Vec<Out>,
    ) -> Result<Result<(), Refusal>, StoreFault> {
        let bytes = self.town.node_keys[self.number].seal(draft);
        let event = match Checked::check(&bytes, self.town.chain, &REGISTRY) {
            Ok(event) => event,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let snapshot = self.book.snapshot()?;
        let refusal = match admit(&REGISTRY, &snapshot, &event, now)? {
            Admission::Void(refusal) | Admission::Admitted { forecast: Err(refusal), .. } => {
                refusal
            }
            Admission::Admitted { .. } => {
                self.lane(now, sequencer::Input::Event(event, 0), out)?;
                return Ok(Ok(()));
            }
        };
        Ok(Err(refusal))
    }
}
