//! The other routers, and how much is on its way to each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ddt_ledger::certificate::ValidatorSet;
use ddt_ledger::system::Lane;
use ddt_ledger::{PublicKey, Zone};

/// Bytes of pushed blocks that may be on their way to one router.
const ON_THE_WAY_MAX: usize = 32 * 1024 * 1024;
/// What any block costs beside its bytes.
const BLOCK_BYTES: usize = 64 * 1024;

#[derive(Default)]
struct Known {
    ways: BTreeMap<PublicKey, Way>,
    keys: BTreeSet<PublicKey>,
    validators: Option<Arc<ValidatorSet>>,
    zones: BTreeMap<Zone, PublicKey>,
    anchored: BTreeMap<Zone, (u64, u64)>,
}

/// The routers that the state names.
#[derive(Default)]
pub struct Routers(Mutex<Known>);

/// What is on its way to a router.
#[derive(Clone, Default)]
pub struct Way(Arc<AtomicUsize>);

/// Bytes on their way; they have arrived, or never will, when this is dropped.
pub struct OnTheWay(Way, usize);

impl Way {
    /// Sends so many bytes on their way, if there are not too many already.
    pub fn enter(&self, bytes: usize) -> Option<OnTheWay> {
        let size = bytes.saturating_add(BLOCK_BYTES);
        let before = self.0.fetch_add(size, Ordering::Relaxed);
        let way = OnTheWay(self.clone(), size);
        // Dropping it takes back what was added.
        (before == 0 || before.saturating_add(size) <= ON_THE_WAY_MAX).then_some(way)
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.0.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Routers {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// The state names these; `me` is this node's own key.
    pub fn set(&self, lanes: &[(Zone, Lane)], validators: &ValidatorSet, me: &PublicKey) {
        let mut known = self.lock();
        let governed = lanes.iter().filter(|(_, lane)| lane.is_governed);
        known.zones = governed.map(|(zone, lane)| (*zone, lane.key)).collect();
        let tip = |(zone, lane): &(Zone, Lane)| (*zone, (lane.term, lane.height));
        known.anchored = lanes.iter().map(tip).collect();
        let voting = validators.0.iter().map(|validator| validator.key);
        known.keys = lanes.iter().map(|(_, lane)| lane.key).chain(voting).collect();
        let before = std::mem::take(&mut known.ways);
        let others = known.keys.iter().filter(|key| *key != me);
        let way = |key: &PublicKey| (*key, before.get(key).cloned().unwrap_or_default());
        known.ways = others.map(way).collect();
        known.validators = Some(Arc::new(validators.clone()));
    }

    /// How far a zone's lane is anchored, if this router seals it: term, and height in it.
    pub fn anchored_of(&self, zone: Zone, router: &PublicKey) -> Option<(u64, u64)> {
        let known = self.lock();
        let is_its = known.zones.get(&zone) == Some(router);
        known.anchored.get(&zone).filter(|_| is_its).copied()
    }

    /// Everybody but this node.
    pub fn others(&self) -> Vec<(PublicKey, Way)> {
        self.lock().ways.iter().map(|(key, way)| (*key, way.clone())).collect()
    }

    /// Whether more than one signs anchors.
    pub fn are_several(&self) -> bool {
        self.validators().0.len() > 1
    }

    /// Everybody.
    pub fn keys(&self) -> BTreeSet<PublicKey> {
        self.lock().keys.clone()
    }

    /// The router of each zone.
    pub fn zones(&self) -> Vec<(Zone, PublicKey)> {
        self.lock().zones.iter().map(|(zone, key)| (*zone, *key)).collect()
    }

    /// How far a zone's lane is anchored: term, and height in it.
    pub fn anchored(&self, zone: Zone) -> Option<(u64, u64)> {
        self.lock().anchored.get(&zone).copied()
    }

    /// Who signs the next anchor.
    pub fn validators(&self) -> Arc<ValidatorSet> {
        self.lock().validators.clone().unwrap_or_else(|| Arc::new(ValidatorSet(Vec::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: bytes that stay on their way for ever, or a large block that never may go.
    #[test]
    fn what_arrived_makes_room() {
        let way = Way::default();
        let large = way.enter(ON_THE_WAY_MAX * 2).expect("alone, any block may go");
        assert!(way.enter(1).is_none());
        drop(large);
        let first = way.enter(1).expect("room");
        let second = way.enter(1).expect("room");
        drop((first, second));
        assert_eq!(way.0.load(Ordering::Relaxed), 0);
    }
}
