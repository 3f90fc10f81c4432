//! What happened, and where it is found: receipts by place, event, number, account and name.

use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::open::fault;
use super::recent::Layer;
use super::snapshot::Place;
use crate::codec::{decode, encode};
use crate::execute::Executed;
use crate::fault::StoreFault;
use crate::receipt::{RECEIPT_BYTES_MAX, Receipt, Subject};

type Bytes = &'static [u8];
/// Zone and sequence number.
type FirstNumber = (u32, u64);
/// The place of the first receipt, and how many they are.
type Run = (u64, u32, u32);
/// Neighbouring receipts in one row, by the place of the first: each with its length before.
pub(super) const RECEIPTS: TableDefinition<Place, Bytes> = TableDefinition::new("receipts");
pub(super) const EVENTS: TableDefinition<&[u8; 32], Place> = TableDefinition::new("events");
/// By zone and first number: a run of events with ascending numbers and neighbouring receipts,
/// as the place of the first receipt and how many they are.
pub(super) const NUMBERS: TableDefinition<FirstNumber, Run> = TableDefinition::new("numbers");
pub(super) const HISTORY: TableDefinition<(&[u8; 32], u64, u32), ()> =
    TableDefinition::new("history");
/// By programme and name: the places of the receipts that are about it.
pub(super) const NAMED: TableDefinition<(u16, Bytes, u64, u32), ()> = TableDefinition::new("named");

/// Receipts in one row.
const NEIGHBOURS: u32 = 16;

pub(super) fn create_tables(write: &WriteTransaction) -> Result<(), StoreFault> {
    write.open_table(RECEIPTS).map_err(fault)?;
    write.open_table(EVENTS).map_err(fault)?;
    write.open_table(NUMBERS).map_err(fault)?;
    write.open_table(HISTORY).map_err(fault)?;
    write.open_table(NAMED).map_err(fault)?;
    Ok(())
}

/// Writes an anchor's receipts, and where they are found by number and by name.
pub(super) fn put(write: &WriteTransaction, executed: &Executed) -> Result<(), StoreFault> {
    let mut receipts = write.open_table(RECEIPTS).map_err(fault)?;
    for neighbours in executed.receipts.chunks(NEIGHBOURS as usize) {
        let Some(first) = neighbours.first() else { continue };
        let mut bytes = Vec::new();
        neighbours.iter().for_each(|receipt| append(receipt, &mut bytes));
        receipts.insert((first.height, first.index), bytes.as_slice()).map_err(fault)?;
    }
    let mut numbers = write.open_table(NUMBERS).map_err(fault)?;
    for ((zone, number), run) in runs(&executed.receipts) {
        numbers.insert((zone, number), run).map_err(fault)?;
    }
    let mut named = write.open_table(NAMED).map_err(fault)?;
    for naming in &executed.names {
        let (name, height) = (naming.name.as_bytes(), executed.head.height);
        named.insert((naming.programme, name, height, naming.index), ()).map_err(fault)?;
    }
    Ok(())
}

/// Its bytes, after their length.
fn append(receipt: &Receipt, row: &mut Vec<u8>) {
    let bytes = encode(receipt);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    row.extend_from_slice(&length.to_le_bytes());
    row.extend_from_slice(&bytes);
}

/// Runs of numbers in an anchor's receipts.
fn runs(receipts: &[Receipt]) -> Vec<(FirstNumber, Run)> {
    let mut runs: Vec<(FirstNumber, Run)> = Vec::new();
    for receipt in receipts {
        let Subject::Event(event) = &receipt.subject else { continue };
        let next = runs.last_mut().filter(|((zone, number), (_, index, count))| {
            *zone == event.zone.0
                && number.checked_add(u64::from(*count)) == Some(event.number)
                && index.checked_add(*count) == Some(receipt.index)
        });
        match next {
            Some((_, (.., count))) => *count = count.saturating_add(1),
            None => runs.push(((event.zone.0, event.number), (receipt.height, receipt.index, 1))),
        }
    }
    runs
}

/// Writes the places that waited, in the tables' order.
pub(super) fn fold(
    write: &WriteTransaction,
    layers: &[std::sync::Arc<Layer>],
) -> Result<(), StoreFault> {
    let mut events = write.open_table(EVENTS).map_err(fault)?;
    for (id, place) in newest(layers.iter().map(|layer| layer.events.as_slice())) {
        events.insert(id, place).map_err(fault)?;
    }
    let mut history = write.open_table(HISTORY).map_err(fault)?;
    let mut mentions: Vec<_> = layers.iter().flat_map(|layer| &layer.mentions).collect();
    mentions.sort();
    for (account, height, index) in mentions {
        history.insert((account, *height, *index), ()).map_err(fault)?;
    }
    Ok(())
}

/// What several layers, oldest first, have under each key in the end, by ascending keys.
pub(super) fn newest<'l, K: Ord + 'l, V: 'l>(
    layers: impl Iterator<Item = &'l [(K, V)]>,
) -> impl Iterator<Item = (&'l K, &'l V)> {
    let mut all: Vec<&(K, V)> = layers.flatten().collect();
    // Stable, so that the newest of a key comes last; what is in order already costs little.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let mut all = all.into_iter().peekable();
    std::iter::from_fn(move || {
        loop {
            let one = all.next()?;
            if all.peek().is_none_or(|next| next.0 != one.0) {
                return Some((&one.0, &one.1));
            }
        }
    })
}

/// The row in which the receipt at a place stands.
pub(super) fn row_of((height, index): Place) -> Place {
    (height, index.saturating_sub(index % NEIGHBOURS))
}

/// The receipts of a row, with their places.
pub(super) fn neighbours(first: Place, bytes: &[u8]) -> Vec<(Place, &[u8])> {
    let (mut found, mut rest, mut index) = (Vec::new(), bytes, first.1);
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        // A row that is cut short ends early: then the receipt that is asked for is missing.
        let Some((receipt, more)) = more.split_at_checked(length) else { break };
        found.push(((first.0, index), receipt));
        (rest, index) = (more, index.saturating_add(1));
    }
    found
}

pub(super) fn read_receipt(bytes: &[u8]) -> Result<Receipt, StoreFault> {
    decode(bytes, RECEIPT_BYTES_MAX).map_err(|_| StoreFault::damaged("a receipt"))
}

/// The receipt at a place.
pub(super) fn receipt(
    receipts: &impl ReadableTable<Place, Bytes>,
    place: Place,
) -> Result<Option<Receipt>, StoreFault> {
    let first = row_of(place);
    let Some(row) = receipts.get(first).map_err(fault)? else { return Ok(None) };
    let found = neighbours(first, row.value()).into_iter().find(|(at, _)| *at == place);
    found.map(|(_, bytes)| read_receipt(bytes)).transpose()
}
