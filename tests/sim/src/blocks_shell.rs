//! The shell around availability: other routers' blocks in, votes and questions out.

use ddt_contracts::zones::Evidence;
use ddt_core::availability::{Ask, Effect, Input};
use ddt_core::follower;
use ddt_ledger::anchor::{Span, Tip};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::lane::{BlockHeader, CheckedBlock};
use ddt_ledger::routers::RouterEvent;
use ddt_ledger::{Hash, Millis, PublicKey, Zone};

use crate::facts::{Fact, Out};
use crate::message::{Endpoint, Message};
use crate::router::{Machine, Router, Task, place};

impl Router {
    pub(crate) fn endpoint(&self, key: &PublicKey) -> Option<Endpoint> {
        self.town.keys.iter().position(|keys| keys.person.key() == *key)
    }

    /// Steps availability and does what it says, in order.
    pub(crate) fn blocks(
        &mut self,
        now: Millis,
        input: Input,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let mut is_here = false;
        for effect in self.availability.step(now, input) {
            match effect {
                Effect::Store { block, bytes, is_other } => {
                    let task = Task::Keep(block, bytes, is_other);
                    out.push(Out::Later(Millis(self.disk_ms), task));
                }
                Effect::Tell(vote) => {
                    out.push(Out::Fact(Fact::Voted(vote.vote)));
                    out.push(Out::ToRouters(Message::Vote(vote)));
                }
                Effect::Ask { to, ask, .. } => {
                    let to = self.endpoint(&to).filter(|to| *to != self.number);
                    out.extend(to.map(|to| Out::Send(to, Message::AskBlock(ask))));
                }
                Effect::AskAnybody { turn, ask, .. } => {
                    let all = self.town.keys.len().max(1);
                    let to = (turn as usize).checked_rem(all).filter(|to| *to != self.number);
                    out.extend(to.map(|to| Out::Send(to, Message::AskBlock(ask))));
                }
                Effect::Serve { to, ask } => {
                    let to = self.endpoint(&to);
                    let bytes = self.on_disk(&ask)?;
                    let answer = to.zip(bytes);
                    out.extend(answer.map(|(to, bytes)| Out::Send(to, Message::Block(bytes))));
                }
                Effect::Here(_) => is_here = true,
                Effect::Available(_) => {}
                Effect::Evidence { key, first, second } => {
                    // Two different headers of one place, both signed: anybody can check it.
                    let BlockHeader { zone, term, height, .. } = first.header;
                    match Evidence::of_blocks(key, &first, &second).map(|said| said.check()) {
                        Some(Ok(())) => {
                            out.push(Out::Fact(Fact::Evidence { zone, term, height }));
                        }
                        other => Router::broken(out, format!("evidence is none: {other:?}")),
                    }
                }
                Effect::Refused { why, .. } | Effect::Forged { why, .. } => {
                    out.push(Out::Fact(Fact::Refused(why)))
                }
                Effect::WakeAt(at) => self.wake(Machine::Blocks, now, at, out),
            }
        }
        if is_here { self.arrived(now, out) } else { Ok(()) }
    }

    /// A block of another router is written.
    pub(crate) fn kept(
        &mut self,
        now: Millis,
        block: &CheckedBlock,
        bytes: &[u8],
        is_other: bool,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let (header, id) = (block.header(), block.id());
        let (zone, term, height) = (header.zone, header.term, header.height);
        match is_other {
            true => self.lanes.put_other((zone, term, height), &id.0, bytes)?,
            false => self.lanes.put_block(zone, term, height, bytes)?,
        }
        out.push(Out::Fact(Fact::Kept { zone, term, height, is_other }));
        self.checked.insert(place(block), block.clone());
        self.blocks(now, Input::Stored { zone, height, block: id }, out)
    }

    /// What is on disk of what a peer asks for. A block that did not read well is not sent:
    /// the peer would refuse it.
    fn on_disk(&self, ask: &Ask) -> Result<Option<Vec<u8>>, StoreFault> {
        if let Some(id) = ask.block
            && let Some(bytes) = self.lanes.other((ask.zone, ask.term, ask.height), &id.0)?
        {
            return Ok(Some(bytes));
        }
        self.lanes.block(ask.zone, ask.term, ask.height)
    }

    /// What was missing is here: judge bodies again, and go on following.
    pub(crate) fn arrived(&mut self, now: Millis, out: &mut Vec<Out>) -> Result<(), StoreFault> {
        self.judge_again(now, out)?;
        let Some((height, tips)) = self.needed.clone() else { return Ok(()) };
        if tips.iter().all(|tip| self.availability.span(tip).is_some()) {
            self.needed = None;
            self.anchors(now, follower::Input::Here { height }, out)?;
        }
        Ok(())
    }

    /// The blocks that lead to these tips; `None` if one is not on disk.
    pub(crate) fn spans(&self, tips: &[Tip]) -> Result<Option<Vec<Span>>, StoreFault> {
        let mut spans = Vec::new();
        for tip in tips {
            let Some(span) = self.availability.span(tip) else { return Ok(None) };
            let block = |(height, id): &(u64, Hash)| self.read_block(tip.zone, *height, *id);
            let blocks = span.iter().map(block).collect::<Result<_, _>>()?;
            spans.push(Span { zone: tip.zone, blocks });
        }
        Ok(Some(spans))
    }

    pub(crate) fn read_block(
        &self,
        zone: Zone,
        height: u64,
        id: Hash,
    ) -> Result<CheckedBlock, StoreFault> {
        let block = self.checked.get(&(zone, height, id)).cloned();
        block.ok_or_else(|| StoreFault::damaged(format!("block {height} of {zone} is gone")))
    }
}
