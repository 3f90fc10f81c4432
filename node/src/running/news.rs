//! Which news are worth passing on: what is new, and now and then what is not.
//!
//! Who tells something tells it again, for messages get lost. But anybody can wrap in news of
//! his own what another signed: passed on each time, it would be a flood that costs him nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ddt_core::availability::{self, Vote};
use ddt_core::follower;
use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::certificate::VALIDATORS_MAX;
use ddt_ledger::{Hash, Millis, PublicKey, Zone};

/// Most that is remembered of each kind: a vote of each validator in each lane, and some more.
const KNOWN_MAX: usize = 2 * VALIDATORS_MAX * TIPS_MAX;
/// Heights of one router are passed on no more often than this.
const HEIGHT_MS: Millis = Millis(100);
/// A vote that is lower than one before counts again when that was not repeated for so long:
/// its validator may have begun anew.
const LAPSE_MS: Millis = Millis(10 * availability::TELL_MS.0);

/// What was told last, and when it was passed on.
struct Told<T> {
    what: T,
    at: Millis,
}

/// The term, height and block of a vote.
type Voted = (u64, u64, Hash);

#[derive(Default)]
struct Known {
    /// Heights by router.
    heights: BTreeMap<PublicKey, Told<u64>>,
    /// Votes by validator and zone: term, height, block.
    votes: BTreeMap<(PublicKey, Zone), Told<Voted>>,
}

/// What was passed on.
#[derive(Default)]
pub struct Passed(Mutex<Known>);

/// So much of its own pause must be over before something is passed on again: it may have been
/// quicker on its way this time.
fn again(pause: Millis) -> Millis {
    Millis(pause.0 / 4 * 3)
}

/// How long ago that was; a clock that was put back counts as a long time.
fn ago(now: Millis, at: Millis) -> Millis {
    match at > now {
        true => Millis(u64::MAX),
        false => now.since(at),
    }
}

impl Passed {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Whether a height that this router says is to be passed on: it is higher than the one
    /// before, or that one again.
    pub fn height(&self, now: Millis, router: PublicKey, height: u64) -> bool {
        let known = &mut self.lock().heights;
        let is_due = known.get(&router).is_none_or(|told| match height.cmp(&told.what) {
            std::cmp::Ordering::Greater => ago(now, told.at) >= HEIGHT_MS,
            std::cmp::Ordering::Equal => ago(now, told.at) >= again(follower::TELL_MS),
            std::cmp::Ordering::Less => false,
        });
        if is_due {
            put(known, router, Told { what: height, at: now });
        }
        is_due
    }

    /// Whether a vote is worth a look: it is for more than the one before, or is that one again.
    pub fn may_be_due(&self, now: Millis, key: &PublicKey, vote: &Vote) -> bool {
        is_due(self.lock().votes.get(&(*key, vote.zone)), now, vote)
    }

    /// The same of a vote whose signature was found good; it is remembered.
    pub fn vote(&self, now: Millis, key: PublicKey, vote: &Vote) -> bool {
        let (known, place) = (&mut self.lock().votes, (key, vote.zone));
        let is_due = is_due(known.get(&place), now, vote);
        if is_due {
            let what = (vote.term, vote.height, vote.block);
            put(known, place, Told { what, at: now });
        }
        is_due
    }
}

fn is_due(told: Option<&Told<Voted>>, now: Millis, vote: &Vote) -> bool {
    let Some(Told { what: (term, height, block), at }) = told else { return true };
    let is_same = (*term, *height, *block) == (vote.term, vote.height, vote.block);
    let is_newer = (vote.term, vote.height) > (*term, *height);
    let pause = if is_same { again(availability::TELL_MS) } else { LAPSE_MS };
    is_newer || ago(now, *at) >= pause
}

fn put<K: Ord, T>(known: &mut BTreeMap<K, Told<T>>, key: K, told: Told<T>) {
    if known.len() >= KNOWN_MAX {
        // Routers changed often. What is passed on once more does no harm.
        known.clear();
    }
    known.insert(key, told);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ddt_ledger::ChainId;

    const START: Millis = Millis(1_000_000);

    fn after(millis: u64) -> Millis {
        START.plus(Millis(millis))
    }

    fn vote(term: u64, height: u64, block: u8) -> Vote {
        let (chain, block) = (ChainId(Hash([1; 32])), Hash([block; 32]));
        Vote { chain, zone: Zone(3), term, height, block }
    }

    // Broken by: passing on a height again and again, or a lower one; never passing on again
    // what others may have missed.
    #[test]
    fn heights_rise_or_are_repeated_at_their_pace() {
        let (passed, router) = (Passed::default(), PublicKey([7; 32]));
        let height = |at, height| passed.height(after(at), router, height);
        assert!(height(0, 5));
        assert!((0..1_000).all(|at| !height(at, 5) && !height(at, 4)));
        assert!(!height(99, 6), "no flood of rising ones");
        assert!(height(100, 6));
        assert!(!height(1_000, 5) && height(100 + 1_500, 6));
        assert_eq!((0..20_000).filter(|at| height(2_000 + at, 6)).count(), 13);
        assert!(passed.height(after(0), PublicKey([8; 32]), 1), "each router for itself");
    }

    // Broken by: accepting a replayed vote each time; an old one at all; ignoring repeats.
    #[test]
    fn votes_are_passed_on_when_newer_and_again_at_their_pace() {
        let (passed, key) = (Passed::default(), PublicKey([7; 32]));
        let passes = |at, vote: Vote| {
            let may = passed.may_be_due(after(at), &key, &vote);
            assert_eq!(may, passed.vote(after(at), key, &vote));
            may
        };
        assert!(passes(0, vote(1, 5, 1)));
        assert!(passes(1, vote(1, 6, 1)), "newer ones at once");
        assert!((2..700).all(|at| !passes(at, vote(1, 6, 1)) && !passes(at, vote(1, 5, 1))));
        assert!(passes(751, vote(1, 6, 1)), "some may have missed it");
        assert!(!passes(752, vote(1, 6, 2)) && passes(753, vote(2, 1, 1)));
        assert!(!passes(1_600, vote(1, 7, 1)), "a term that is over");
        assert!(passes(1_600, vote(2, 1, 1)));
        assert!(passes(11_600, vote(1, 7, 1)), "who begins anew is heard after a while");
    }
}
