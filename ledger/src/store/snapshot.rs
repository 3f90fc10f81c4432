//! A consistent view of `book.redb` right after one anchor.

use std::cell::RefCell;
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::ops::RangeBounds;
use std::sync::Arc;

use redb::{Key, ReadOnlyTable, TableDefinition, Value};

use super::book::{ANCHORS, AnchorRecord, HANDOVERS};
use super::current::Current;
use super::history::{NAMED, NUMBERS, neighbours, read_receipt, receipt, row_of};
use super::open::fault;
use crate::codec::decode;
use crate::fault::StoreFault;
use crate::hash::Hash;
use crate::ids::{AccountId, Zone};
use crate::proof::Handover;
use crate::receipt::{EventPlace, Receipt, Subject};
use crate::state::{Page, StateReader};
use crate::table::Rows;

/// Where a receipt stands: (anchor, index).
pub type Place = (u64, u32);

const RECORD_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

pub(super) fn read_anchor(bytes: &[u8], height: u64) -> Result<AnchorRecord, StoreFault> {
    decode(bytes, RECORD_BYTES_MAX).map_err(|_| StoreFault::damaged(format!("anchor {height}")))
}

/// The book right after one anchor; later commits do not change it.
pub struct Snapshot {
    pub(super) current: Arc<Current>,
    fault: RefCell<Option<StoreFault>>,
}

impl Snapshot {
    pub(super) fn new(current: Arc<Current>) -> Snapshot {
        Snapshot { current, fault: RefCell::new(None) }
    }

    fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<K, V>,
    ) -> Result<ReadOnlyTable<K, V>, StoreFault> {
        self.current.read.open_table(definition).map_err(fault)
    }

    /// The first fault met while rows were read through [`Rows`]: their answers are worth
    /// nothing then.
    pub fn fault(&self) -> Option<StoreFault> {
        self.fault.borrow().clone()
    }

    /// An anchor as it was decided, and the roots after it.
    pub fn anchor(&self, height: u64) -> Result<Option<AnchorRecord>, StoreFault> {
        let table = self.table(ANCHORS)?;
        let Some(bytes) = table.get(height).map_err(fault)? else { return Ok(None) };
        read_anchor(bytes.value(), height).map(Some)
    }

    /// A receipt.
    pub fn receipt(&self, place: Place) -> Result<Option<Receipt>, StoreFault> {
        receipt(&self.current.receipts, place)
    }

    /// At most `limit` receipts of an anchor from `index` on.
    pub fn receipts(
        &self,
        height: u64,
        index: u32,
        limit: usize,
    ) -> Result<Vec<Receipt>, StoreFault> {
        let range = (Included((height, index)), Included((height, u32::MAX)));
        self.receipts_in(range, Order::OldestFirst, limit)
    }

    /// At most `limit` receipts before `place` (from the newest, if none), newest first.
    pub fn receipts_before(
        &self,
        place: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Receipt>, StoreFault> {
        self.receipts_in((Unbounded, place.map_or(Unbounded, Excluded)), Order::NewestFirst, limit)
    }

    /// At most `limit` receipts after `place`, oldest first: what a live stream replays.
    pub fn receipts_after(&self, place: Place, limit: usize) -> Result<Vec<Receipt>, StoreFault> {
        self.receipts_in((Excluded(place), Unbounded), Order::OldestFirst, limit)
    }

    fn receipts_in(
        &self,
        places: (Bound<Place>, Bound<Place>),
        order: Order,
        limit: usize,
    ) -> Result<Vec<Receipt>, StoreFault> {
        let table = &self.current.receipts;
        let rows = match places.0 {
            Included(place) | Excluded(place) => Included(row_of(place)),
            Unbounded => Unbounded,
        };
        let mut rows = table.range::<Place>((rows, places.1)).map_err(fault)?;
        let mut found = Vec::new();
        while found.len() < limit {
            let row = match order {
                Order::OldestFirst => rows.next(),
                Order::NewestFirst => rows.next_back(),
            };
            let Some(row) = row else { break };
            let (first, bytes) = row.map_err(fault)?;
            let mut own = neighbours(first.value(), bytes.value());
            own.retain(|(place, _)| places.contains(place));
            if order == Order::NewestFirst {
                own.reverse();
            }
            let left = limit.saturating_sub(found.len());
            for (_, bytes) in own.into_iter().take(left) {
                found.push(read_receipt(bytes)?);
            }
        }
        Ok(found)
    }

    /// Where an event's receipt stands.
    pub fn event_place(&self, id: &Hash) -> Result<Option<Place>, StoreFault> {
        self.current.event(&id.0)
    }

    /// The event with a sequence number.
    pub fn event_numbered(&self, zone: Zone, number: u64) -> Result<Option<Hash>, StoreFault> {
        Ok(self.place_numbered(zone, number)?.map(|event| event.id))
    }

    /// The event with a sequence number, and the block in which it stands.
    pub fn place_numbered(
        &self,
        zone: Zone,
        number: u64,
    ) -> Result<Option<EventPlace>, StoreFault> {
        let table = self.table(NUMBERS)?;
        let mut runs = table.range((zone.0, 0)..=(zone.0, number)).map_err(fault)?;
        let Some(run) = runs.next_back().transpose().map_err(fault)? else { return Ok(None) };
        let ((_, first), (height, index, count)) = (run.0.value(), run.1.value());
        let at = u32::try_from(number.saturating_sub(first)).ok().filter(|at| *at < count);
        let Some(place) = at.map(|at| (height, index.saturating_add(at))) else { return Ok(None) };
        Ok(self.receipt(place)?.and_then(|receipt| match receipt.subject {
            Subject::Event(event) => Some(event),
            _ => None,
        }))
    }

    /// At most `limit` places of receipts that touched an account, newest first, before
    /// `place`.
    pub fn history(
        &self,
        account: &AccountId,
        place: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, StoreFault> {
        self.current.history(&account.0, place.unwrap_or((u64::MAX, u32::MAX)), limit)
    }

    /// At most `limit` places of receipts that are about a name of a programme, newest
    /// first, before `place`: events that name it, unless they were void, and deadlines.
    pub fn named(
        &self,
        programme: u16,
        name: &str,
        place: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, StoreFault> {
        let table = self.table(NAMED)?;
        let (height, index) = place.unwrap_or((u64::MAX, u32::MAX));
        let name = name.as_bytes();
        let first = (programme, name, 0, 0);
        let range = table.range(first..(programme, name, height, index)).map_err(fault)?.rev();
        let mut places = Vec::new();
        for entry in range.take(limit) {
            let (key, _) = entry.map_err(fault)?;
            let (_, _, height, index) = key.value();
            places.push((height, index));
        }
        Ok(places)
    }

    /// Every change of validators up to `height`, in order.
    pub fn handovers(&self, height: u64) -> Result<Vec<Handover>, StoreFault> {
        let table = self.table(HANDOVERS)?;
        let mut handovers = Vec::new();
        for entry in table.range(..=height).map_err(fault)? {
            let (_, bytes) = entry.map_err(fault)?;
            let handover = decode(bytes.value(), RECORD_BYTES_MAX);
            handovers.push(handover.map_err(|_| StoreFault::damaged("a handover"))?);
        }
        Ok(handovers)
    }

    /// Changes of validators after one height and up to another, in order, as many as fit into
    /// so many bytes and at least one.
    pub fn handovers_in(
        &self,
        (after, last): (u64, u64),
        bytes_max: usize,
        limit: usize,
    ) -> Result<Vec<Handover>, StoreFault> {
        let table = self.table(HANDOVERS)?;
        let (mut handovers, mut bytes) = (Vec::new(), 0usize);
        let range = table.range((Excluded(after), Included(last.max(after.saturating_add(1)))));
        for entry in range.map_err(fault)?.take(limit) {
            let (height, own) = entry.map_err(fault)?;
            bytes = bytes.saturating_add(own.value().len());
            if height.value() > last || (!handovers.is_empty() && bytes > bytes_max) {
                break;
            }
            let handover = decode(own.value(), RECORD_BYTES_MAX);
            handovers.push(handover.map_err(|_| StoreFault::damaged("a handover"))?);
        }
        Ok(handovers)
    }

    fn note<T: Default>(&self, result: Result<T, StoreFault>) -> T {
        result.unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            T::default()
        })
    }
}

impl StateReader for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        self.current.row(key)
    }

    fn after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Page, StoreFault> {
        self.current.rows(prefix, after, limit)
    }
}

impl Rows for Snapshot {
    fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.note(self.get(key))
    }

    fn rows_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Page {
        self.note(self.after(prefix, after, limit))
    }

    fn damaged(&self, key: &[u8]) {
        let what = format!("the row {} does not decode", hex::encode(key));
        self.note::<()>(Err(StoreFault::damaged(what)));
    }

    fn index_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Page {
        self.note(self.current.index(prefix, after, limit))
    }
}
