//! Nonces in flight, by the signer that must not use them twice.

use std::collections::BTreeMap;

use ddt_ledger::event::{Checked, Role};
use ddt_ledger::{AccountId, Hash, PublicKey};

/// Whose nonces: the ledger keeps them for an owner, and for each hot key, on its own. A
/// stolen node key therefore cannot use up its owner's place.
type Signer = (AccountId, Role, PublicKey);

/// The nonces that events in flight use.
#[derive(Debug, Default)]
pub(crate) struct Signers(BTreeMap<Signer, BTreeMap<u64, Hash>>);

fn signer(event: &Checked) -> Signer {
    let draft = event.draft();
    (draft.author, draft.role, draft.key)
}

impl Signers {
    pub(crate) fn insert(&mut self, event: &Checked) {
        self.0.entry(signer(event)).or_default().insert(event.draft().nonce, event.id());
    }

    pub(crate) fn remove(&mut self, event: &Checked) {
        let signer = signer(event);
        if let Some(nonces) = self.0.get_mut(&signer) {
            if nonces.get(&event.draft().nonce) == Some(&event.id()) {
                nonces.remove(&event.draft().nonce);
            }
            if nonces.is_empty() {
                self.0.remove(&signer);
            }
        }
    }

    /// Events of `event`'s signer.
    pub(crate) fn count(&self, event: &Checked) -> usize {
        self.0.get(&signer(event)).map_or(0, BTreeMap::len)
    }

    /// Whether `event`'s nonce is in use by its signer.
    pub(crate) fn uses(&self, event: &Checked) -> bool {
        self.0.get(&signer(event)).is_some_and(|nonces| nonces.contains_key(&event.draft().nonce))
    }
}
