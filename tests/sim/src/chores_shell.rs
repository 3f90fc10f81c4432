//! The shell around the agents of what is due: prepaid renewals of names, and heartbeats of
//! members that named this router's node.

use ddt_contracts::REGISTRY;
use ddt_contracts::domains::{DomainName, RenewPrepaid};
use ddt_contracts::zones::{Heartbeat, MemberRow, members_of_key};
use ddt_core::agents::due::{DUE_MAX, Due, DueAgent, DueConfig, Effect, Input, heartbeat_due};
use ddt_ledger::admit::context_at;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{ACCOUNT, Draft, TOO_LONG};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::params::Params;
use ddt_ledger::registry::Declared;
use ddt_ledger::schema::{Bytes, Field, Fields, Value};
use ddt_ledger::stamp::{Stamp, Stamps, Task};
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Head, params};
use ddt_ledger::view::Page;
use ddt_ledger::{AccountId, Amount, Millis, PublicKey, Refusal};

use crate::facts::Out;
use crate::router::Router;

/// What is due for longer than this, beside the nodes' turns, is overdue.
const LATE_MS: Millis = Millis(5_000);

/// What is due, and for whom.
#[derive(Clone, Copy, Debug)]
enum Chore {
    /// A name's renewal.
    Renewal,
    /// A member's heartbeat.
    Heartbeat,
}

/// Both agents. They keep nothing: what is due stands in the state.
pub struct Chores {
    renewals: DueAgent,
    heartbeats: DueAgent,
}

impl Chores {
    /// Agents that have heard of nothing yet.
    pub fn new(params: &Params, node: PublicKey) -> Chores {
        Chores {
            renewals: DueAgent::new(DueConfig::renewals(params, node)),
            heartbeats: DueAgent::new(DueConfig::heartbeats(params, node)),
        }
    }
}

impl Router {
    /// The agents look at the state, and at the time.
    pub(crate) fn chores_turn(
        &mut self,
        now: Millis,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let snapshot = self.book.snapshot()?;
        let Some(head) = Head::read(&snapshot) else { return Ok(()) };
        let (params, node) = (params(&snapshot), self.town.node_keys[self.number].key());
        let dues = [
            (Chore::Renewal, renewals(&snapshot, &head)),
            (Chore::Heartbeat, heartbeats(&snapshot, &node, &params)),
        ];
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        drop(snapshot);
        self.chores.renewals.set_config(DueConfig::renewals(&params, node));
        self.chores.heartbeats.set_config(DueConfig::heartbeats(&params, node));
        for (chore, due) in dues {
            let input = Input::Anchor { time: head.time, clock: head.clock, due };
            let mut effects = self.agent_of(chore).step(now, input);
            while let Some(effect) = effects.pop() {
                if let Effect::Submit(name) = effect {
                    let result = self.do_chore(now, chore, &name, out)?;
                    let input = Input::Submitted { name, result };
                    effects.extend(self.agent_of(chore).step(now, input));
                }
            }
        }
        Ok(())
    }

    fn agent_of(&mut self, chore: Chore) -> &mut DueAgent {
        match chore {
            Chore::Renewal => &mut self.chores.renewals,
            Chore::Heartbeat => &mut self.chores.heartbeats,
        }
    }

    fn do_chore(
        &mut self,
        now: Millis,
        chore: Chore,
        name: &str,
        out: &mut Vec<Out>,
    ) -> Result<Result<(), Refusal>, StoreFault> {
        let draft = match chore {
            Chore::Renewal => self.renewal(now, name),
            Chore::Heartbeat => self.heartbeat(now, name)?,
        };
        match draft {
            Ok(draft) => self.do_duty(now, draft, out),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn renewal(&mut self, now: Millis, name: &str) -> Result<Draft, Refusal> {
        let body = RenewPrepaid { name: DomainName::new(name)? };
        let author = self.town.keys[self.number].person.id();
        self.duty(now, author, RenewPrepaid::NAME, encode(&body))
    }

    fn heartbeat(&mut self, now: Millis, name: &str) -> Result<Result<Draft, Refusal>, StoreFault> {
        let snapshot = self.book.snapshot()?;
        let stamps = Stamps::read(&snapshot);
        let stamps = stamps.ok_or_else(|| StoreFault::damaged("it has no stamps"))?;
        let Ok(author) = name.parse::<AccountId>() else { return Ok(Err(ACCOUNT)) };
        let body = |stamp| encode(&Heartbeat { stamp });
        let stamped = |draft: Draft| {
            let body = Bytes::new(body(Some(stamp(&draft, &stamps)))).ok_or(TOO_LONG)?;
            Ok(Draft { body, ..draft })
        };
        Ok(self.duty(now, author, Heartbeat::NAME, body(None)).and_then(stamped))
    }

    /// What these nodes should have done by now although the state says it is due: prepaid
    /// renewals, by anybody, and heartbeats for members of these nodes.
    pub(crate) fn overdue(&self, nodes: &[usize]) -> Result<usize, StoreFault> {
        let snapshot = self.book.snapshot()?;
        let Some(head) = Head::read(&snapshot) else { return Ok(0) };
        let params = params(&snapshot);
        let key = |number: &usize| self.town.node_keys[*number].key();
        let spread = DueConfig::renewals(&params, key(&self.number)).spread_ms;
        let late = |due: &Due, spread: Millis| due.due.plus(spread).plus(LATE_MS) < head.clock;
        let renewals = renewals(&snapshot, &head);
        let renewals = renewals.iter().filter(|due| late(due, spread) && !nodes.is_empty());
        let beats = nodes.iter().flat_map(|number| heartbeats(&snapshot, &key(number), &params));
        Ok(renewals.count() + beats.filter(|due| late(due, Millis(0))).count())
    }
}

/// A stamp as the state wants it for this draft; its work is little here.
fn stamp(draft: &Draft, stamps: &Stamps) -> Stamp {
    let Draft { chain, author, key, tag, nonce, .. } = draft;
    let task = Task::new(*chain, author, key, *tag, *nonce, &stamps.now);
    let bits = u32::from(stamps.now.bits.light);
    let nonce = (0..u64::MAX).find(|nonce| task.bits(*nonce) >= bits);
    Stamp { period: stamps.now.number, nonce: nonce.unwrap_or_default() }
}

/// When each member that named this node should be heard of.
fn heartbeats(snapshot: &Snapshot, node: &PublicKey, params: &Params) -> Vec<Due> {
    let members = members_of_key(snapshot, node, None, DUE_MAX);
    let due = |(account, member): &(AccountId, MemberRow)| Due {
        name: account.to_string(),
        due: heartbeat_due(member.seen, params),
    };
    members.iter().map(due).collect()
}

/// The prepaid renewals that can be paid, those first that are due first.
fn renewals(snapshot: &Snapshot, head: &Head) -> Vec<Due> {
    let Some(view) = REGISTRY.view("domains.renewals_due") else { return Vec::new() };
    let cx = context_at(snapshot, head);
    let found = (view.run)(&Default::default(), &cx, snapshot, &Page::first(DUE_MAX));
    found.map(|found| found.rows.iter().filter_map(renewal).collect()).unwrap_or_default()
}

fn renewal(row: &Fields) -> Option<Due> {
    let [(_, renewal)] = row.as_slice() else { return None };
    let values = renewal.group().ok()?;
    let amount = |name: &str| <Amount as Field>::read(values.get(name)?).ok();
    let (price, cap, balance) = (amount("price")?, amount("price_max")?, amount("balance")?);
    match (values.get("name")?, values.get("due")?) {
        (Value::Text(name), Value::Time(due)) if price <= cap && price <= balance => {
            Some(Due { name: name.clone(), due: *due })
        }
        _ => None,
    }
}
