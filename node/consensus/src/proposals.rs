//! Which proposals are known at the height being decided and at the next, without bodies.

use std::collections::BTreeMap;

use ddt_ledger::Hash;

use crate::application::PROPOSALS_MAX;

/// An honest proposer makes one body a round. A second is kept because an equivocator may
/// have sent it to the others; more would only fill the disk.
const BODIES_PER_ROUND_MAX: usize = 2;

/// Of what may be kept of a height, bodies of others have this part: own ones, and one that was
/// decided elsewhere, find room at any time.
const BODIES_OF_OTHERS_MAX: usize = PROPOSALS_MAX / 2;

/// Rounds ahead of ours for which a body is kept.
pub(crate) const ROUNDS_AHEAD_MAX: u32 = 8;

/// How far a proposal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Kept, not judged yet: a block was missing, or its height has not begun.
    Kept,
    /// The engine knows our verdict.
    Told,
}

/// Whether a body may be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    New,
    Known,
    Full,
}

/// Proposals by height, round and anchor.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    known: BTreeMap<(u64, u32, Hash), Standing>,
}

impl Proposals {
    pub(crate) fn admission(&self, height: u64, round: u32, anchor: Hash) -> Admission {
        if self.known.contains_key(&(height, round, anchor)) {
            return Admission::Known;
        }
        let of_round = self.known.keys().filter(|(h, r, _)| (*h, *r) == (height, round)).count();
        let of_height = self.of_height(height);
        if of_round >= BODIES_PER_ROUND_MAX || of_height >= BODIES_OF_OTHERS_MAX {
            Admission::Full
        } else {
            Admission::New
        }
    }

    fn of_height(&self, height: u64) -> usize {
        self.known.keys().filter(|(h, ..)| *h == height).count()
    }

    /// Whether only what was decided elsewhere finds room.
    pub(crate) fn is_full(&self, height: u64) -> bool {
        self.of_height(height) >= PROPOSALS_MAX.saturating_sub(1)
    }

    pub(crate) fn kept(&mut self, height: u64, round: u32, anchor: Hash) {
        self.known.entry((height, round, anchor)).or_insert(Standing::Kept);
    }

    pub(crate) fn told(&mut self, height: u64, round: u32, anchor: Hash) {
        self.known.insert((height, round, anchor), Standing::Told);
    }

    pub(crate) fn is_told(&self, height: u64, round: u32, anchor: Hash) -> bool {
        self.known.get(&(height, round, anchor)) == Some(&Standing::Told)
    }

    /// Forgets every height below this one.
    pub(crate) fn begin(&mut self, height: u64) {
        self.known.retain(|(h, ..), _| *h >= height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks when an equivocating proposer can make us store a third body for a round, or
    /// when rounds do not add up to the limit of a height.
    #[test]
    fn bodies_are_bounded_by_round_and_height() {
        let mut proposals = Proposals::default();
        let anchor = |number: u8| Hash([number; 32]);
        proposals.kept(5, 0, anchor(1));
        proposals.told(5, 0, anchor(2));
        assert_eq!(proposals.admission(5, 0, anchor(3)), Admission::Full);
        assert_eq!(proposals.admission(5, 0, anchor(1)), Admission::Known);
        assert_eq!(proposals.admission(5, 1, anchor(3)), Admission::New);
        for round in 1..BODIES_OF_OTHERS_MAX as u32 {
            proposals.kept(5, round, anchor(1));
        }
        assert_eq!(proposals.admission(5, 5000, anchor(1)), Admission::Full);
        assert!(!proposals.is_full(5), "own ones still find room");
        for round in 1..PROPOSALS_MAX as u32 {
            proposals.kept(5, round, anchor(1));
        }
        assert!(proposals.is_full(5));
        proposals.begin(6);
        assert_eq!(proposals.admission(5, 0, anchor(3)), Admission::New);
    }

    /// Breaks when keeping a proposal again forgets that its verdict was told.
    #[test]
    fn a_told_proposal_stays_told() {
        let mut proposals = Proposals::default();
        proposals.told(1, 0, Hash::ZERO);
        proposals.kept(1, 0, Hash::ZERO);
        assert!(proposals.is_told(1, 0, Hash::ZERO));
    }
}
