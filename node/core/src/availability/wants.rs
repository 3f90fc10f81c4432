//! What of a lane is missing, and whom to ask for it.

use std::collections::BTreeSet;

use ddt_ledger::anchor::Tip;
use ddt_ledger::{Hash, Millis, PublicKey, Zone};

use super::lane::LaneBook;
use super::{ASK_MS, ASK_MS_MAX, ASKS_MAX, Ask, Effect};

/// A tip of a body, and the highest block on the way to it that is not here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) tip: Tip,
    pub(super) at: (u64, Hash),
}

/// How a place was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    attempts: u32,
    next: Millis,
}

type Place = (u64, Option<Hash>);

impl LaneBook {
    /// Follows each need down to what is missing.
    fn follow_needs(&mut self) {
        let mut needs = std::mem::take(&mut self.needs);
        for need in &mut needs {
            while need.at.0 > self.lane.height
                && let Some(parent) = self.parent(&need.at)
            {
                need.at = (need.at.0.saturating_sub(1), parent);
            }
        }
        self.needs = needs;
    }

    /// The lowest places that are missing: those of needs by id, the others by height alone.
    pub(super) fn wanted(&mut self, bytes_max: usize) -> BTreeSet<Place> {
        self.follow_needs();
        let exact = self.needs.iter().map(|need| need.at);
        let exact = exact.filter(|(height, _)| *height > self.lane.height);
        let mut wanted: BTreeSet<Place> = exact.map(|(height, id)| (height, Some(id))).collect();
        let seen = [
            self.votes.values().map(|(height, _)| *height).max(),
            self.waiting.keys().next_back().copied(),
            self.needs.iter().map(|need| need.tip.height).max(),
        ];
        let seen = seen.into_iter().flatten().max().unwrap_or_default();
        let missing =
            |height: &u64| !self.first.contains_key(height) && !self.waiting.contains_key(height);
        let gaps = (self.linked.saturating_add(1)..=seen).filter(missing);
        // What is too much would not be kept: only what an anchor needs is asked for then.
        let is_full = self.kept_bytes >= bytes_max && self.needs.is_empty();
        let gaps = gaps.filter(|height| self.is_open(*height) && !is_full);
        wanted.extend(gaps.take(ASKS_MAX).map(|height| (height, None)));
        while wanted.len() > ASKS_MAX {
            wanted.pop_last();
        }
        wanted
    }

    /// Asks for what is missing and due, and says when to look again.
    pub(super) fn ask(
        &mut self,
        (zone, bytes_max): (Zone, usize),
        now: Millis,
        (me, peers): (&PublicKey, &[PublicKey]),
        effects: &mut Vec<Effect>,
    ) {
        let wanted = self.wanted(bytes_max);
        self.asked.retain(|place, _| wanted.contains(place));
        let mut wake: Option<Millis> = None;
        for place in wanted {
            let asked = self.asked.get(&place).copied();
            // A clock that was put back must not silence the asking.
            let due = asked.filter(|asked| asked.next.since(now) <= ASK_MS_MAX);
            let next = match due {
                Some(asked) if asked.next > now => asked.next,
                _ => {
                    let attempts = asked.map_or(0, |asked| asked.attempts);
                    let (height, block) = place;
                    if let Some(to) = self.source(height, attempts, me, peers) {
                        let ask = Ask { zone, term: self.lane.term, height, block };
                        effects.push(Effect::Ask { to, ask });
                    }
                    let next = now.plus(backoff(attempts));
                    let attempts = attempts.saturating_add(1);
                    self.asked.insert(place, Asked { attempts, next });
                    next
                }
            };
            wake = Some(wake.map_or(next, |wake| wake.min(next)));
        }
        effects.extend(wake.map(Effect::WakeAt));
    }

    /// Whom to ask this time: the lane's router, then who voted for that much, then anybody.
    fn source(
        &self,
        height: u64,
        attempts: u32,
        me: &PublicKey,
        peers: &[PublicKey],
    ) -> Option<PublicKey> {
        let voters = self.votes.iter().filter(|(_, (voted, _))| *voted >= height);
        let candidates = std::iter::once(&self.lane.key)
            .chain(voters.map(|(key, _)| key))
            .chain(peers)
            .filter(|key| *key != me);
        let candidates: Vec<&PublicKey> = candidates.collect();
        let turn = usize::try_from(attempts).unwrap_or_default().checked_rem(candidates.len())?;
        candidates.get(turn).map(|key| **key)
    }
}

fn backoff(attempts: u32) -> Millis {
    let factor = 1_u64.checked_shl(attempts.min(16)).unwrap_or(u64::MAX);
    Millis(ASK_MS.0.saturating_mul(factor)).min(ASK_MS_MAX)
}
