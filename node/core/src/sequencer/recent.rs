//! Events executed not long ago.

use std::collections::{BTreeSet, VecDeque};

use ddt_ledger::Hash;

/// Ids remembered, about the events of a dozen full anchors.
const IDS_MAX: usize = 262_144;

/// The last executed ids. An event let in at an older state may still arrive from the shell's
/// queues; what is forgotten here, admission knows by its used nonce.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ids: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Recent {
    pub(super) fn insert(&mut self, id: Hash) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: &Hash) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let id = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            Hash(bytes)
        };
        let mut recent = Recent::default();
        for number in 0..=IDS_MAX {
            recent.insert(id(number));
            recent.insert(id(number));
        }
        // Mutation: forgetting nothing, or the newest.
        assert_eq!((recent.ids.len(), recent.order.len()), (IDS_MAX, IDS_MAX));
        assert!(!recent.contains(&id(0)));
        assert!(recent.contains(&id(1)) && recent.contains(&id(IDS_MAX)));
    }
}
