//! The mempool: checked events that wait for a place in a lane.
//!
//! The shell asks the ledger's admission first; here are only the rules about waiting. Order
//! is karma class, then arrival, and nothing grows without a limit.

use std::collections::{BTreeMap, BTreeSet};

use ddt_ledger::event::{Checked, EXPIRED};
use ddt_ledger::registry::Registry;
use ddt_ledger::{Hash, Millis, Refusal};

pub use crate::signers::InFlight;
use crate::signers::Signers;

/// The highest karma class; higher ones count as this one.
pub const CLASS_MAX: u8 = 7;
/// Bytes of a block that an event takes beside its own: its length.
pub const EVENT_OVERHEAD_BYTES: usize = 4;

ddt_ledger::refusals! {
    FULL = "mempool.full",
        "Too many events wait here; send the same bytes again later or to another router.";
    AUTHOR_LIMIT = "mempool.author_limit",
        "Too many of this key's events are in flight; wait until some are final.";
    SOON = "mempool.expires_soon",
        "It expires before it could surely be final; sign again with a later valid_until.";
    HOLD_WAITING = "mempool.hold_waiting",
        "Another event that the same hold pays for is in flight; wait until it is final.";
    NONCE_WAITING = "mempool.nonce_waiting",
        "Another event with this nonce is in flight; sign again with a new nonce.";
}

/// What expires sooner is sequenced no more: longer than a block may wait to be anchored before
/// sealing pauses.
pub const LEAD_MS: Millis = Millis(45_000);

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Most events.
    pub events_max: usize,
    /// Most bytes, each event's overhead in a block included.
    pub bytes_max: usize,
    /// Most events of one author's key. The ledger remembers 32 nonces of each, so more in
    /// flight could make each other void.
    pub per_author_max: usize,
    /// Most bytes of these. A client may make them void elsewhere, for the price of one small
    /// event, and then the router's bond pays for their room (spec RTR-23).
    pub author_bytes_max: usize,
    /// What expires within this time is not sequenced any more: it might be void when its anchor
    /// comes.
    pub lead_ms: Millis,
}

impl Default for MempoolLimits {
    fn default() -> MempoolLimits {
        MempoolLimits {
            events_max: 65_536,
            bytes_max: 64 * 1024 * 1024,
            per_author_max: ddt_ledger::accounts::NONCES_MAX,
            author_bytes_max: 64 * 1024,
            lead_ms: LEAD_MS,
        }
    }
}

/// How an event was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits now.
    New {
        /// What had to go for it: whoever waits for these must be told.
        dropped: Vec<Dropped>,
    },
    /// It waited already.
    Known,
}

/// An event that waits no longer and was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The event.
    pub event: Checked,
    /// Why.
    pub refusal: Refusal,
}

/// What may be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Most bytes, each event's overhead in a block included.
    pub bytes_max: usize,
    /// Most events.
    pub events_max: usize,
    /// Most work units, but always room for one event.
    pub work_max: u64,
}

/// What was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// In the order of execution.
    pub events: Vec<Checked>,
    /// Expired meanwhile.
    pub dropped: Vec<Dropped>,
}

/// Class counted down from the highest, then arrival: ascending is the order of taking.
type Order = (u8, u64);

/// Checked events in the order in which they will be sequenced.
pub struct Mempool {
    limits: MempoolLimits,
    registry: Registry,
    waiting: BTreeMap<Order, Checked>,
    orders: BTreeMap<Hash, Order>,
    expiries: BTreeSet<(Millis, Order)>,
    signers: Signers,
    arrivals: u64,
    bytes: usize,
    work: u64,
}

fn cost(event: &Checked) -> usize {
    event.bytes().len().saturating_add(EVENT_OVERHEAD_BYTES)
}

/// Why an event is too late to be sequenced, if it is.
pub fn late(valid_until: Millis, now: Millis, lead: Millis) -> Option<Refusal> {
    match () {
        () if valid_until <= now => Some(EXPIRED),
        () if valid_until <= now.plus(lead) => Some(SOON),
        () => None,
    }
}

/// Work units of an event, counted as [`ddt_ledger::lane::CheckedBlock::work`] does.
fn work_of(event: &Checked, registry: &Registry) -> u64 {
    event.row(registry).map_or(1, |row| u64::from(row.work))
}

impl Mempool {
    /// An empty mempool. The registry tells what work an event is.
    pub fn new(limits: MempoolLimits, registry: Registry) -> Mempool {
        Mempool {
            limits,
            registry,
            waiting: BTreeMap::new(),
            orders: BTreeMap::new(),
            expiries: BTreeSet::new(),
            signers: Signers::default(),
            arrivals: 0,
            bytes: 0,
            work: 0,
        }
    }

    /// Lets an event wait. Idempotent by id; a refusal changes nothing.
    ///
    /// When there is no room, expired events go first, then the newest of the lowest class
    /// below the event's own.
    pub fn insert(&mut self, event: Checked, class: u8, now: Millis) -> Result<Inserted, Refusal> {
        if self.contains(&event.id()) {
            return Ok(Inserted::Known);
        }
        if let Some(refusal) = late(event.draft().valid_until, now, self.limits.lead_ms) {
            return Err(refusal);
        }
        if self.signers.uses(&event) {
            return Err(NONCE_WAITING);
        }
        if !self.signers.of(&event).has_room(&event, &self.limits) {
            return Err(AUTHOR_LIMIT);
        }
        let rank = CLASS_MAX.saturating_sub(class);
        let leaving = self.room_for(cost(&event), rank, now).ok_or(FULL)?;
        let leave =
            |(order, refusal)| self.remove_at(order).map(|event| Dropped { event, refusal });
        let dropped = leaving.into_iter().filter_map(leave).collect();
        self.push((rank, self.arrivals), event);
        self.arrivals = self.arrivals.saturating_add(1);
        Ok(Inserted::New { dropped })
    }

    /// Lets an event wait again, before all others and beyond all limits: it was promised, and
    /// what was promised is bounded already.
    ///
    /// # Errors
    /// It has expired, or soon will, or another one with its nonce waits.
    pub fn put_back(&mut self, event: Checked, now: Millis) -> Result<(), Refusal> {
        if self.contains(&event.id()) {
            return Ok(());
        }
        if let Some(refusal) = late(event.draft().valid_until, now, self.limits.lead_ms) {
            return Err(refusal);
        }
        if self.signers.uses(&event) {
            return Err(NONCE_WAITING);
        }
        self.push((0, self.arrivals), event);
        self.arrivals = self.arrivals.saturating_add(1);
        Ok(())
    }

    /// What must leave so that `size` bytes of this rank fit; `None` when they cannot.
    fn room_for(&self, size: usize, rank: u8, now: Millis) -> Option<BTreeMap<Order, Refusal>> {
        let (mut events, mut bytes) = (self.waiting.len(), self.bytes);
        let fits = |events: usize, bytes: usize| {
            events < self.limits.events_max && bytes.saturating_add(size) <= self.limits.bytes_max
        };
        let lead = self.limits.lead_ms;
        let why = |valid_until| late(valid_until, now, lead).unwrap_or(EXPIRED);
        let expired = self.expired(now).map(|(valid_until, order)| (order, why(valid_until)));
        let lower = self.waiting.keys().rev().take_while(|(other, _)| *other > rank);
        let mut leaving = BTreeMap::new();
        for (order, refusal) in expired.chain(lower.map(|order| (*order, FULL))) {
            if fits(events, bytes) {
                break;
            }
            if let Some(event) = self.waiting.get(&order)
                && !leaving.contains_key(&order)
            {
                leaving.insert(order, refusal);
                events = events.saturating_sub(1);
                bytes = bytes.saturating_sub(cost(event));
            }
        }
        fits(events, bytes).then_some(leaving)
    }

    fn expired(&self, now: Millis) -> impl Iterator<Item = (Millis, Order)> {
        let end = now.plus(self.limits.lead_ms);
        self.expiries.range(..=(end, (u8::MAX, u64::MAX))).copied()
    }

    /// Drops what has expired by `now`, or will within the lead.
    pub fn expire(&mut self, now: Millis) -> Vec<Dropped> {
        let expired: Vec<_> = self.expired(now).collect();
        let lead = self.limits.lead_ms;
        let drop = |(valid_until, order)| {
            let refusal = late(valid_until, now, lead).unwrap_or(EXPIRED);
            self.remove_at(order).map(|event| Dropped { event, refusal })
        };
        expired.into_iter().filter_map(drop).collect()
    }

    /// Takes what comes first and fits. An event that does not fit ends it, so that a smaller
    /// one behind never overtakes.
    pub fn take(&mut self, room: Room, now: Millis) -> Taken {
        let dropped = self.expire(now);
        let mut events: Vec<Checked> = Vec::new();
        let (mut bytes, mut work) = (0_usize, 0_u64);
        while let Some((order, event)) = self.waiting.first_key_value() {
            bytes = bytes.saturating_add(cost(event));
            work = work.saturating_add(work_of(event, &self.registry));
            let is_work_fitting = events.is_empty() || work <= room.work_max;
            if bytes > room.bytes_max || events.len() >= room.events_max || !is_work_fitting {
                break;
            }
            let order = *order;
            events.extend(self.remove_at(order));
        }
        Taken { events, dropped }
    }

    /// Removes an event, wherever it stands.
    pub fn remove(&mut self, id: &Hash) -> Option<Checked> {
        let order = self.orders.get(id).copied()?;
        self.remove_at(order)
    }

    fn push(&mut self, order: Order, event: Checked) {
        self.bytes = self.bytes.saturating_add(cost(&event));
        self.work = self.work.saturating_add(work_of(&event, &self.registry));
        self.orders.insert(event.id(), order);
        self.expiries.insert((event.draft().valid_until, order));
        self.signers.insert(&event);
        self.waiting.insert(order, event);
    }

    fn remove_at(&mut self, order: Order) -> Option<Checked> {
        let event = self.waiting.remove(&order)?;
        self.orders.remove(&event.id());
        self.expiries.remove(&(event.draft().valid_until, order));
        self.signers.remove(&event);
        self.bytes = self.bytes.saturating_sub(cost(&event));
        self.work = self.work.saturating_sub(work_of(&event, &self.registry));
        Some(event)
    }

    /// What waits, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Checked> {
        self.waiting.values()
    }

    /// Whether the event waits.
    pub fn contains(&self, id: &Hash) -> bool {
        self.orders.contains_key(id)
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes that wait, each event's overhead in a block included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Work units that wait.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// What of the same author's key as `event` waits.
    pub fn signed_alike(&self, event: &Checked) -> InFlight {
        self.signers.of(event)
    }
}
