//! How availability steps.

use borsh::BorshDeserialize;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, BlockHeader, CheckedBlock};
use ddt_ledger::{Millis, PublicKey, Zone};

use super::waiting::Waiting;
use super::wants::Asking;
use super::{Availability, Effect, Input, SignedVote, TELL_MS, Vote, WAITING_BYTES_MAX};

impl Availability {
    /// Takes an input at the time `now` and says what to do.
    pub fn step(&mut self, now: Millis, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Block { from, bytes } => self.block(from, bytes, &mut effects),
            Input::Sealed(block) => self.sealed(&block, now, &mut effects),
            Input::Stored { zone, height, block } => {
                if let Some(lane) = self.lanes.get_mut(&zone) {
                    lane.set_stored(height, block);
                }
                self.extend(zone, now, &mut effects);
            }
            Input::Vote(vote) => self.vote(&vote, &mut effects),
            Input::Asked { from, ask } => effects.push(Effect::Serve { to: from, ask }),
            Input::Need(tips) => {
                for tip in tips {
                    if let Some(lane) = self.lanes.get_mut(&tip.zone)
                        && lane.lane.term == tip.term
                    {
                        lane.need(tip);
                    }
                }
                self.find_needed(&mut effects);
            }
            Input::Unanswered { from, ask } => {
                if let Some(lane) = self.lanes.get_mut(&ask.zone)
                    && lane.lane.term == ask.term
                {
                    lane.unanswered(from, &ask, now);
                }
            }
            Input::Anchored { height, lanes, validators } => {
                self.validators = validators;
                self.config.peers = lanes.iter().map(|(_, lane)| lane.key).collect();
                for (zone, lane) in lanes {
                    self.anchored(height, (zone, lane), now, &mut effects);
                }
                self.forget_voters();
            }
            Input::Tick => {}
        }
        self.repeat_votes(now, &mut effects);
        let share = WAITING_BYTES_MAX.checked_div(self.lanes.len()).unwrap_or_default();
        let mut asking = Asking {
            me: self.config.me,
            peers: &self.config.peers,
            lane_bytes_max: self.config.lane_bytes_max,
            share,
            turn: &mut self.turn,
        };
        for (zone, lane) in &mut self.lanes {
            lane.ask(*zone, now, &mut asking, &mut effects);
        }
        effects
    }

    /// Looks at the header first: only a block that is wanted is worth checking.
    fn block(&mut self, from: PublicKey, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        let mut forged = |why| effects.push(Effect::Forged { from, why });
        let Ok(header) = BlockHeader::deserialize(&mut bytes.as_slice()) else {
            return forged("bytes that are no block");
        };
        if bytes.len() > BLOCK_BYTES_MAX {
            return forged("a block that is too large");
        }
        let Some(lane) = self.lanes.get(&header.zone) else {
            return effects.push(Effect::Refused { from, why: "a block of no zone" });
        };
        let id = header.id();
        let is_known =
            lane.kept.contains_key(&(header.height, id)) || lane.waits(header.height, &id);
        if is_known || lane.is_over(&header) {
            if let Some(lane) = self.lanes.get_mut(&header.zone) {
                lane.came_again(from, header.height);
            }
            return;
        }
        if !lane.is_in_reach(&header) || lane.would_be_dropped(&from, &header, &id) {
            return;
        }
        let (chain, key) = (self.config.chain, lane.lane.key);
        match CheckedBlock::check(&bytes, chain, &key, &self.config.registry) {
            Ok(block) => {
                if let Some(lane) = self.lanes.get_mut(&header.zone) {
                    lane.brought(from, (header.height, id), bytes.len());
                }
                self.take(Some(from), Waiting { block, bytes }, effects);
            }
            Err(_) => forged("a block that does not verify"),
        }
    }

    /// Takes a checked block, and whatever waited for it.
    fn take(&mut self, mut from: Option<PublicKey>, taken: Waiting, effects: &mut Vec<Effect>) {
        let zone = taken.block.header().zone;
        let mut next = Some(taken);
        while let Some(taken) = next.take() {
            let Some(lane) = self.lanes.get_mut(&zone) else { return };
            let (header, id) = (taken.block.header().clone(), taken.block.id());
            // Even if it cannot stay: what it names as its parent is needed next.
            lane.pass(&header, id, taken.block.size());
            let first = lane.first.get(&header.height).copied();
            let is_other = first.is_some_and(|first| first != id);
            if is_other {
                let first = first.and_then(|first| lane.kept.get(&(header.height, first)));
                if let Some(first) = first {
                    lane.is_accused = true;
                    let (key, second) = (lane.lane.key, taken.block.signed_header());
                    let (first, second) = (Box::new(first.signed.clone()), Box::new(second));
                    effects.push(Effect::Evidence { key, first, second });
                }
            }
            let from = from.take();
            if !lane.continues(&header) {
                if let Some(voter) = from.filter(|from| lane.votes.contains_key(from)) {
                    lane.doubt(voter, (header.height.saturating_sub(1), header.parent));
                }
                return self.wait(zone, taken);
            }
            // Who seals more than an honest router may is not followed any further, except
            // where an anchor is.
            let size = lane.kept_bytes.saturating_add(taken.block.size());
            let is_too_much = size > self.config.lane_bytes_max;
            if (is_other || is_too_much) && !lane.is_needed(header.height, &id) {
                lane.is_full |= !is_other;
                return;
            }
            lane.keep(&taken.block, is_other);
            let Waiting { block, bytes } = taken;
            effects.push(Effect::Store { block: Box::new(block), bytes, is_other });
            next = lane.waiting.remove(header.height.saturating_add(1));
        }
    }

    /// Lets a block wait for its parent. If all that waits is too much, lanes give way of which
    /// most waits: none can take the others' room.
    fn wait(&mut self, zone: Zone, taken: Waiting) {
        if let Some(lane) = self.lanes.get_mut(&zone) {
            lane.wait(taken);
        }
        while self.waiting_bytes() > WAITING_BYTES_MAX {
            let largest = self.lanes.values_mut().max_by_key(|lane| lane.waiting.bytes());
            let Some(largest) = largest else { return };
            largest.give_way();
        }
    }

    fn sealed(&mut self, block: &CheckedBlock, now: Millis, effects: &mut Vec<Effect>) {
        let header = block.header();
        if let Some(lane) = self.lanes.get_mut(&header.zone)
            && lane.is_in_reach(header)
        {
            lane.keep(block, false);
            lane.set_stored(header.height, block.id());
        }
        self.extend(header.zone, now, effects);
    }

    /// Something more is on disk.
    fn extend(&mut self, zone: Zone, now: Millis, effects: &mut Vec<Effect>) {
        let (before, me) = (self.available(zone), self.voter());
        let Some(lane) = self.lanes.get_mut(&zone) else { return };
        if lane.extend(me) {
            lane.told_at = None;
        }
        self.say_available(zone, before, effects);
        self.repeat_votes(now, effects);
        self.find_needed(effects);
    }

    fn voter(&self) -> Option<PublicKey> {
        self.config.sign.is_some().then_some(self.config.me)
    }

    fn say_available(&self, zone: Zone, before: Option<u64>, effects: &mut Vec<Effect>) {
        if self.available(zone) > before {
            effects.push(Effect::Available(zone));
        }
    }

    fn vote(&mut self, signed: &SignedVote, effects: &mut Vec<Effect>) {
        let vote = signed.vote;
        let is_validator = self.validators.0.iter().any(|known| known.key == signed.key);
        let Some(lane) = self.lanes.get(&vote.zone) else { return };
        let is_new = lane.votes.get(&signed.key).is_none_or(|(height, _)| vote.height > *height);
        let is_ours = signed.key == self.config.me;
        let is_fitting = vote.term == lane.lane.term && lane.is_open(vote.height);
        if vote.chain != self.config.chain || !is_validator || is_ours || !is_new || !is_fitting {
            return;
        }
        if !signed.key.verifies(&vote.digest(), &signed.signature) {
            let (from, why) = (signed.key, "a vote that is not signed");
            effects.push(Effect::Refused { from, why });
            return;
        }
        let before = self.available(vote.zone);
        if let Some(lane) = self.lanes.get_mut(&vote.zone) {
            lane.votes.insert(signed.key, (vote.height, vote.block));
            lane.doubt(signed.key, (vote.height, vote.block));
        }
        self.say_available(vote.zone, before, effects);
    }

    fn anchored(
        &mut self,
        height: u64,
        (zone, lane): (Zone, ddt_ledger::system::Lane),
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let me = self.voter();
        let Some(book) = self.lanes.get_mut(&zone) else {
            let bytes_max = self.config.anchor_bytes_max;
            self.lanes.insert(zone, super::LaneBook::new(bytes_max, height, lane));
            return;
        };
        book.anchor(height, lane, me);
        let first = book.lane.height.saturating_add(1);
        let next = book.waiting.remove(first);
        // Its parent was the anchored tip all the time.
        if let Some(next) = next {
            self.take(None, next, effects);
        }
        self.repeat_votes(now, effects);
    }

    /// Votes of those who sign anchors no more are of no use; a node's own are its memory.
    fn forget_voters(&mut self) {
        let (set, me) = (&self.validators, self.config.me);
        let counts = |key: &PublicKey| set.0.iter().any(|known| known.key == *key) || *key == me;
        for lane in self.lanes.values_mut() {
            lane.votes.retain(|key, _| counts(key));
            lane.doubts.retain(|key, _| counts(key));
        }
    }

    /// Tells the other routers again and again what is stored here and not anchored yet.
    fn repeat_votes(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let (Some(sign), key) = (&self.config.sign, self.config.me) else { return };
        let chain = self.config.chain;
        for (zone, lane) in &mut self.lanes {
            let Some((height, block)) = lane.votes.get(&key).copied() else { continue };
            let next = lane.told_at.map(|at| at.min(now).plus(TELL_MS));
            if let Some(next) = next.filter(|next| *next > now) {
                effects.push(Effect::WakeAt(next));
                continue;
            }
            let vote = Vote { chain, zone: *zone, term: lane.lane.term, height, block };
            let signature = sign(&vote.digest());
            effects.push(Effect::Tell(SignedVote { vote, key, signature }));
            effects.push(Effect::WakeAt(now.plus(TELL_MS)));
            lane.told_at = Some(now);
        }
    }

    /// Says which needed tips are complete by now.
    fn find_needed(&mut self, effects: &mut Vec<Effect>) {
        for lane in self.lanes.values_mut() {
            let needs = std::mem::take(&mut lane.needs);
            let (here, missing) =
                needs.into_iter().partition(|need| lane.span(&need.tip).is_some());
            lane.needs = missing;
            let here: Vec<super::needs::Need> = here;
            effects.extend(here.into_iter().map(|need| Effect::Here(need.tip)));
        }
    }
}
