//! What happened, and where it is found: receipts by place, event, number, account and name.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::book::ANCHORS;
use super::open::fault;
use super::snapshot::Place;
use crate::codec::{decode, encode};
use crate::execute::Executed;
use crate::fault::{FaultKind, StoreFault};
use crate::receipt::{Outcome, RECEIPT_BYTES_MAX, Receipt, Subject};

type Bytes = &'static [u8];
pub(super) const RECEIPTS: TableDefinition<Place, Bytes> = TableDefinition::new("receipts");
pub(super) const EVENTS: TableDefinition<&[u8; 32], Place> = TableDefinition::new("events");
pub(super) const NUMBERS: TableDefinition<(u32, u64), &[u8; 32]> = TableDefinition::new("numbers");
pub(super) const HISTORY: TableDefinition<(&[u8; 32], u64, u32), ()> =
    TableDefinition::new("history");
/// By programme and name: the places of the receipts that are about it.
pub(super) const NAMED: TableDefinition<(u16, Bytes, u64, u32), ()> = TableDefinition::new("named");

pub(super) fn create_tables(write: &WriteTransaction) -> Result<(), StoreFault> {
    write.open_table(RECEIPTS).map_err(fault)?;
    write.open_table(EVENTS).map_err(fault)?;
    write.open_table(NUMBERS).map_err(fault)?;
    write.open_table(HISTORY).map_err(fault)?;
    write.open_table(NAMED).map_err(fault)?;
    Ok(())
}

/// Refuses a book with anchors but without a history by name: names stand in the events'
/// own bytes, which are not in the book, so what is missing cannot be computed from it.
pub(super) fn check(db: &Database) -> Result<(), StoreFault> {
    let read = db.begin_read().map_err(fault)?;
    let anchors = match read.open_table(ANCHORS) {
        Ok(anchors) => anchors,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(fault(error)),
    };
    let is_empty = anchors.first().map_err(fault)?.is_none();
    match read.open_table(NAMED) {
        Ok(_) => Ok(()),
        Err(redb::TableError::TableDoesNotExist(_)) if is_empty => Ok(()),
        Err(redb::TableError::TableDoesNotExist(_)) => {
            let words = "the book was written by an earlier release, without histories by name: \
                         use that release, or start with another data folder and sync again";
            Err(StoreFault::new(FaultKind::Older, words))
        }
        Err(error) => Err(fault(error)),
    }
}

/// Writes an anchor's receipts, and where each is found.
pub(super) fn put(write: &WriteTransaction, executed: &Executed) -> Result<(), StoreFault> {
    let mut receipts = write.open_table(RECEIPTS).map_err(fault)?;
    let mut events = write.open_table(EVENTS).map_err(fault)?;
    let mut numbers = write.open_table(NUMBERS).map_err(fault)?;
    let mut history = write.open_table(HISTORY).map_err(fault)?;
    for receipt in &executed.receipts {
        let place = (receipt.height, receipt.index);
        receipts.insert(place, encode(receipt).as_slice()).map_err(fault)?;
        if let Subject::Event(event) = &receipt.subject {
            // An event keeps the receipt of its execution: repetitions are void. But a void
            // one is no end, for the same bytes may still be sequenced well.
            let known = events.get(&event.id.0).map_err(fault)?.map(|place| place.value());
            if !is_executed(&receipts, known)? {
                events.insert(&event.id.0, place).map_err(fault)?;
            }
            numbers.insert((event.zone.0, event.number), &event.id.0).map_err(fault)?;
        }
        for account in receipt.accounts() {
            history.insert((&account.0, receipt.height, receipt.index), ()).map_err(fault)?;
        }
    }
    let mut named = write.open_table(NAMED).map_err(fault)?;
    for naming in &executed.names {
        let (name, height) = (naming.name.as_bytes(), executed.head.height);
        named.insert((naming.programme, name, height, naming.index), ()).map_err(fault)?;
    }
    Ok(())
}

fn is_executed(
    receipts: &impl ReadableTable<Place, Bytes>,
    place: Option<Place>,
) -> Result<bool, StoreFault> {
    let Some(place) = place else { return Ok(false) };
    let Some(bytes) = receipts.get(place).map_err(fault)? else { return Ok(false) };
    let receipt: Receipt = decode(bytes.value(), RECEIPT_BYTES_MAX).map_err(StoreFault::damaged)?;
    Ok(!matches!(receipt.outcome, Outcome::Void(_)))
}
