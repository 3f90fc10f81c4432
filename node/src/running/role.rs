//! What a node is to its network, as the state says.

use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::certificate::ValidatorSet;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::{Lane, Validators};
use ddt_ledger::{PublicKey, Zone};

use super::records::Standing;

/// What a node does for its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The zone whose lane it seals.
    pub zone: Option<Zone>,
    /// Whether it votes on anchors.
    pub is_validator: bool,
    /// Whether it would do either, but lost what it signed and signs nothing.
    pub is_silent: bool,
}

/// Whether this key alone seals and votes: then no other router knows what it signed.
pub fn is_alone(snapshot: &Snapshot, key: &PublicKey) -> bool {
    let lanes = Lane::scan(snapshot, None, TIPS_MAX);
    let is_only = |set: &ValidatorSet| set.0.iter().all(|validator| validator.key == *key);
    let validators = Validators::read(snapshot);
    lanes.iter().all(|(_, lane)| lane.key == *key)
        && validators.is_some_and(|set| is_only(&set.next) && is_only(&set.after_next))
}

impl Role {
    /// The role that the state gives to this router key, as far as it may sign. A key that is
    /// to vote, or voted until now, takes part in consensus.
    pub fn of(snapshot: &Snapshot, key: &PublicKey, standing: Standing) -> Role {
        if standing.silence.is_some() {
            return Role { zone: None, is_validator: false, is_silent: true };
        }
        let lanes = Lane::scan(snapshot, None, TIPS_MAX);
        let own = lanes.into_iter().find(|(_, lane)| lane.key == *key);
        let own = own.filter(|(zone, lane)| !standing.may_not_seal(*zone, lane.term));
        let zone = own.map(|(zone, _)| zone);
        let is_in = |set: &ValidatorSet| set.0.iter().any(|validator| validator.key == *key);
        let validators = Validators::read(snapshot);
        let is_validator = validators.is_some_and(|set| is_in(&set.next) || is_in(&set.after_next));
        Role { zone, is_validator, is_silent: false }
    }

    /// Whether it signs for the network.
    pub fn is_router(self) -> bool {
        self.zone.is_some() || self.is_validator
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match (self.is_router(), self.is_silent) {
            (true, _) => "router",
            (false, true) => "silent router",
            (false, false) => "full node",
        }
    }
}
