//! The book right after one anchor: the tables as they were then, and what waits beside them.

use std::collections::BTreeMap;
use std::ops::Bound;

use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};

use super::book::{INDEX, STATE};
use super::history::{EVENTS, HISTORY, RECEIPTS, receipt};
use super::open::fault;
use super::recent::Recent;
use super::snapshot::Place;
use crate::fault::StoreFault;
use crate::receipt::Outcome;
use crate::state::{Change, Page, start_of};

type Bytes = &'static [u8];

/// The book right after one anchor.
pub(super) struct Current {
    pub(super) read: ReadTransaction,
    pub(super) recent: Recent,
    pub(super) receipts: ReadOnlyTable<Place, Bytes>,
    state: ReadOnlyTable<Bytes, Bytes>,
    events: ReadOnlyTable<&'static [u8; 32], Place>,
}

impl Current {
    pub(super) fn new(db: &Database, recent: Recent) -> Result<Current, StoreFault> {
        let read = db.begin_read().map_err(fault)?;
        let state = read.open_table(STATE).map_err(fault)?;
        let events = read.open_table(EVENTS).map_err(fault)?;
        let receipts = read.open_table(RECEIPTS).map_err(fault)?;
        Ok(Current { read, recent, receipts, state, events })
    }

    /// The row with this full key.
    pub(super) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        if let Some(change) = self.recent.row(key) {
            return Ok(change.clone());
        }
        Ok(self.state.get(key).map_err(fault)?.map(|value| value.value().to_vec()))
    }

    /// At most `limit` rows whose keys start with `prefix` and lie after `after`, in order.
    pub(super) fn rows(
        &self,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Page, StoreFault> {
        let (mut rows, mut after) = (Page::new(), after.to_vec());
        while rows.len() < limit {
            let folded = page(&self.state, prefix, &after, limit)?;
            // The end of a full page; behind the last page everything that waits follows.
            let end = folded.last().map(|(key, _)| key.clone()).filter(|_| folded.len() == limit);
            let bound = end.as_deref().map_or(Bound::Unbounded, Bound::Included);
            let waiting = self.recent.rows(prefix, (start_of(prefix, &after), bound));
            merge(folded, waiting, &mut rows);
            match end {
                Some(end) => after = end,
                None => break,
            }
        }
        rows.truncate(limit);
        Ok(rows)
    }

    /// At most `limit` entries of a secondary index.
    pub(super) fn index(
        &self,
        prefix: &[u8],
        after: &[u8],
        limit: usize,
    ) -> Result<Page, StoreFault> {
        page(&self.read.open_table(INDEX).map_err(fault)?, prefix, after, limit)
    }

    /// Where an event's receipt stands.
    pub(super) fn event(&self, id: &[u8; 32]) -> Result<Option<Place>, StoreFault> {
        if let Some(place) = self.recent.event(id) {
            return Ok(Some(place));
        }
        Ok(self.events.get(id).map_err(fault)?.map(|place| place.value()))
    }

    /// Whether an event was executed, not only void.
    pub(super) fn is_executed(&self, id: &[u8; 32]) -> Result<bool, StoreFault> {
        let Some(place) = self.event(id)? else { return Ok(false) };
        let found = receipt(&self.receipts, place)?;
        Ok(found.is_some_and(|receipt| !matches!(receipt.outcome, Outcome::Void(_))))
    }

    /// At most `limit` places of an account's history before `end`, newest first.
    pub(super) fn history(
        &self,
        account: &[u8; 32],
        end: Place,
        limit: usize,
    ) -> Result<Vec<Place>, StoreFault> {
        let table = self.read.open_table(HISTORY).map_err(fault)?;
        let range = table.range((account, 0, 0)..(account, end.0, end.1)).map_err(fault)?;
        let mut places = self.recent.history(account, end, limit);
        for entry in range.rev().take(limit) {
            let (_, height, index) = entry.map_err(fault)?.0.value();
            places.push((height, index));
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.dedup();
        places.truncate(limit);
        Ok(places)
    }
}

/// Appends rows of the tables, with what waits in their place.
fn merge(folded: Page, waiting: BTreeMap<&[u8], &Change>, rows: &mut Page) {
    let mut waiting = waiting.into_iter().peekable();
    let written = |(key, change): (&[u8], &Change)| {
        change.as_ref().map(|value| (key.to_vec(), value.clone()))
    };
    for (key, value) in folded {
        while let Some(earlier) = waiting.next_if(|(at, _)| *at < key.as_slice()) {
            rows.extend(written(earlier));
        }
        match waiting.next_if(|(at, _)| *at == key.as_slice()) {
            Some(newer) => rows.extend(written(newer)),
            None => rows.push((key, value)),
        }
    }
    rows.extend(waiting.filter_map(written));
}

fn page(
    table: &ReadOnlyTable<Bytes, Bytes>,
    prefix: &[u8],
    after: &[u8],
    limit: usize,
) -> Result<Page, StoreFault> {
    let bounds = (start_of(prefix, after), Bound::<&[u8]>::Unbounded);
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
