//! What the last anchors wrote and no table holds yet.
//!
//! A row in the middle of a large table costs a page of the disk, whoever shares it. So an
//! anchor's random writes wait in memory, made durable by its journal, and each anchor folds
//! one part of all that waits into the tables, in order: what falls on the same page is
//! written together (spec STO-10).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::snapshot::Place;
use crate::receipt::{Outcome, Receipt, Subject};
use crate::state::{Change, Changes};

/// Parts that what waits is divided into; an anchor's changes are all folded so many anchors
/// later.
const PARTS: usize = 16;
/// Anchors until each part had its turn.
const TURNS: u64 = 16;
/// Anchors whose journals are kept: every part of an older one is folded.
pub(super) const JOURNALS: u64 = TURNS + 1;

/// An entry of an account's history.
pub(super) type Mention = ([u8; 32], u64, u32);

/// A row that an anchor wrote or removed.
pub(super) type Written = (Vec<u8>, Change);

/// What one anchor wrote of one part; each list ascends, and names nothing twice.
#[derive(Default)]
pub(super) struct Layer {
    height: u64,
    pub(super) rows: Vec<Written>,
    /// The beginnings of the rows' keys, side by side: what is searched without following keys.
    beginnings: Vec<u128>,
    filter: Filter,
    pub(super) events: Vec<([u8; 32], Place)>,
    pub(super) mentions: Vec<Mention>,
}

impl Layer {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.events.is_empty() && self.mentions.is_empty()
    }

    fn row(&self, key: &[u8]) -> Option<&Change> {
        let wanted = beginning(key);
        let first = self.beginnings.partition_point(|own| *own < wanted);
        let alike = self.beginnings.iter().skip(first).take_while(|own| **own == wanted).count();
        let rows = self.rows.iter().skip(first).take(alike);
        rows.into_iter().find(|(own, _)| own == key).map(|(_, change)| change)
    }

    fn event(&self, id: &[u8; 32]) -> Option<Place> {
        let at = self.events.binary_search_by(|(own, _)| own.cmp(id)).ok()?;
        self.events.get(at).map(|(_, place)| *place)
    }

    /// The mentions in a range, newest last.
    fn mentions(&self, range: std::ops::Range<Mention>) -> &[Mention] {
        let start = self.mentions.partition_point(|mention| *mention < range.start);
        let end = self.mentions.partition_point(|mention| *mention < range.end);
        self.mentions.get(start..end).unwrap_or_default()
    }
}

/// Tells most rows that a layer does not have, without looking at it: reading a row that does
/// not wait asks every layer of its part.
#[derive(Default)]
struct Filter(Vec<u64>);

impl Filter {
    /// Bits for a row: one in so many rows that are not there is looked for in vain.
    const BITS: usize = 16;

    fn of(rows: &[Written]) -> Filter {
        let words = rows.len().saturating_mul(Filter::BITS).div_ceil(64).next_power_of_two();
        let mut filter = Filter(vec![0; words]);
        for (key, _) in rows {
            let (word, bit) = filter.place(key);
            if let Some(word) = filter.0.get_mut(word) {
                *word |= bit;
            }
        }
        filter
    }

    /// Keys are hashes, mostly: some of their bits are as good as a hash.
    fn place(&self, key: &[u8]) -> (usize, u64) {
        let bytes = key.get(3..11).and_then(|bytes| bytes.try_into().ok());
        let tag = bytes.map_or(0, u64::from_le_bytes);
        let word = (tag >> 6) as usize & self.0.len().saturating_sub(1);
        (word, 1u64 << (tag & 63))
    }

    fn may_have(&self, key: &[u8]) -> bool {
        let (word, bit) = self.place(key);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// What waits, each part's layers from the oldest to the newest. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Recent {
    parts: [Vec<Arc<Layer>>; PARTS],
}

/// The first sixteen bytes of a key, as a number that orders as they do.
fn beginning(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(key).for_each(|(byte, own)| *byte = *own);
    u128::from_be_bytes(bytes)
}

fn part_of(first: u8) -> usize {
    usize::from(first >> 4)
}

/// Rows of one table that lie close together are of one part.
fn part_of_row(key: &[u8]) -> usize {
    part_of(key.get(2).copied().unwrap_or_default())
}

impl Recent {
    /// Adds an anchor's rows and the places of its receipts. `is_executed` is asked whether an
    /// event that was void now was executed by an earlier anchor.
    pub(super) fn add<E>(
        &mut self,
        height: u64,
        changes: &Changes,
        receipts: &[Receipt],
        mut is_executed: impl FnMut(&[u8; 32]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut layers: [Layer; PARTS] = Default::default();
        for (key, value) in changes {
            if let Some(layer) = layers.get_mut(part_of_row(key)) {
                layer.rows.push((key.clone(), value.clone()));
            }
        }
        for receipt in receipts {
            let place = (receipt.height, receipt.index);
            if let Subject::Event(event) = &receipt.subject
                && let Some(layer) = layers.get_mut(part_of(event.id.0[0]))
            {
                layer.events.push((event.id.0, place));
            }
            for account in receipt.accounts() {
                if let Some(layer) = layers.get_mut(part_of(account.0[0])) {
                    layer.mentions.push((account.0, place.0, place.1));
                }
            }
        }
        for layer in &mut layers {
            layer.mentions.sort_unstable();
            layer.events = one_place_each(std::mem::take(&mut layer.events), |(id, place)| {
                let receipt = receipts.get(place.1 as usize);
                match receipt.map(|receipt| &receipt.outcome) {
                    Some(Outcome::Void(_)) if is_executed(id)? => Ok(Worth::Nothing),
                    Some(Outcome::Void(_)) => Ok(Worth::Void),
                    _ => Ok(Worth::Execution),
                }
            })?;
        }
        for (part, layer) in self.parts.iter_mut().zip(layers) {
            if !layer.is_empty() {
                let filter = Filter::of(&layer.rows);
                let beginnings = layer.rows.iter().map(|(key, _)| beginning(key)).collect();
                part.push(Arc::new(Layer { height, filter, beginnings, ..layer }));
            }
        }
        Ok(())
    }

    /// Takes out what waits of the part whose turn it is at `height`, but for that anchor's
    /// own layer: the state before it must still be found after a restart.
    pub(super) fn take_part(&mut self, height: u64) -> Vec<Arc<Layer>> {
        let turn = usize::try_from(height % TURNS).unwrap_or_default();
        let Some(part) = self.parts.get_mut(turn) else { return Vec::new() };
        let (old, own) = std::mem::take(part).into_iter().partition(|layer| layer.height < height);
        *part = own;
        old
    }

    /// The last change of a row that waits.
    pub(super) fn row(&self, key: &[u8]) -> Option<&Change> {
        let part = self.parts.get(part_of_row(key))?;
        let layers = part.iter().rev().filter(|layer| layer.filter.may_have(key));
        layers.filter_map(|layer| layer.row(key)).next()
    }

    /// The changes of rows in a range that wait, the last of each row.
    pub(super) fn rows<'r>(
        &'r self,
        prefix: &[u8],
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> BTreeMap<&'r [u8], &'r Change> {
        let own = prefix.get(2).map(|_| part_of_row(prefix));
        let parts =
            self.parts.iter().enumerate().filter(|(at, _)| own.is_none_or(|own| own == *at));
        let mut found = BTreeMap::new();
        let is_before = |key: &[u8]| match range.0 {
            Bound::Included(start) => key < start,
            Bound::Excluded(start) => key <= start,
            Bound::Unbounded => false,
        };
        let is_within = |key: &[u8]| match range.1 {
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
            Bound::Unbounded => true,
        };
        for layer in parts.flat_map(|(_, part)| part) {
            let start = layer.rows.partition_point(|(key, _)| is_before(key));
            let rows = layer.rows.get(start..).unwrap_or_default().iter();
            let rows = rows.map(|(key, change)| (key.as_slice(), change));
            found.extend(rows.take_while(|(key, _)| key.starts_with(prefix) && is_within(key)));
        }
        found
    }

    /// Where an event's receipt stands.
    pub(super) fn event(&self, id: &[u8; 32]) -> Option<Place> {
        let part = self.parts.get(part_of(id[0]))?;
        part.iter().rev().find_map(|layer| layer.event(id))
    }

    /// At most `limit` places of an account's history before `end`, newest first.
    pub(super) fn history(&self, account: &[u8; 32], end: Place, limit: usize) -> Vec<Place> {
        let Some(part) = self.parts.get(part_of(account[0])) else { return Vec::new() };
        let range = (*account, 0, 0)..(*account, end.0, end.1);
        let layers = part.iter().rev();
        let newest = layers.flat_map(|layer| layer.mentions(range.clone()).iter().rev());
        newest.take(limit).map(|(_, height, index)| (*height, *index)).collect()
    }
}

/// What a receipt is worth as the place where its event is found.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// An earlier anchor executed the event: its receipt stays the one that is found.
    Nothing,
    /// A void event is no end, for the same bytes may still be sequenced well.
    Void,
    /// An event keeps the receipt of its execution: repetitions are void.
    Execution,
}

/// The places of events, in the order of their ids: of each the best one, the last of equals.
fn one_place_each<E>(
    mut events: Vec<([u8; 32], Place)>,
    mut worth: impl FnMut(&([u8; 32], Place)) -> Result<Worth, E>,
) -> Result<Vec<([u8; 32], Place)>, E> {
    events.sort_unstable();
    let mut found: Vec<([u8; 32], Place)> = Vec::with_capacity(events.len());
    let mut best = Worth::Nothing;
    for event in events {
        let own = worth(&event)?;
        match found.last_mut().filter(|last| last.0 == event.0) {
            Some(last) if own >= best => (*last, best) = (event, own),
            Some(_) => {}
            None if own == Worth::Nothing => {}
            None => {
                found.push(event);
                best = own;
            }
        }
    }
    Ok(found)
}
