//! Committing an anchor: what one transaction writes.

use std::sync::Arc;

use redb::WriteTransaction;

use super::book::{ANCHORS, AnchorRecord, HANDOVERS, HeadRecord, INDEX, JOURNAL, STATE};
use super::current::Current;
use super::history;
use super::open::fault;
use super::recent::{JOURNALS, Layer};
use super::snapshot::Snapshot;
use crate::anchor::Roots;
use crate::certificate::Certificate;
use crate::codec::encode;
use crate::execute::Executed;
use crate::fault::StoreFault;
use crate::proof::{CertifiedAnchor, Handover, Hex};
use crate::registry::Registry;
use crate::state::{Change, Changes};
use crate::system::{Head, Validators};
use crate::table::{IndexInfo, TableInfo, index_prefix};

/// What an anchor wrote, durable at once, and a part of what waited.
pub(super) fn put(
    write: &WriteTransaction,
    registry: &Registry,
    executed: &Executed,
    before: &Current,
    folded: &[Arc<Layer>],
) -> Result<(), StoreFault> {
    put_journal(write, executed.head.height, &executed.changes)?;
    put_indexes(write, registry, &executed.changes, |key| before.row(key))?;
    history::put(write, executed)?;
    let rows = history::newest(folded.iter().map(|layer| layer.rows.as_slice()));
    put_rows(write, rows.map(|(key, change)| (key.as_slice(), change)))?;
    history::fold(write, folded)
}

pub(super) fn put_journal(
    write: &WriteTransaction,
    height: u64,
    changes: &Changes,
) -> Result<(), StoreFault> {
    let mut journal = write.open_table(JOURNAL).map_err(fault)?;
    journal.insert(height, encode(changes).as_slice()).map_err(fault)?;
    if let Some(old) = height.checked_sub(JOURNALS) {
        journal.retain_in(..=old, |_, _| false).map_err(fault)?;
    }
    Ok(())
}

pub(super) fn put_rows<'c>(
    write: &WriteTransaction,
    rows: impl IntoIterator<Item = (&'c [u8], &'c Change)>,
) -> Result<(), StoreFault> {
    let mut table = write.open_table(STATE).map_err(fault)?;
    for (key, value) in rows {
        match value {
            Some(value) => table.insert(key, value.as_slice()).map_err(fault)?,
            None => table.remove(key).map_err(fault)?,
        };
    }
    Ok(())
}

/// Brings the secondary indexes in line with changed rows; `before` reads a row as it was.
pub(super) fn put_indexes(
    write: &WriteTransaction,
    registry: &Registry,
    changes: &Changes,
    before: impl Fn(&[u8]) -> Result<Change, StoreFault>,
) -> Result<(), StoreFault> {
    let mut table = write.open_table(INDEX).map_err(fault)?;
    let indexed: Vec<&TableInfo> =
        registry.tables().filter(|info| !info.indexes.is_empty()).collect();
    let in_index = |key: &[u8]| {
        let number = key.first_chunk::<2>().copied().map(u16::from_be_bytes);
        indexed.iter().copied().find(|info| Some(info.id) == number)
    };
    // All old entries go before any new one comes: an entry may move from row to row.
    for key in changes.keys() {
        let Some(info) = in_index(key) else { continue };
        for entry in index_entries(info, key, before(key)?.as_deref()) {
            table.remove(entry.as_slice()).map_err(fault)?;
        }
    }
    for (key, new) in changes {
        let Some(info) = in_index(key) else { continue };
        for entry in index_entries(info, key, new.as_deref()) {
            table.insert(entry.as_slice(), key.as_slice()).map_err(fault)?;
        }
    }
    Ok(())
}

/// The entries of one row in every index of its table.
fn index_entries(info: &TableInfo, key: &[u8], value: Option<&[u8]>) -> Vec<Vec<u8>> {
    let (Some(value), Some((_, own))) = (value, key.split_first_chunk::<2>()) else {
        return Vec::new();
    };
    let of_index = |index: &IndexInfo| {
        let prefix = index_prefix(index.id);
        let entries = (index.entries)(own, value).into_iter();
        entries.map(|entry| [prefix.as_slice(), &entry].concat()).collect::<Vec<_>>()
    };
    info.indexes.iter().flat_map(of_index).collect()
}

pub(super) fn put_anchor(
    write: &WriteTransaction,
    executed: &Executed,
    body: &[u8],
    certificate: &Certificate,
    roots: Roots,
) -> Result<(), StoreFault> {
    let Head { time, clock, epoch, receipts, .. } = executed.head;
    let record = AnchorRecord {
        body: body.to_vec(),
        certificate: certificate.clone(),
        roots,
        head: HeadRecord { time, clock, epoch, receipts },
    };
    let mut anchors = write.open_table(ANCHORS).map_err(fault)?;
    anchors.insert(executed.head.height, encode(&record).as_slice()).map_err(fault)?;
    Ok(())
}

/// Keeps an anchor that names another validator set than the one that signed it.
pub(super) fn put_handover(
    write: &WriteTransaction,
    before: &Snapshot,
    executed: &Executed,
    body: &[u8],
    certificate: &Certificate,
) -> Result<(), StoreFault> {
    let validators = Validators::read(before);
    let Some(validators) = validators.filter(|v| v.next != v.after_next) else { return Ok(()) };
    let anchor = CertifiedAnchor { body: Hex(body.to_vec()), certificate: certificate.clone() };
    let handover = Handover { anchor, validators: validators.after_next };
    let mut handovers = write.open_table(HANDOVERS).map_err(fault)?;
    handovers.insert(executed.head.height, encode(&handover).as_slice()).map_err(fault)?;
    Ok(())
}
