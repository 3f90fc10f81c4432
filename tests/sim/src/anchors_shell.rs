//! The shell around the follower and the executor: decided anchors in, the book written.

use std::collections::BTreeSet;

use ddt_contracts::REGISTRY;
use ddt_core::follower::{Decided, Effect, Input};
use ddt_core::{availability, sequencer};
use ddt_ledger::anchor::{AnchorBody, TIPS_MAX, check_anchor};
use ddt_ledger::audit::audit;
use ddt_ledger::execute::{Halt, execute};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::receipt::{Outcome, Receipt, Subject};
use ddt_ledger::system::{Lane, next_deadline, params};
use ddt_ledger::{Hash, Millis, Zone};

use crate::facts::{Fact, Out};
use crate::message::{Answer, Message};
use crate::router::{Machine, Router, Task, position};

impl Router {
    /// Steps the follower and does what it says, in order.
    pub(crate) fn anchors(
        &mut self,
        now: Millis,
        input: Input,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        for effect in self.follower.step(now, input) {
            match effect {
                Effect::Need { height, tips } => {
                    self.needed = Some((height, tips.clone()));
                    self.blocks(now, availability::Input::Need(tips), out)?;
                    self.arrived(now, out)?;
                }
                Effect::Execute(decided) => {
                    out.push(Out::Later(Millis(self.disk_ms), Task::Execute(decided)));
                }
                Effect::Ask { to, first } => {
                    let to = self.endpoint(&to).filter(|to| *to != self.number);
                    out.extend(to.map(|to| Out::Send(to, Message::AskAnchors(first))));
                }
                Effect::Serve { to, first, last } => {
                    let Some(to) = self.endpoint(&to) else { continue };
                    let snapshot = self.book.snapshot()?;
                    for height in first..=last {
                        if let Some(record) = snapshot.anchor(height)? {
                            let (body, certificate) = (record.body, record.certificate);
                            let decided = Box::new(Decided { body, certificate });
                            out.push(Out::Send(to, Message::Decided(decided)));
                        }
                    }
                }
                Effect::Tell(height) => out.push(Out::ToRouters(Message::Height(height))),
                Effect::Refused { why, .. } => out.push(Out::Fact(Fact::Refused(why))),
                Effect::WakeAt(at) => self.wake(Machine::Anchors, now, at, out),
            }
        }
        Ok(())
    }

    /// Executes and commits an anchor whose certificate verified.
    pub(crate) fn decided(
        &mut self,
        now: Millis,
        decided: &Decided,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let body = AnchorBody::decode(&decided.body).map_err(StoreFault::damaged)?;
        let Some(spans) = self.spans(body.tips.items())? else {
            return Err(StoreFault::damaged("a block of a decided anchor is gone"));
        };
        let snapshot = self.book.snapshot()?;
        let roots = self.book.head().1;
        let checked = check_anchor(&snapshot, self.town.chain, &roots, &body, &spans, &REGISTRY);
        if let Err(error) = checked {
            let words = format!("router {}: a decided {error} at {}", self.number, body.height);
            Router::broken(out, words);
            return Ok(());
        }
        let executed = match execute(&REGISTRY, &snapshot, &body, &spans) {
            Ok(executed) => executed,
            Err(Halt::Store(fault)) => return Err(fault),
            Err(halt) => {
                Router::broken(out, halt.to_string());
                return Ok(());
            }
        };
        drop(snapshot);
        let roots = self.book.commit(&executed, &decided.body, &decided.certificate)?;
        let (height, anchor) = (body.height, decided.certificate.anchor);
        let receipts = executed.receipts.clone();
        out.push(Out::Fact(Fact::Committed { height, anchor, roots, receipts }));
        self.check_book(out)?;
        self.spread(now, height, &executed.receipts, out)
    }

    /// Money is conserved, and every programme's invariants hold.
    fn check_book(&self, out: &mut Vec<Out>) -> Result<(), StoreFault> {
        let snapshot = self.book.snapshot()?;
        let broken = audit(&REGISTRY, &snapshot);
        if let Some(fault) = snapshot.fault() {
            return Err(fault);
        }
        out.extend(broken.into_iter().map(|words| Out::Fact(Fact::Broken(words))));
        Ok(())
    }

    /// Tells every machine and client what an anchor did.
    fn spread(
        &mut self,
        now: Millis,
        height: u64,
        receipts: &[Receipt],
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let snapshot = self.book.snapshot()?;
        let lanes = Lane::scan(&snapshot, None, TIPS_MAX);
        let (deadline, params) = (next_deadline(&snapshot), params(&snapshot));
        let position = position(&self.book, &snapshot)?;
        self.pacer.anchored(self.book.head().0, deadline, &params, now);
        for (zone, lane) in &lanes {
            self.checked.retain(|(of, at, _), block| {
                of != zone || *at > lane.height && block.header().term == lane.term
            });
        }
        self.bodies.retain(|body| body.height > height);
        let executed = self.answer(height, receipts, out);
        let zone = Zone(self.number as u32 + 1);
        let own = lanes.iter().find(|(of, _)| *of == zone).map(|(_, lane)| lane.clone());
        if let Some(lane) = own {
            self.lane(
                now,
                sequencer::Input::Anchored { height, lane, executed, void: Vec::new() },
                out,
            )?;
        }
        self.drop_void(now, out)?;
        let validators = position.validators.clone();
        self.blocks(now, availability::Input::Anchored { height, lanes, validators }, out)?;
        self.anchors(now, Input::Committed(position), out)?;
        self.judge_again(now, out)?;
        self.agent_turn(now, out)
    }

    /// Tells clients; answers the ids of all events that were executed.
    fn answer(&mut self, height: u64, receipts: &[Receipt], out: &mut Vec<Out>) -> Vec<Hash> {
        let mut ids = BTreeSet::new();
        for receipt in receipts {
            let Subject::Event(place) = &receipt.subject else { continue };
            ids.insert(place.id);
            if !matches!(receipt.outcome, Outcome::Void(_)) {
                let (index, outcome) = (receipt.index, receipt.outcome.clone());
                self.reply(&place.id, &Answer::Final { height, index, outcome }, out);
            }
            self.clients.remove(&place.id);
        }
        ids.into_iter().collect()
    }
}
