//! The validators of one height, as the engine sees them.

use std::sync::Arc;

use arc_malachitebft_core_types as engine;
use ddt_ledger::PublicKey;
use ddt_ledger::certificate::{VALIDATORS_MAX, ValidatorSet};

use crate::context::{Address, Ddt};
use crate::error::Fault;

/// A validator with its one vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub address: Address,
    pub key: PublicKey,
}

impl engine::Validator<Ddt> for Member {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        1
    }
}

/// The validators of a height: never none, at most [`VALIDATORS_MAX`], all different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Members {
    first: Member,
    rest: Arc<[Member]>,
}

impl Members {
    pub(crate) fn new(set: &ValidatorSet) -> Result<Members, Fault> {
        if set.0.len() > VALIDATORS_MAX {
            return Err(Fault::new(format!(
                "{} validators, at most {VALIDATORS_MAX}",
                set.0.len()
            )));
        }
        let mut seen = std::collections::BTreeSet::new();
        if !set.0.iter().all(|validator| seen.insert(validator.key)) {
            return Err(Fault::new("a validator appears twice in the set"));
        }
        let mut members = set
            .0
            .iter()
            .map(|validator| Member { address: Address(validator.address()), key: validator.key });
        let first = members.next().ok_or_else(|| Fault::new("the validator set is empty"))?;
        Ok(Members { first, rest: members.collect() })
    }

    /// Who proposes: round robin over heights and rounds.
    pub(crate) fn proposer(&self, height: u64, round: u32) -> &Member {
        let count = engine::ValidatorSet::count(self) as u64;
        let turn = height.wrapping_add(u64::from(round)).checked_rem(count).unwrap_or(0);
        // The remainder is less than 100.
        engine::ValidatorSet::get_by_index(self, turn as usize).unwrap_or(&self.first)
    }

    /// Votes that include at least one honest validator's: f + 1.
    pub(crate) fn one_honest(&self) -> usize {
        (self.rest.len() / 3).saturating_add(1)
    }
}

impl engine::ValidatorSet<Ddt> for Members {
    fn count(&self) -> usize {
        self.rest.len().saturating_add(1)
    }

    fn total_voting_power(&self) -> u64 {
        self.count() as u64
    }

    fn get_by_address(&self, address: &Address) -> Option<&Member> {
        std::iter::once(&self.first)
            .chain(self.rest.iter())
            .find(|member| member.address == *address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Member> {
        match index.checked_sub(1) {
            None => Some(&self.first),
            Some(index) => self.rest.get(index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ddt_ledger::Zone;
    use ddt_ledger::certificate::Validator;

    fn set(keys: impl IntoIterator<Item = u8>) -> ValidatorSet {
        let validator = |number| {
            let key = PublicKey([number; 32]);
            Validator { zone: Zone(number.into()), key, vrf_key: key }
        };
        ValidatorSet(keys.into_iter().map(validator).collect())
    }

    /// Breaks when an empty, doubled or oversized set reaches the engine, which would divide
    /// by zero, count a vote twice, or drown.
    #[test]
    fn senseless_sets_are_faults() {
        for keys in [vec![], vec![1, 2, 1], (0..=100).collect()] {
            Members::new(&set(keys)).unwrap_err();
        }
        Members::new(&set(0..100)).unwrap();
    }

    /// Breaks when somebody is never in turn, or f + 1 is computed so that f reach it.
    #[test]
    fn everybody_proposes_in_turn() {
        let members = Members::new(&set(0..4)).unwrap();
        let turns: Vec<u8> = (0..5).map(|round| members.proposer(3, round).key.0[0]).collect();
        assert_eq!(turns, [3, 0, 1, 2, 3]);
        let honest = |count| Members::new(&set(0..count)).unwrap().one_honest();
        assert_eq!([1, 3, 4, 6, 7, 100].map(honest), [1, 1, 2, 2, 3, 34]);
    }
}
