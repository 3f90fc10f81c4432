//! A consistent view of `book.redb` right after one anchor.

use std::cell::RefCell;

use redb::{ReadOnlyTable, ReadTransaction};

use super::book::{ANCHORS, AnchorRecord, HANDOVERS, INDEX, STATE};
use super::history::{EVENTS, HISTORY, NAMED, NUMBERS, RECEIPTS};
use super::open::fault;
use crate::codec::decode;
use crate::fault::StoreFault;
use crate::hash::Hash;
use crate::ids::{AccountId, Zone};
use crate::proof::Handover;
use crate::receipt::{RECEIPT_BYTES_MAX, Receipt};
use crate::state::{Page, StateReader, start_of};
use crate::table::Rows;

/// Where a receipt stands: (anchor, index).
pub type Place = (u64, u32);

const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// The book right after one anchor; later commits do not change it.
pub struct Snapshot {
    pub(super) read: ReadTransaction,
    state: ReadOnlyTable<&'static [u8], &'static [u8]>,
    fault: RefCell<Option<StoreFault>>,
}

impl Snapshot {
    pub(super) fn new(read: ReadTransaction) -> Result<Snapshot, StoreFault> {
        let state = read.open_table(STATE).map_err(fault)?;
        Ok(Snapshot { read, state, fault: RefCell::new(None) })
    }

    /// The first fault met while rows were read through [`Rows`]: their answers are worth
    /// nothing then.
    pub fn fault(&self) -> Option<StoreFault> {
        self.fault.borrow().clone()
    }

    /// An anchor as it was decided, and the roots after it.
    pub fn anchor(&self, height: u64) -> Result<Option<AnchorRecord>, StoreFault> {
        let table = self.read.open_table(ANCHORS).map_err(fault)?;
        let Some(bytes) = table.get(height).map_err(fault)? else { return Ok(None) };
        let record = decode(bytes.value(), RECORD_BYTES_MAX);
        record.map(Some).map_err(|_| StoreFault::damaged(format!("anchor {height}")))
    }

    /// A receipt.
    pub fn receipt(&self, place: Place) -> Result<Option<Receipt>, StoreFault> {
        let table = self.read.open_table(RECEIPTS).map_err(fault)?;
        let Some(bytes) = table.get(place).map_err(fault)? else { return Ok(None) };
        read_receipt(bytes.value()).map(Some)
    }

    /// At most `limit` receipts of an anchor from `index` on.
    pub fn receipts(
        &self,
        height: u64,
        index: u32,
        limit: usize,
    ) -> Result<Vec<Receipt>, StoreFault> {
        let table = self.read.open_table(RECEIPTS).map_err(fault)?;
        let range = table.range((height, index)..=(height, u32::MAX)).map_err(fault)?;
        range.take(limit).map(|entry| read_receipt(entry.map_err(fault)?.1.value())).collect()
    }

    /// At most `limit` receipts before `place` (from the newest, if none), newest first.
    pub fn receipts_before(
        &self,
        place: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Receipt>, StoreFault> {
        let table = self.read.open_table(RECEIPTS).map_err(fault)?;
        let end = place.unwrap_or((u64::MAX, u32::MAX));
        let range = table.range(..end).map_err(fault)?.rev();
        range.take(limit).map(|entry| read_receipt(entry.map_err(fault)?.1.value())).collect()
    }

    /// At most `limit` receipts after `place`, oldest first: what a live stream replays.
    pub fn receipts_after(&self, place: Place, limit: usize) -> Result<Vec<Receipt>, StoreFault> {
        use std::ops::Bound::{Excluded, Unbounded};
        let table = self.read.open_table(RECEIPTS).map_err(fault)?;
        let range = table.range((Excluded(place), Unbounded::<Place>)).map_err(fault)?;
        range.take(limit).map(|entry| read_receipt(entry.map_err(fault)?.1.value())).collect()
    }

    /// Where an event's receipt stands.
    pub fn event_place(&self, id: &Hash) -> Result<Option<Place>, StoreFault> {
        let table = self.read.open_table(EVENTS).map_err(fault)?;
        Ok(table.get(&id.0).map_err(fault)?.map(|place| place.value()))
    }

    /// The event with a sequence number.
    pub fn event_numbered(&self, zone: Zone, number: u64) -> Result<Option<Hash>, StoreFault> {
        let table = self.read.open_table(NUMBERS).map_err(fault)?;
        Ok(table.get((zone.0, number)).map_err(fault)?.map(|id| Hash(*id.value())))
    }

    /// At most `limit` places of receipts that touched an account, newest first, before
    /// `place`.
    pub fn history(
        &self,
        account: &AccountId,
        place: Option<Place>,
        limit: usize,
    ) -> Result<Vec<Place>, StoreFault> {
        let table = self.read.open_table(HISTORY).map_err(fault)?;
        let (height, index) = place.unwrap_or((u64::MAX, u32::MAX));
        let first = (&account.0, 0, 0);
        let range = table.range(first..(&account.0, height, index)).map_err(fault)?.rev();
        let mut places = Vec::new();
        for entry in range.take(limit) {
            let (key, _) = entry.map_err(fault)?;
            let (_, height, index) = key.value();
            places.push((height, index));
        }
        Ok(places)
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
        let table = self.read.open_table(NAMED).map_err(fault)?;
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
        let table = self.read.open_table(HANDOVERS).map_err(fault)?;
        let mut handovers = Vec::new();
        for entry in table.range(..=height).map_err(fault)? {
            let (_, bytes) = entry.map_err(fault)?;
            let handover = decode(bytes.value(), RECORD_BYTES_MAX);
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

    fn index(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Page, StoreFault> {
        let table = self.read.open_table(INDEX).map_err(fault)?;
        page(&table, prefix, after, limit)
    }
}

fn page(
    table: &ReadOnlyTable<&'static [u8], &'static [u8]>,
    prefix: &[u8],
    after: &[u8],
    limit: usize,
) -> Result<Page, StoreFault> {
    let bounds = (start_of(prefix, after), std::ops::Bound::<&[u8]>::Unbounded);
    let mut rows = Page::new();
    for entry in table.range::<&[u8]>(bounds).map_err(fault)?.take(limit) {
        let (key, value) = entry.map_err(fault)?;
        if !key.value().starts_with(prefix) {
            break;
        }
        rows.push((key.value().to_vec(), value.value().to_vec()));
    }
    Ok(rows)
}

fn read_receipt(bytes: &[u8]) -> Result<Receipt, StoreFault> {
    decode(bytes, RECEIPT_BYTES_MAX).map_err(|_| StoreFault::damaged("a receipt"))
}

impl StateReader for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.state.get(key).map_err(fault)?.map(|value| value.value().to_vec()))
    }

    fn after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Page, StoreFault> {
        page(&self.state, prefix, after, limit)
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
        self.note(self.index(prefix, after, limit))
    }
}
