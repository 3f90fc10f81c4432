//! What of a lane is missing, and whom to ask for it.

use std::collections::BTreeSet;

use ddt_ledger::lane::BLOCK_BYTES_MAX;
use ddt_ledger::{Hash, Millis, PublicKey, Zone};

use super::lane::LaneBook;
use super::{ASK_MS, ASK_MS_MAX, ASKS_MAX, Ask, Effect, PATIENCE_MS_MAX, Why};

/// Who has no answer so often is asked again no sooner than the time says.
const PROMPT_ATTEMPTS: u32 = 3;
/// One ask in so many goes to whoever is connected: those named may be gone for ever.
const ANYBODY_EVERY: u32 = 3;

/// Places of a lane that are remembered as asked for.
const ASKED_MAX: usize = 256;
/// Questions that are remembered, to know whether answers come in vain.
const QUESTIONS_MAX: usize = 256;

/// How a place was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    attempts: u32,
    next: Millis,
}

type Place = (u64, Option<Hash>);

/// What the machine knows that matters to every lane's questions.
pub(super) struct Asking<'a> {
    pub(super) me: PublicKey,
    pub(super) peers: &'a [PublicKey],
    pub(super) lane_bytes_max: usize,
    /// A lane's fair share of the bytes that may wait.
    pub(super) share: usize,
    /// Rises with each question to anybody: each goes to another.
    pub(super) turn: &'a mut u32,
}

impl LaneBook {
    /// The lowest places that are missing: those of needs by id, and then others by height
    /// alone, which whoever sealed them may never fill. Of these no more than could wait: what
    /// finds no room would have to be fetched again.
    fn wanted(&self, asking: &Asking<'_>) -> BTreeSet<Place> {
        let mut wanted = self.needed_places(asking.share);
        let seen = [
            self.votes.values().map(|(height, _)| *height).max(),
            self.waiting.highest(),
            self.needs.iter().map(|need| need.tip.height).max(),
        ];
        let seen = seen.into_iter().flatten().max().unwrap_or_default();
        let missing =
            |height: &u64| !self.first.contains_key(height) && self.waiting.get(*height).is_none();
        let gaps = (self.linked.saturating_add(1)..=seen).filter(missing);
        // What is too much would not be kept: only what an anchor needs is asked for then.
        let is_full = self.is_full || self.kept_bytes >= asking.lane_bytes_max;
        let gaps = gaps.filter(|height| self.is_open(*height) && !is_full);
        while wanted.len() > ASKS_MAX {
            wanted.pop_last();
        }
        let by_id: BTreeSet<u64> = wanted.iter().map(|(height, _)| *height).collect();
        let gaps = gaps.filter(|height| !by_id.contains(height));
        let room = asking.share.saturating_sub(self.waiting.bytes());
        let room = room.checked_div(self.block_bytes).unwrap_or_default();
        // The lowest continues the lane, and need not wait.
        let left = ASKS_MAX.min(room.saturating_add(1)).saturating_sub(wanted.len());
        wanted.extend(gaps.take(left).map(|height| (height, None)));
        wanted.extend(self.doubted());
        wanted
    }

    /// What bodies need. A way down that is not known to its end yet is followed first; what
    /// came on it and found no room is then asked for again from below, no more than may wait.
    fn needed_places(&self, share: usize) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for need in &self.needs {
            if need.at.0 > self.lane.height {
                places.insert((need.at.0, Some(need.at.1)));
                continue;
            }
            let missing = need.missing.iter().filter(|(height, id)| !self.waits(**height, id));
            let mut missing = missing.map(|(height, id)| (*height, Some(*id))).peekable();
            if missing.peek().is_none() {
                continue;
            }
            let room = share.saturating_sub(self.needed_bytes()).checked_div(BLOCK_BYTES_MAX);
            // The lowest continues the lane, and need not wait.
            let count = room.unwrap_or_default().saturating_add(1).min(ASKS_MAX);
            places.extend(missing.take(count));
        }
        places
    }

    /// Forgets how places were asked for that are kept by now. What came and found no room is no
    /// new place; of too many such places the highest are forgotten.
    fn forget_asked(&mut self, wanted: &BTreeSet<Place>) {
        let (kept, first) = (&self.kept, &self.first);
        let is_kept = |(height, id): &Place| match id {
            Some(id) => kept.contains_key(&(*height, *id)),
            None => first.contains_key(height),
        };
        self.asked.retain(|place, _| wanted.contains(place) || !is_kept(place));
        let excess = self.asked.len().saturating_sub(ASKED_MAX);
        let places = self.asked.keys().rev().filter(|place| !wanted.contains(place));
        let gone: Vec<Place> = places.take(excess).copied().collect();
        for place in gone {
            self.asked.remove(&place);
        }
    }

    /// Asks for what is missing and due, and says when to look again.
    pub(super) fn ask(
        &mut self,
        zone: Zone,
        now: Millis,
        asking: &mut Asking<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let wanted = self.wanted(asking);
        self.forget_asked(&wanted);
        while self.questions.len() > QUESTIONS_MAX {
            self.questions.pop_first();
        }
        let mut wake: Option<Millis> = None;
        for place in wanted {
            let by_height = self.asked.get(&(place.0, None)).filter(|asked| asked.attempts > 0);
            let asked = self.asked.get(&place).or(by_height).copied();
            // A clock that was put back must not silence the asking.
            let due = asked.filter(|asked| asked.next.since(now) <= ASK_MS_MAX);
            // What was voted for may be on its way already: where blocks came twice, it is
            // given time. What an anchor needs is asked for at once.
            let grace = self.patience.since(ASK_MS);
            let next = match due {
                Some(asked) if asked.next > now => asked.next,
                None if place.1.is_none() && grace > Millis(0) => {
                    let next = now.plus(grace);
                    self.asked.insert(place, Asked { attempts: 0, next });
                    next
                }
                _ => {
                    let attempts = asked.map_or(0, |asked| asked.attempts);
                    let (height, block) = place;
                    let ask = Ask { zone, term: self.lane.term, height, block };
                    let question = self.question(ask, attempts, asking);
                    if let Effect::Ask { to, .. } = question {
                        self.questions.insert((height, to));
                    }
                    effects.push(question);
                    let next = now.plus(backoff(attempts).max(self.patience));
                    let attempts = attempts.saturating_add(1);
                    self.asked.insert(place, Asked { attempts, next });
                    next
                }
            };
            wake = Some(wake.map_or(next, |wake| wake.min(next)));
        }
        effects.extend(wake.map(Effect::WakeAt));
    }

    /// How often a place was asked for.
    pub(super) fn attempts(&self, place: &Place) -> u32 {
        self.asked.get(place).map_or(0, |asked| asked.attempts)
    }

    /// Whom to ask this time: who delivered where the lane's router did not, the router, then
    /// who voted for that much, then the other routers; and now and then whoever is connected.
    fn question(&self, ask: Ask, attempts: u32, asking: &mut Asking<'_>) -> Effect {
        let why = match ask.block {
            None => Why::Missing,
            Some(id) if self.is_needed(ask.height, &id) => Why::Needed,
            Some(_) => Why::Doubted,
        };
        let of_anybody = attempts.checked_div(ANYBODY_EVERY).unwrap_or_default();
        let is_named = attempts.checked_rem(ANYBODY_EVERY) != Some(ANYBODY_EVERY.saturating_sub(1));
        let voters = self.votes.iter().filter(|(_, (voted, _))| *voted >= ask.height);
        let others = std::iter::once(&self.lane.key)
            .chain(voters.map(|(key, _)| key))
            .chain(asking.peers)
            .filter(|key| **key != asking.me && Some(**key) != self.helper);
        let candidates: Vec<&PublicKey> = self.helper.iter().chain(others).collect();
        let turn = usize::try_from(attempts.saturating_sub(of_anybody)).unwrap_or_default();
        let named = turn.checked_rem(candidates.len()).and_then(|turn| candidates.get(turn));
        match named.filter(|_| is_named) {
            Some(to) => Effect::Ask { to: **to, ask, why },
            None => {
                *asking.turn = asking.turn.wrapping_add(1);
                Effect::AskAnybody { turn: *asking.turn, ask, why }
            }
        }
    }

    /// A block came that is here already. If its sender had been asked for it, then too early:
    /// it was on its way from elsewhere. Large blocks on a full wire take long, and each that is
    /// asked for needlessly makes all others later.
    pub(super) fn came_again(&mut self, from: PublicKey, height: u64) {
        if self.questions.remove(&(height, from)) {
            self.patience = Millis(self.patience.0.saturating_mul(2)).min(PATIENCE_MS_MAX);
        }
    }

    /// Somebody brought a block. Who did so where the lane's router did not is asked first.
    pub(super) fn brought(&mut self, from: PublicKey, (height, id): (u64, Hash), size: usize) {
        let before = self.block_bytes.saturating_mul(3).checked_div(4).unwrap_or_default();
        self.block_bytes = before.max(size);
        let less = self.patience.0.checked_div(8).unwrap_or_default();
        self.patience = Millis(self.patience.0.saturating_sub(less)).max(ASK_MS);
        let places = [(height, None), (height, Some(id))];
        let asked = places.iter().filter_map(|place| self.asked.get(place));
        if from != self.lane.key && asked.map(|asked| asked.attempts).max() > Some(1) {
            self.helper = Some(from);
        }
    }

    /// Nobody answered a question, or had what was asked for: the next is asked at once, unless
    /// that happened too often.
    pub(super) fn unanswered(&mut self, from: Option<PublicKey>, ask: &Ask, now: Millis) {
        if from.is_some() && from == self.helper {
            self.helper = None;
        }
        if let Some(asked) = self.asked.get_mut(&(ask.height, ask.block))
            && asked.attempts < PROMPT_ATTEMPTS
        {
            asked.next = asked.next.min(now);
        }
    }
}

fn backoff(attempts: u32) -> Millis {
    let factor = 1_u64.checked_shl(attempts.min(16)).unwrap_or(u64::MAX);
    Millis(ASK_MS.0.saturating_mul(factor)).min(ASK_MS_MAX)
}
