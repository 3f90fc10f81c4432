//! Who among the validators is already past our height: a reason not to stay idle.

use std::collections::BTreeMap;

use crate::context::Address;

/// The highest height each validator was heard to work on.
///
/// One validator alone must not be able to keep the network spinning, so a call counts
/// when at least one honest validator is among the callers (f + 1).
#[derive(Debug, Default)]
pub(crate) struct Callers {
    heights: BTreeMap<Address, u64>,
}

impl Callers {
    /// Whether hearing `voter` at `height` would be news.
    pub(crate) fn is_news(&self, voter: &Address, height: u64) -> bool {
        self.heights.get(voter).is_none_or(|heard| *heard < height)
    }

    /// A validator voted or proposed at this height; its signature was checked.
    pub(crate) fn voted(&mut self, voter: Address, height: u64) {
        let heard = self.heights.entry(voter).or_default();
        *heard = height.max(*heard);
    }

    /// Forgets who is no validator any more.
    pub(crate) fn retain(&mut self, is_member: impl Fn(&Address) -> bool) {
        self.heights.retain(|voter, _| is_member(voter));
    }

    /// The height we are called to, given how many callers surely include an honest one.
    pub(crate) fn called_to(&self, one_honest: usize) -> u64 {
        let mut heights: Vec<u64> = self.heights.values().copied().collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.get(one_honest.saturating_sub(1)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ddt_ledger::certificate::ValidatorAddress;

    /// Breaks when a single vote is enough to wake three others.
    #[test]
    fn one_of_four_cannot_call_alone() {
        let voter = |number| Address(ValidatorAddress([number; 20]));
        let mut callers = Callers::default();
        callers.voted(voter(1), 9);
        callers.voted(voter(1), 10);
        assert_eq!(callers.called_to(2), 0);
        callers.voted(voter(2), 8);
        assert_eq!(callers.called_to(2), 8);
        assert!(!callers.is_news(&voter(2), 8));
        // Keys of before count no more, or one validator would have many by moving.
        callers.retain(|address| *address == voter(1));
        assert_eq!(callers.called_to(2), 0);
    }
}
