//! Executing an anchor (EXE), and what follows from one (ANC-9 … ANC-11).

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{Canonical, Id, Time, hash};
use crate::event::Event;
use crate::money::Party;
use crate::receipt::{Outcome, Receipt, Subject};
use crate::rows::number;
use crate::state::{By, State};
use crate::{Code, Money};

/// An anchor that was agreed on.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// Its id.
    pub id: Id,
    /// The median of its time statements.
    pub stated: Time,
    /// The output of its maker's random function.
    pub vrf: Id,
    /// What it covers, by zone.
    pub spans: Vec<Span>,
}

/// The blocks of one lane.
#[derive(Clone, Debug)]
pub struct Span {
    /// The zone.
    pub zone: u32,
    /// The blocks, in order.
    pub blocks: Vec<Block>,
}

/// A block of events.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its id.
    pub id: Id,
    /// In which term of the lane.
    pub term: u64,
    /// And where in it.
    pub height: u64,
    /// The events, in order.
    pub events: Vec<Event>,
}

impl State {
    /// Executes an anchor; answers its receipts.
    pub fn execute(&mut self, anchor: &Anchor) -> Vec<Receipt> {
        let epoch_before = self.head.epoch;
        let record = self.epoch_record();
        self.advance(anchor);
        self.turn_stamps();
        self.begin_of_routers();
        // EXE-7: who governs a lane when the anchor begins has its fees.
        let sealers: BTreeMap<u32, Id> =
            self.lanes.iter().map(|(zone, lane)| (*zone, lane.router)).collect();
        if self.head.epoch > epoch_before {
            self.records_of_epochs.extend(record);
            self.end_epoch_of_routers();
        }
        let mut receipts = Vec::new();
        // EXE-1
        let first = u32::from_le_bytes(self.head.beacon[..4].try_into().expect("4 bytes"));
        let mut spans = anchor.spans.clone();
        let count = spans.len().max(1);
        spans.rotate_left(first as usize % count);
        let mut executed = BTreeSet::new();
        let owed: Vec<Money> =
            spans.iter().map(|span| self.lane(span, &mut executed, &mut receipts)).collect();
        self.work_off_deadlines(&mut receipts);
        for (span, owed) in spans.iter().zip(owed) {
            self.settle_lane(span.zone, sealers[&span.zone], owed, &mut receipts);
        }
        self.head.receipts = receipts.len() as u32;
        receipts
    }

    /// ANC-9 … ANC-11.
    fn advance(&mut self, anchor: &Anchor) {
        let head = &mut self.head;
        let time = anchor.stated.max(head.time + 1);
        head.clock += (time - head.time).min(self.params.clock_step_ms_max);
        head.time = time;
        head.height += 1;
        head.anchor = anchor.id;
        head.beacon = hash("ddt v1 beacon", &[&head.beacon, &anchor.vrf]);
        head.epoch = (head.clock - head.clock_start) / self.params.epoch_ms;
    }

    /// EXE-2: what is noted of an epoch when the next one begins.
    fn epoch_record(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let events: u64 = self.lanes.values().map(|lane| lane.next - 1).sum();
        let (height, time, supply) = (self.head.height, self.head.time, self.supply_row());
        let mut record = (height, time).bytes();
        record.extend([supply, events.bytes()].concat());
        let epoch = self.head.epoch as u64;
        let mut rows = vec![(number(10, &[&epoch.to_be_bytes()]), record)];
        for (zone, lane) in &self.lanes {
            let key = number(11, &[&epoch.to_be_bytes(), &zone.to_be_bytes()]);
            rows.push((key, lane.next.bytes()));
        }
        rows
    }

    /// Answers what the router owes for void events.
    fn lane(
        &mut self,
        span: &Span,
        executed: &mut BTreeSet<Id>,
        receipts: &mut Vec<Receipt>,
    ) -> Money {
        let zone = span.zone;
        let mut owed = Money::ZERO;
        for block in &span.blocks {
            let (term, height) = (block.term, block.height);
            for (event, at) in block.events.iter().zip(0..) {
                let lane = self.lanes.get_mut(&zone).expect("a zone");
                let number = lane.next;
                lane.next += 1;
                let (id, author, tag) = (event.id(), event.author, event.deed.tag());
                let subject =
                    Subject::Event { id, author, tag, zone, number, term, block: height, at };
                let place = receipts.len() as u32;
                let (role, key) = (event.role, event.key);
                let by = By { author, role, key, event: id, zone, number, place };
                let (outcome, fee) = self.event(event, &by);
                if let Outcome::Void(_) = outcome {
                    self.lanes.get_mut(&zone).expect("a zone").voids += 1;
                    if !executed.contains(&id) {
                        owed += crate::money::fee(event.sent().len()) / 32u8;
                    }
                } else {
                    executed.insert(id);
                }
                self.receipt(receipts, subject, outcome, fee);
            }
        }
        // The term may have closed in this very anchor (RTR-8).
        let (clock, last) = (self.head.clock, span.blocks.last().expect("a block"));
        let lane = self.lanes.get_mut(&zone).expect("a zone");
        if lane.term == last.term {
            (lane.height, lane.tip, lane.heard) = (last.height, last.id, clock);
        }
        owed
    }

    /// EXE-3, EXE-4.
    fn event(&mut self, event: &Event, by: &By) -> (Outcome, Money) {
        let before = self.clone();
        match self.admit(event, by.zone) {
            Err(code) => {
                *self = before;
                (Outcome::Void(code), Money::ZERO)
            }
            Ok(fee) => {
                let is_free = self.is_free(event);
                let outcome = self.attempt(|state| event.deed.rules().apply(state, by));
                match outcome {
                    // EVT-15
                    Outcome::Refused(code) if is_free => {
                        *self = before;
                        (Outcome::Void(code), Money::ZERO)
                    }
                    outcome => (outcome, fee),
                }
            }
        }
    }

    /// Does something, or nothing of it.
    fn attempt(&mut self, deed: impl FnOnce(&mut State) -> Result<(), Code>) -> Outcome {
        let before = self.clone();
        match deed(self) {
            Ok(()) => Outcome::Done,
            Err(code) => {
                *self = before;
                Outcome::Refused(code)
            }
        }
    }

    /// EXE-6.
    fn work_off_deadlines(&mut self, receipts: &mut Vec<Receipt>) {
        let clock = self.head.clock;
        let due = self.agenda.iter().filter(|(due, _, _)| *due <= clock);
        let due: Vec<_> = due.take(self.params.anchor_deadlines_max as usize).cloned().collect();
        for (at, tag, key) in due {
            self.unschedule(at, tag, &key);
            let outcome = self.attempt(|state| state.deadline(tag, &key));
            self.receipt(receipts, Subject::Deadline { tag, key }, outcome, Money::ZERO);
        }
    }

    /// EXE-7.
    fn settle_lane(&mut self, zone: u32, router: Id, owed: Money, receipts: &mut Vec<Receipt>) {
        let fees = self.fees.remove(&zone).unwrap_or_default();
        let half = &fees / 2u8;
        let rest = &fees - &half;
        self.fees.insert(zone, fees);
        let parts =
            [(Party::Account(router), half, "router's half"), (Party::Pool, rest, "pool's half")];
        for (to, part, reason) in parts {
            self.shift(Party::Fees(zone), to, &part, reason).expect("the fees are there");
        }
        self.pay_for_voids(router, &owed);
        if !self.postings.is_empty() {
            self.receipt(receipts, Subject::Fees { zone }, Outcome::Done, Money::ZERO);
        }
    }

    fn receipt(
        &mut self,
        receipts: &mut Vec<Receipt>,
        subject: Subject,
        outcome: Outcome,
        fee: Money,
    ) {
        let (height, index) = (self.head.height, receipts.len() as u32);
        let postings = std::mem::take(&mut self.postings);
        receipts.push(Receipt { height, index, subject, outcome, fee, postings });
    }
}
