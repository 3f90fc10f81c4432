//! The shell around the sequencer: clients' events in, blocks and promises out.

use ddt_contracts::REGISTRY;
use ddt_core::sequencer::{Effect, Input};
use ddt_ledger::Millis;
use ddt_ledger::admit::{Admission, admit};
use ddt_ledger::event::Checked;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::lane::BlockHeader;
use ddt_ledger::receipt::Outcome;
use ddt_ledger::{Hash, Refusal};

use crate::facts::{Fact, Out};
use crate::message::{Answer, Endpoint, Message};
use crate::router::{Machine, Router, Task, place};

impl Router {
    /// Takes an event as the API does: what is known is answered, what would be void refused.
    pub(crate) fn submitted(
        &mut self,
        now: Millis,
        client: Endpoint,
        bytes: &[u8],
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let refuse = |out: &mut Vec<Out>, event, refusal| {
            let answer = Answer::Refused(refusal);
            out.push(Out::Send(client, Message::Reply { event, answer }));
        };
        let event = match Checked::check(bytes, self.town.chain, &REGISTRY) {
            Ok(event) => event,
            Err(refusal) => {
                refuse(out, Hash::ZERO, refusal);
                return Ok(());
            }
        };
        let id = event.id();
        if let Some(answer) = self.executed(&id)? {
            out.push(Out::Send(client, Message::Reply { event: id, answer }));
            return Ok(());
        }
        let snapshot = self.book.snapshot()?;
        match admit(&REGISTRY, &snapshot, &event, now)? {
            Admission::Void(refusal) => {
                refuse(out, id, refusal);
                Ok(())
            }
            Admission::Admitted { .. } => {
                self.clients.entry(id).or_default().insert(client);
                self.lane(now, Input::Event(event, 0), out)
            }
        }
    }

    /// The receipt of an event's execution, if it is in the book and not void.
    pub fn executed(&self, id: &Hash) -> Result<Option<Answer>, StoreFault> {
        let snapshot = self.book.snapshot()?;
        let Some((height, index)) = snapshot.event_place(id)? else { return Ok(None) };
        let receipt = snapshot.receipt((height, index))?;
        let receipt = receipt.ok_or_else(|| StoreFault::damaged("a receipt is missing"))?;
        let outcome = receipt.outcome;
        let is_void = matches!(outcome, Outcome::Void(_));
        Ok((!is_void).then_some(Answer::Final { height, index, outcome }))
    }

    /// Steps the sequencer and does what it says, in order.
    pub(crate) fn lane(
        &mut self,
        now: Millis,
        input: Input,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        for effect in self.sequencer.step(now, input) {
            match effect {
                Effect::Store { header, bytes } => {
                    out.push(Out::Later(Millis(self.disk_ms), Task::Seal(header, bytes)));
                }
                Effect::Promise(receipts) => {
                    for receipt in receipts {
                        self.promise(&receipt.event, out);
                    }
                }
                Effect::TipWaits => {}
                Effect::Executed(event) => {
                    if let Some(answer) = self.executed(&event)? {
                        self.reply(&event, &answer, out);
                    }
                }
                Effect::Answer { event, refusal } => {
                    self.reply(&event, &Answer::Refused(refusal), out);
                    self.clients.remove(&event);
                }
                Effect::WakeAt(at) => self.wake(Machine::Lane, now, at, out),
                Effect::Alarm(words) if self.is_member => {
                    out.push(Out::Fact(Fact::Closed(words)));
                }
                Effect::Alarm(_) => {}
            }
        }
        Ok(())
    }

    fn promise(&mut self, event: &Hash, out: &mut Vec<Out>) {
        let Some((receipt, signature)) = self.sequencer.signed_promise(event) else { return };
        let key = self.town.keys[self.number].person.key();
        out.push(Out::Fact(Fact::Promised(receipt.clone())));
        self.reply(event, &Answer::Sequenced(receipt, key, signature), out);
    }

    pub(crate) fn reply(&self, event: &Hash, answer: &Answer, out: &mut Vec<Out>) {
        for client in self.clients.get(event).into_iter().flatten() {
            let reply = Message::Reply { event: *event, answer: answer.clone() };
            out.push(Out::Send(*client, reply));
        }
    }

    /// An own block is written, and known to the others from then on.
    pub(crate) fn sealed(
        &mut self,
        now: Millis,
        header: &BlockHeader,
        bytes: Vec<u8>,
        out: &mut Vec<Out>,
    ) -> Result<(), StoreFault> {
        let (zone, term, height) = (header.zone, header.term, header.height);
        self.lanes.put_block(zone, term, height, &bytes)?;
        self.lane(now, Input::Stored { height }, out)?;
        let below = height.saturating_sub(1);
        let block = self.sequencer.unanchored_blocks_after(below).first().cloned();
        // The term may have closed while it was written: then nobody ever sees it.
        let Some(block) = block.filter(|block| block.header() == header) else {
            return Ok(());
        };
        out.push(Out::Fact(Fact::Left { zone, term, height, block: block.id() }));
        out.push(Out::ToRouters(Message::Block(bytes)));
        self.checked.insert(place(&block), block.clone());
        self.blocks(now, ddt_core::availability::Input::Sealed(Box::new(block)), out)
    }

    /// Asks admission again for everything that waits: an anchor may have made it void.
    pub(crate) fn drop_void(&mut self, now: Millis, out: &mut Vec<Out>) -> Result<(), StoreFault> {
        let snapshot = self.book.snapshot()?;
        let mut void: Vec<(Hash, Refusal)> = Vec::new();
        for event in self.sequencer.mempool().waiting() {
            if let Admission::Void(refusal) = admit(&REGISTRY, &snapshot, event, now)? {
                void.push((event.id(), refusal));
            }
        }
        self.lane(now, Input::Void(void), out)
    }
}
