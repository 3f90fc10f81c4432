//! Changes of one anchor above a committed state, with savepoints.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;

use crate::fault::StoreFault;
use crate::table::{Rows, RowsMut};

/// A row's new value, or `None` where it was removed.
pub type Change = Option<Vec<u8>>;

/// Rows written and removed, by full key.
pub type Changes = BTreeMap<Vec<u8>, Change>;

/// Rows with their full keys.
pub type Page = Vec<(Vec<u8>, Vec<u8>)>;

/// A committed state: what the store, or memory, offers for reading.
pub trait StateReader {
    /// The row with this full key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault>;

    /// At most `limit` rows whose keys start with `prefix` and lie after `after`, in order.
    fn after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Page, StoreFault>;
}

/// A state in memory, for tests and for building a genesis.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    /// The rows by full key.
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryState {
    /// Applies an anchor's changes.
    pub fn apply(&mut self, changes: &Changes) {
        for (key, value) in changes {
            match value {
                Some(value) => self.rows.insert(key.clone(), value.clone()),
                None => self.rows.remove(key),
            };
        }
    }
}

/// The first key range that starts with `prefix` and lies after `after`.
pub(crate) fn start_of<'k>(prefix: &'k [u8], after: &'k [u8]) -> Bound<&'k [u8]> {
    if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) }
}

impl StateReader for MemoryState {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.rows.get(key).cloned())
    }

    fn after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Page, StoreFault> {
        let range = (start_of(prefix, after), Bound::Unbounded);
        let rows = self.rows.range::<[u8], _>(range);
        let rows = rows.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

/// A committed state with changes above it. The first fault of the disk is kept, reads then
/// answer "nothing", and the executor asks for it before it believes any result.
pub struct Overlay<'s> {
    base: &'s dyn StateReader,
    changes: Changes,
    /// The rows at work since the last [`Overlay::keep`] or [`Overlay::undo`]: few, and asked
    /// for again and again, while the changes of an anchor are many.
    near: RefCell<BTreeMap<Vec<u8>, Near>>,
    fault: RefCell<Option<StoreFault>>,
}

/// Committed rows that are kept near, at most: who reads a whole table asks for each row once.
const NEAR_READ_MAX: usize = 256;

enum Near {
    /// As the committed state has it.
    Read(Change),
    /// To be kept or undone.
    Written(Change),
}

impl Near {
    fn row(&self) -> &Change {
        match self {
            Near::Read(row) | Near::Written(row) => row,
        }
    }
}

impl<'s> Overlay<'s> {
    /// No changes yet.
    pub fn new(base: &'s dyn StateReader) -> Overlay<'s> {
        let (changes, near) = (Changes::new(), RefCell::default());
        Overlay { base, changes, near, fault: RefCell::new(None) }
    }

    /// Forgets how to undo everything up to here.
    pub fn keep(&mut self) {
        for (key, near) in std::mem::take(self.near.get_mut()) {
            if let Near::Written(change) = near {
                self.changes.insert(key, change);
            }
        }
    }

    /// Undoes everything since the last [`Overlay::keep`].
    pub fn undo(&mut self) {
        self.near.get_mut().clear();
    }

    /// The first fault, if there was one: nothing read since is to be believed.
    pub fn fault(&self) -> Option<StoreFault> {
        self.fault.borrow().clone()
    }

    /// The changes, unless a fault makes them worthless.
    pub fn finish(mut self) -> Result<Changes, StoreFault> {
        self.keep();
        match self.fault.into_inner() {
            Some(fault) => Err(fault),
            None => Ok(self.changes),
        }
    }

    fn note<T: Default>(&self, result: Result<T, StoreFault>) -> T {
        result.unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            T::default()
        })
    }
}

impl Rows for Overlay<'_> {
    fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        if let Some(near) = self.near.borrow().get(key) {
            return near.row().clone();
        }
        if let Some(change) = self.changes.get(key) {
            return change.clone();
        }
        let row = self.note(self.base.get(key));
        let mut near = self.near.borrow_mut();
        if near.len() < NEAR_READ_MAX {
            near.insert(key.to_vec(), Near::Read(row.clone()));
        }
        row
    }

    fn rows_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Page {
        let range = (start_of(prefix, after), Bound::Unbounded);
        let kept = self.changes.range::<[u8], _>(range);
        let kept = kept.take_while(|(key, _)| key.starts_with(prefix));
        let mut changed: BTreeMap<&Vec<u8>, &Change> = kept.collect();
        let near = self.near.borrow();
        let own = near.range::<[u8], _>(range).take_while(|(key, _)| key.starts_with(prefix));
        changed.extend(own.map(|(key, near)| (key, near.row())));
        // Each change hides at most one committed row, so this many suffice.
        let wanted = limit.saturating_add(changed.len());
        let base = self.note(self.base.after(prefix, after, wanted));
        let base_is_cut = base.len() == wanted;
        let end = base.last().map(|(key, _)| key.clone()).filter(|_| base_is_cut);
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = base.into_iter().collect();
        for (key, value) in changed {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        let known = |key: &Vec<u8>| end.as_ref().is_none_or(|end| key <= end);
        merged.into_iter().filter(|(key, _)| known(key)).take(limit).collect()
    }

    fn damaged(&self, key: &[u8]) {
        let what = format!("the row {} does not decode", hex::encode(key));
        self.note::<()>(Err(StoreFault::damaged(what)));
    }
}

impl RowsMut for Overlay<'_> {
    fn set_row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.near.get_mut().insert(key, Near::Written(value));
    }
}
