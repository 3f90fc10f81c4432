//! Holds that pay for events in flight: one event each.
//!
//! Anybody may author an event that somebody's hold pays for, and the first one empties the hold.
//! All others would be void, at the expense of the router that sequenced them (spec RTR-23).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ddt_core::mempool::HOLD_WAITING;
use ddt_ledger::{Hash, Refusal};

use super::tracker::Tracker;

/// Programme and key.
type Hold = (u16, Hash);

/// How many more are noted before those that ended are looked for.
const PRUNE_EVERY: usize = 1_024;

/// The event that each hold pays for, as long as it is followed.
#[derive(Default)]
pub struct Holds(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    events: BTreeMap<Hold, Hash>,
    holds: BTreeMap<Hash, Hold>,
    prune_at: usize,
}

impl Noted {
    fn prune(&mut self, tracker: &Tracker) {
        self.holds.retain(|event, _| tracker.following(event).is_some());
        self.events = self.holds.iter().map(|(event, hold)| (*hold, *event)).collect();
        self.prune_at = self.holds.len().saturating_add(PRUNE_EVERY);
    }
}

impl Holds {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Notes that a hold pays for an event that is followed from now on.
    ///
    /// # Errors
    /// It pays for another one that is in flight.
    pub fn take(&self, hold: Hold, event: Hash, tracker: &Tracker) -> Result<(), Refusal> {
        let mut noted = self.lock();
        let other = noted.events.get(&hold).copied().filter(|other| *other != event);
        if other.is_some_and(|other| tracker.following(&other).is_some()) {
            return Err(HOLD_WAITING);
        }
        if let Some(other) = other {
            noted.holds.remove(&other);
        }
        noted.events.insert(hold, event);
        noted.holds.insert(event, hold);
        if noted.holds.len() > noted.prune_at {
            noted.prune(tracker);
        }
        Ok(())
    }

    /// Whether a hold pays for this event.
    pub fn is_paying(&self, event: &Hash) -> bool {
        self.lock().holds.contains_key(event)
    }
}
