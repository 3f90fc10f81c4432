//! Who signs which anchor, for every height since the node started.
//!
//! Consensus may be behind the book, when the follower was quicker: it asks about heights that
//! the state no longer tells of. A wrong set would make it refuse what was decided.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ddt_ledger::certificate::ValidatorSet;
use ddt_ledger::system::Validators;

/// The sets, each by the first height that it signs.
#[derive(Default)]
pub struct Sets(Mutex<BTreeMap<u64, Arc<ValidatorSet>>>);

impl Sets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<ValidatorSet>>> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// What the state after the anchor of this height says of the next two.
    pub fn committed(&self, height: u64, validators: &Validators) {
        let mut sets = self.lock();
        let next = height.saturating_add(1);
        for (height, set) in
            [(next, &validators.next), (next.saturating_add(1), &validators.after_next)]
        {
            let known = sets.range(..=height).next_back().map(|(_, known)| known.clone());
            if known.is_none_or(|known| *known != *set) {
                sets.insert(height, Arc::new(set.clone()));
            }
        }
    }

    /// Who signs the anchor of this height; `None` for heights before the node started.
    pub fn at(&self, height: u64) -> Option<Arc<ValidatorSet>> {
        self.lock().range(..=height).next_back().map(|(_, set)| set.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ddt_ledger::certificate::Validator;
    use ddt_ledger::{PublicKey, Zone};

    // Broken by: answering with the newest set for a height that an older one signs.
    #[test]
    fn each_height_keeps_its_set() {
        let set = |number: u8| {
            let (key, vrf_key) = (PublicKey([number; 32]), PublicKey([number; 32]));
            ValidatorSet(vec![Validator { zone: Zone(u32::from(number)), key, vrf_key }])
        };
        let sets = Sets::default();
        assert!(sets.at(5).is_none());
        sets.committed(4, &Validators { next: set(1), after_next: set(1) });
        sets.committed(5, &Validators { next: set(1), after_next: set(2) });
        sets.committed(6, &Validators { next: set(2), after_next: set(2) });
        let found: Vec<ValidatorSet> = (5..9).map(|at| (*sets.at(at).unwrap()).clone()).collect();
        assert_eq!(found, [set(1), set(1), set(2), set(2)]);
        assert_eq!(sets.lock().len(), 2);
    }
}
