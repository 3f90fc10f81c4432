//! Nonces in flight, by the signer that must not use them twice.

use std::collections::BTreeMap;

use ddt_ledger::event::{Checked, Role};
use ddt_ledger::{AccountId, Hash, PublicKey};

use crate::mempool::MempoolLimits;

/// Whose nonces: the ledger keeps them for an owner, and for each hot key, on its own. A
/// stolen node key therefore cannot use up its owner's place.
type Signer = (AccountId, Role, PublicKey);

/// The nonces that events in flight use.
#[derive(Debug, Default)]
pub(crate) struct Signers(BTreeMap<Signer, Own>);

/// One signer's events in flight: by nonce, and their bytes.
#[derive(Debug, Default)]
struct Own {
    nonces: BTreeMap<u64, Hash>,
    bytes: usize,
}

/// How much of one signer is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Events.
    pub events: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl InFlight {
    /// Both together.
    pub(crate) fn plus(self, other: InFlight) -> InFlight {
        InFlight {
            events: self.events.saturating_add(other.events),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// Whether `event` may join these.
    pub(crate) fn has_room(self, event: &Checked, limits: &MempoolLimits) -> bool {
        let bytes = self.bytes.saturating_add(event.bytes().len());
        self.events < limits.per_author_max && bytes <= limits.author_bytes_max
    }
}

fn signer(event: &Checked) -> Signer {
    let draft = event.draft();
    (draft.author, draft.role, draft.key)
}

impl Signers {
    pub(crate) fn insert(&mut self, event: &Checked) {
        let own = self.0.entry(signer(event)).or_default();
        if own.nonces.insert(event.draft().nonce, event.id()) != Some(event.id()) {
            own.bytes = own.bytes.saturating_add(event.bytes().len());
        }
    }

    pub(crate) fn remove(&mut self, event: &Checked) {
        let signer = signer(event);
        if let Some(own) = self.0.get_mut(&signer) {
            if own.nonces.get(&event.draft().nonce) == Some(&event.id()) {
                own.nonces.remove(&event.draft().nonce);
                own.bytes = own.bytes.saturating_sub(event.bytes().len());
            }
            if own.nonces.is_empty() {
                self.0.remove(&signer);
            }
        }
    }

    /// What `event`'s signer has.
    pub(crate) fn of(&self, event: &Checked) -> InFlight {
        let own = self.0.get(&signer(event));
        own.map_or_else(InFlight::default, |own| InFlight {
            events: own.nonces.len(),
            bytes: own.bytes,
        })
    }

    /// Whether `event`'s nonce is in use by its signer.
    pub(crate) fn uses(&self, event: &Checked) -> bool {
        let own = self.0.get(&signer(event));
        own.is_some_and(|own| own.nonces.contains_key(&event.draft().nonce))
    }
}
