//! How a sequencer steps.

use ddt_ledger::event::Checked;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, BLOCK_EVENTS_MAX, CheckedBlock};
use ddt_ledger::system::Lane;
use ddt_ledger::{Hash, Millis, Refusal};

use super::{CLOSED, Effect, Input, Sequencer, Tail};
use super::{UNANCHORED_BLOCKS_MAX, UNANCHORED_BYTES_MAX, UNANCHORED_MS_MAX};
use crate::mempool::{AUTHOR_LIMIT, Dropped, Inserted, NONCE_WAITING, Room};

/// Bytes of a block without its events: header, signature, length of the list; rounded up.
const BLOCK_OVERHEAD_BYTES: usize = 512;

pub(super) const GAP: &str =
    "the lane store does not continue the lane: data was lost; sealing waits for the next term";
const OTHER_KEY: &str = "the lane belongs to another key; this router seals nothing";
const NO_ROUTER: &str = "the lane has no router at present; this router seals nothing";
const LOST: &str =
    "the anchored lane is not the one on disk: data was lost; sealing waits for the next term";
const UNSEALABLE: &str = "a block could not be sealed within its limits; report this";

impl Sequencer {
    /// Takes an input at the time `now` and says what to do.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        // A clock that was put back must not silence the lane until it has caught up.
        self.sealed_at = self.sealed_at.map(|at| at.min(now));
        let expired = self.mempool.expire(now);
        answer_all(expired, &mut effects);
        match input {
            Input::Event(event, class) => self.event(event, class, now, &mut effects),
            Input::Void(void) => {
                self.is_asking = false;
                self.drop_void(void, &mut effects);
            }
            Input::Tick => {}
            Input::Stored { height } => self.stored(height, &mut effects),
            Input::Anchored { height, lane, executed, void } => {
                if height > self.after_anchor {
                    self.after_anchor = height;
                    self.anchored(lane, executed, now, &mut effects);
                }
                self.drop_void(void, &mut effects);
            }
        }
        self.seal_if_due(now, &mut effects);
        self.finish(&mut effects);
        effects
    }

    fn finish(&mut self, effects: &mut Vec<Effect>) {
        if self.is_closed {
            let all = Room { bytes_max: usize::MAX, events_max: usize::MAX, work_max: u64::MAX };
            let waiting = self.mempool.take(all, Millis(0)).events;
            effects.extend(waiting.iter().map(|event| answer(event.id(), CLOSED)));
        } else if !self.is_tip_told && !self.tail.stored().is_empty() {
            self.is_tip_told = true;
            effects.push(Effect::TipWaits);
        }
        effects.extend(self.alarm.take().map(Effect::Alarm));
    }

    /// Stops sealing until the lane's next term.
    pub(super) fn close(&mut self, why: &'static str) {
        if !self.is_closed {
            self.is_closed = true;
            self.alarm = Some(why);
        }
    }

    fn event(&mut self, event: Checked, class: u8, now: Millis, effects: &mut Vec<Effect>) {
        let id = event.id();
        if self.recent.contains(&id) {
            effects.push(Effect::Executed(id));
            return;
        }
        if let Some(pending) = self.pending(&id).filter(|_| !self.is_closed) {
            // While the block is being written, its promises are still to come.
            if pending.is_stored {
                effects.push(Effect::Promise(vec![pending.receipt]));
            }
            return;
        }
        match self.insert(event, class, now) {
            Ok(Inserted::New { dropped }) => answer_all(dropped, effects),
            Ok(Inserted::Known) => {}
            Err(refusal) => effects.push(answer(id, refusal)),
        }
    }

    fn insert(&mut self, event: Checked, class: u8, now: Millis) -> Result<Inserted, Refusal> {
        if self.is_closed {
            return Err(CLOSED);
        }
        let sequenced = self.tail.signers();
        if sequenced.uses(&event) {
            return Err(NONCE_WAITING);
        }
        let in_flight = sequenced.of(&event).plus(self.mempool.signed_alike(&event));
        let is_known = self.mempool.contains(&event.id());
        if !is_known && !in_flight.has_room(&event, &self.config.mempool) {
            return Err(AUTHOR_LIMIT);
        }
        self.mempool.insert(event, class, now)
    }

    fn stored(&mut self, height: u64, effects: &mut Vec<Effect>) {
        if self.writing != Some(height) {
            return;
        }
        self.writing = None;
        // The block may have lapsed while it was written: then nothing is promised of it.
        let is_ours = self.tail.is_writing(height);
        if is_ours && !self.is_closed {
            effects.push(Effect::Promise(self.tail.set_stored()));
            self.is_tip_told = false;
        }
    }

    fn anchored(
        &mut self,
        lane: Lane,
        executed: Vec<Hash>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        for id in executed {
            if self.mempool.remove(&id).is_some() {
                effects.push(Effect::Executed(id));
            }
            self.recent.insert(id);
        }
        let old = self.tail.lane();
        let is_other = lane.term != old.term || lane.key != old.key;
        if !is_other && self.tail.anchor(&lane) {
            self.is_tip_told = false;
            return;
        }
        let (chain, zone, time) = (self.config.chain, self.config.zone, self.tail.time());
        let tail = Tail::new(chain, zone, lane, time);
        let lapsed = std::mem::replace(&mut self.tail, tail).into_blocks();
        let key = self.tail.lane().key;
        if let Some((next, sign)) = self.next.take_if(|(next, _)| *next == key) {
            (self.config.key, self.sign) = (next, sign);
        }
        if !self.close_if_not_ours() && is_other {
            self.is_closed = false;
            self.alarm = None;
        } else if !is_other {
            self.close(LOST);
        }
        self.take_back(lapsed, now, effects);
        self.is_asking = !self.is_closed;
    }

    fn drop_void(&mut self, void: Vec<(Hash, Refusal)>, effects: &mut Vec<Effect>) {
        for (event, refusal) in void {
            if self.mempool.remove(&event).is_some() {
                effects.push(Effect::Answer { event, refusal });
            }
        }
    }

    /// Closes if the lane is not this router's; answers whether.
    pub(super) fn close_if_not_ours(&mut self) -> bool {
        let lane = self.tail.lane();
        let why = match () {
            () if lane.key != self.config.key => OTHER_KEY,
            () if !lane.is_governed => NO_ROUTER,
            () => return false,
        };
        self.close(why);
        true
    }

    /// Events of lapsed blocks that were not executed wait again, before all others.
    fn take_back(&mut self, lapsed: Vec<CheckedBlock>, now: Millis, effects: &mut Vec<Effect>) {
        for event in lapsed.iter().flat_map(CheckedBlock::events) {
            let id = event.id();
            if self.recent.contains(&id) {
                effects.push(Effect::Executed(id));
            } else if self.is_closed {
                effects.push(answer(id, CLOSED));
            } else if let Err(refusal) = self.mempool.put_back(event.clone(), now) {
                effects.push(answer(id, refusal));
            }
        }
    }

    fn seal_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let is_held = self.is_held(now);
        let is_waiting = self.writing.is_some() || self.is_asking || is_held;
        if self.is_closed || is_waiting || self.mempool.is_empty() {
            return;
        }
        let due = self.sealed_at.map(|at| at.plus(self.config.seal_every_ms));
        match due.filter(|due| *due > now && !self.is_full()) {
            Some(due) => effects.push(Effect::WakeAt(due)),
            None => self.seal(now, effects),
        }
    }

    /// Whether so much waits to be anchored, or for so long, that nothing is sealed.
    pub fn is_held(&self, now: Millis) -> bool {
        let (blocks, bytes) = self.tail.size();
        let is_old = |sealed: Millis| now.since(sealed) > UNANCHORED_MS_MAX;
        blocks >= UNANCHORED_BLOCKS_MAX
            || bytes >= UNANCHORED_BYTES_MAX
            || self.tail.oldest().is_some_and(is_old)
    }

    fn room(&self) -> Room {
        Room {
            bytes_max: BLOCK_BYTES_MAX.saturating_sub(BLOCK_OVERHEAD_BYTES),
            events_max: BLOCK_EVENTS_MAX,
            work_max: self.config.work_max,
        }
    }

    fn is_full(&self) -> bool {
        let room = self.room();
        self.mempool.len() >= room.events_max
            || self.mempool.bytes() >= room.bytes_max
            || self.mempool.work() >= room.work_max
    }

    fn seal(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let taken = self.mempool.take(self.room(), now);
        answer_all(taken.dropped, effects);
        if taken.events.is_empty() {
            return;
        }
        let ids: Vec<Hash> = taken.events.iter().map(Checked::id).collect();
        let header = self.tail.header(&taken.events, self.after_anchor, now);
        let sealed = CheckedBlock::seal(header, self.config.key, taken.events, &self.sign);
        let Some((block, bytes)) = sealed else {
            effects.extend(ids.into_iter().map(|id| answer(id, CLOSED)));
            self.close(UNSEALABLE);
            return;
        };
        let header = block.header().clone();
        self.writing = Some(header.height);
        self.sealed_at = Some(now);
        self.tail.push(block);
        effects.push(Effect::Store { header, bytes });
    }
}

fn answer(event: Hash, refusal: Refusal) -> Effect {
    Effect::Answer { event, refusal }
}

fn answer_all(dropped: Vec<Dropped>, effects: &mut Vec<Effect>) {
    effects.extend(dropped.into_iter().map(|d| answer(d.event.id(), d.refusal)));
}
