//! A block's bytes in parts, so that reading one of its events does not read the others.
//!
//! The bytes of a block are its head (header, signature, how many events) and then each event
//! with its length. They are cut between events: put together again they are the same bytes.

use borsh::BorshDeserialize;

use crate::key::Signature;
use crate::lane::BlockHeader;

/// A part holds events until it has so many bytes.
const PART_BYTES: usize = 16 * 1024;

/// The head, and parts with the place of the first event of each. What is no block is all
/// head.
pub(super) fn cut(block: &[u8]) -> (&[u8], Vec<(u32, &[u8])>) {
    let Some(events) = events_of(block) else { return (block, Vec::new()) };
    let Some((head, _)) = block.split_at_checked(block.len().saturating_sub(events.len())) else {
        return (block, Vec::new());
    };
    let (mut parts, mut rest, mut place) = (Vec::new(), events, 0u32);
    while !rest.is_empty() {
        let (first, mut end) = (place, 0usize);
        while end < PART_BYTES
            && let Some(event) = rest.get(end..).and_then(next_event)
        {
            end = end.saturating_add(event.len()).saturating_add(4);
            place = place.saturating_add(1);
        }
        match rest.split_at_checked(end) {
            Some((part, more)) if end > 0 => {
                parts.push((first, part));
                rest = more;
            }
            // It ends in the middle of an event.
            _ => return (block, Vec::new()),
        }
    }
    (head, parts)
}

/// The event at a place after the first of a part, or of a whole block's events.
pub(super) fn event_in(mut part: &[u8], place: u32) -> Option<&[u8]> {
    for _ in 0..place {
        let skipped = next_event(part)?.len().saturating_add(4);
        part = part.get(skipped..)?;
    }
    next_event(part)
}

/// What follows the head of a whole block.
pub(super) fn events_of(block: &[u8]) -> Option<&[u8]> {
    let mut rest = block;
    BlockHeader::deserialize(&mut rest).ok()?;
    Signature::deserialize(&mut rest).ok()?;
    u32::deserialize(&mut rest).ok()?;
    Some(rest)
}

fn next_event(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encode;
    use crate::hash::Hash;
    use crate::ids::{ChainId, Millis, Zone};
    use crate::lane::LaneBlock;
    use crate::schema::{Bytes, List};

    fn block(lengths: &[usize]) -> Vec<u8> {
        let event = |(place, length): (usize, &usize)| Bytes::new(vec![place as u8; *length]);
        let events = lengths.iter().enumerate().filter_map(event).collect();
        let header = BlockHeader {
            version: 1,
            chain: ChainId(Hash::ZERO),
            zone: Zone(1),
            term: 1,
            height: 1,
            parent: Hash::ZERO,
            after_anchor: 0,
            first_number: 1,
            count: lengths.len() as u32,
            events_root: Hash::ZERO,
            time: Millis(0),
        };
        let events = List::new(events).expect("a short list");
        encode(&LaneBlock { header, signature: Signature([0; 64]), events })
    }

    /// Broken by: a part that begins in the middle of an event, or a place counted from the
    /// block's beginning.
    #[test]
    fn parts_are_the_block_and_each_event_is_found() {
        for lengths in [vec![], vec![0], vec![5, 0, 7], vec![300; 200], vec![8_000; 9]] {
            let block = block(&lengths);
            let (head, parts) = cut(&block);
            let whole: Vec<&[u8]> = [head].into_iter().chain(parts.iter().map(|p| p.1)).collect();
            assert_eq!(whole.concat(), block);
            let held: usize = parts.iter().map(|(_, part)| part.len()).sum();
            assert_eq!(held, lengths.iter().sum::<usize>() + 4 * lengths.len());
            for (place, length) in lengths.iter().enumerate() {
                let wanted = vec![place as u8; *length];
                let part = parts.iter().rev().find(|(first, _)| *first as usize <= place);
                let (first, part) = part.expect("a part");
                assert_eq!(event_in(part, place as u32 - first), Some(wanted.as_slice()));
                let events = events_of(&block).expect("a block");
                assert_eq!(event_in(events, place as u32), Some(wanted.as_slice()));
            }
            assert!(parts.len() < 9, "parts are large");
        }
    }

    /// Broken by: showing the event of the block that came first where an anchor named the other.
    #[test]
    fn an_event_is_found_in_the_block_that_holds_it() {
        use crate::hash::Domain;
        use crate::store::{Backend, LaneStore};
        let memory = Backend::Custom(Box::new(redb::backends::InMemoryBackend::new()));
        let lanes = LaneStore::open(memory, ChainId(Hash::ZERO)).expect("a store");
        let place = (Zone(1), 1, 1);
        lanes.put_block(place.0, place.1, place.2, &block(&[5, 6])).expect("a write");
        lanes.put_other(place, &[9; 32], &block(&[7, 8])).expect("a write");
        for (at, length) in [(0, 5), (1, 6), (0, 7), (1, 8)] {
            let event = vec![at as u8; length];
            let id = Domain::EVENT_ID.hash(&[&event]);
            assert_eq!(lanes.event(place, at, &id), Ok(Some(event)));
            assert_eq!(lanes.event(place, 1 - at, &id), Ok(None));
        }
    }

    /// Broken by: bytes that are no block, or one that is cut short, coming back changed.
    #[test]
    fn what_is_no_block_is_kept_whole() {
        let block = block(&[300; 100]);
        for bytes in [&[][..], &[1, 2, 3], &block[..block.len() - 1]] {
            let (head, parts) = cut(bytes);
            let whole: Vec<&[u8]> = [head].into_iter().chain(parts.iter().map(|p| p.1)).collect();
            assert_eq!(whole.concat(), bytes);
        }
        assert_eq!(event_in(&[9, 0, 0, 0, 1], 0), None);
    }
}
