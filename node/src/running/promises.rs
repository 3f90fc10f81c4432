//! What routers promised by way of this node. Who gives one number to two events, or seals
//! something else in its place, answers for it with its bond (spec RTR-17, RTR-24).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use ddt_contracts::zones::Evidence;
use ddt_ledger::codec::decode;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::ids::Zone;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, BlockHeader, LaneBlock, SoftReceipt};
use ddt_ledger::routers::Sealed;
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::Lane;
use ddt_ledger::{Domain, Hash, PublicKey, Signature};

use super::core::Core;

/// Promises remembered at most; the oldest of which it is known what came is forgotten first.
const PROMISES_MAX: usize = 16_384;
/// Contradictions that wait to be handed in, at most.
const CONTRADICTIONS_MAX: usize = 64;

/// A router's promise.
#[derive(Clone)]
pub struct Given {
    /// Whose.
    pub router: PublicKey,
    /// What it promised.
    pub receipt: SoftReceipt,
    /// Its signature over [`SoftReceipt::digest`].
    pub signature: Signature,
}

/// The router; zone, term and number; height and event.
type Place = (PublicKey, Zone, u64, u64, u64, Hash);

/// The last promises, by their places; in memory alone.
#[derive(Default)]
pub struct Promises(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    promises: BTreeMap<Place, Given>,
    /// Of which nobody knows yet whether they were kept, by routers, in the order in which they
    /// came.
    open: BTreeMap<PublicKey, BTreeMap<u64, Place>>,
    came: u64,
    /// Of which it is known: they are only compared with later ones. The oldest first.
    closed: VecDeque<Place>,
    contradictions: Vec<(Given, Given)>,
}

impl Promises {
    fn lock(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Remembers a promise, until it is known what came of it and for some time after.
    pub fn remember(&self, given: Given) {
        let Given { router, receipt, .. } = &given;
        let at =
            |height, event| (*router, receipt.zone, receipt.term, receipt.number, height, event);
        let place = at(receipt.height, receipt.event);
        let latest = &mut *self.lock();
        if latest.promises.contains_key(&place) {
            return;
        }
        let same_number = at(0, Hash::ZERO)..=at(u64::MAX, Hash([0xff; 32]));
        let mut others = latest.promises.range(same_number).map(|(_, known)| known);
        let other = others.find(|known| known.receipt.event != receipt.event);
        if let Some(other) = other.filter(|_| latest.contradictions.len() < CONTRADICTIONS_MAX) {
            latest.contradictions.push((other.clone(), given.clone()));
        }
        latest.promises.insert(place, given);
        latest.came = latest.came.saturating_add(1);
        latest.open.entry(place.0).or_default().insert(latest.came, place);
        if latest.promises.len() > PROMISES_MAX {
            latest.forget_one();
        }
    }

    fn take_contradictions(&self) -> Vec<(Given, Given)> {
        std::mem::take(&mut self.lock().contradictions)
    }

    /// The open ones, those of one block beside each other.
    fn open(&self) -> Vec<(u64, Given)> {
        let latest = self.lock();
        let all = latest.open.values().flatten();
        let mut places: Vec<(u64, Place)> = all.map(|(at, place)| (*at, *place)).collect();
        places.sort_unstable_by_key(|(_, place)| *place);
        let given = |(at, place)| Some((at, latest.promises.get(&place)?.clone()));
        places.into_iter().filter_map(given).collect()
    }

    fn close(&self, router: &PublicKey, at: u64) {
        let latest = &mut *self.lock();
        let Some(open) = latest.open.get_mut(router) else { return };
        latest.closed.extend(open.remove(&at));
        if open.is_empty() {
            latest.open.remove(router);
        }
    }
}

impl Latest {
    /// The oldest of which it is known what came; without one, the oldest of the router that has
    /// most of them, so that none pushes out another one's.
    fn forget_one(&mut self) {
        let place = self.closed.pop_front().or_else(|| {
            let most = self.open.values_mut().max_by_key(|open| open.len());
            most.and_then(BTreeMap::pop_first).map(|(_, place)| place)
        });
        place.map(|place| self.promises.remove(&place));
    }
}

/// What came of a promise.
enum Fate {
    /// Its place is not taken yet.
    Open,
    /// It was kept, or lapsed with its term.
    Over,
    /// Something else has its place.
    Broken(Box<Evidence>),
}

/// Looks what came of the promises, and accuses who broke one or promised a number twice.
///
/// # Errors
/// The store failed.
pub fn look(core: &Core) -> Result<(), StoreFault> {
    let open = core.promises.open();
    let snapshot = core.book.snapshot()?;
    let zones: BTreeSet<Zone> = open.iter().map(|(_, given)| given.receipt.zone).collect();
    let lane = |zone: Zone| Some((zone, Lane::read(&snapshot, zone)?));
    let lanes: BTreeMap<Zone, Lane> = zones.into_iter().filter_map(lane).collect();
    if let Some(fault) = snapshot.fault() {
        return Err(fault);
    }
    for (one, other) in core.promises.take_contradictions() {
        let (zone, number) = (one.receipt.zone, one.receipt.number);
        let (first, second) = ((&one.receipt, one.signature), (&other.receipt, other.signature));
        let evidence = Evidence::of_receipts(one.router, first, second);
        if core.accused.accuse(core, evidence)? {
            tracing::error!("the router of zone {zone} promised number {number} to two events");
        }
    }
    let mut block = None;
    for (at, given) in open {
        let lane = lanes.get(&given.receipt.zone);
        let fate = match lane.filter(|_| !core.accused.knows(&given.router)) {
            None => Fate::Over,
            Some(lane) => fate(core, (&snapshot, lane), &given, &mut block)?,
        };
        match fate {
            Fate::Open => continue,
            Fate::Over => {}
            Fate::Broken(evidence) => {
                let (zone, number) = (given.receipt.zone, given.receipt.number);
                if core.accused.accuse(core, Some(*evidence))? {
                    tracing::error!(
                        "the router of zone {zone} broke its promise of number {number}"
                    );
                }
            }
        }
        core.promises.close(&given.router, at);
    }
    Ok(())
}

fn fate(
    core: &Core,
    (snapshot, lane): (&Snapshot, &Lane),
    given: &Given,
    last: &mut Option<Block>,
) -> Result<Fate, StoreFault> {
    let receipt = &given.receipt;
    let (zone, term) = (receipt.zone, receipt.term);
    // The promised block decides, anchored or not.
    if let Some(block) = Block::at(core, (zone, term, receipt.height), last)? {
        return Ok(block.judge(given));
    }
    let place = snapshot.place_numbered(zone, receipt.number)?.filter(|place| place.term == term);
    if let Some(place) = place {
        let block = Block::at(core, (zone, term, place.block), last)?;
        return Ok(block.map_or(Fate::Over, |block| block.judge(given)));
    }
    let has_passed = lane.term > term || lane.height >= receipt.height;
    Ok(if has_passed { Fate::Over } else { Fate::Open })
}

/// A lane block on disk, without the bodies of its events.
struct Block {
    header: BlockHeader,
    signature: Signature,
    ids: Vec<Hash>,
}

impl Block {
    /// The block at a place; `last` is the one that was read last.
    fn at<'l>(
        core: &Core,
        (zone, term, height): (Zone, u64, u64),
        last: &'l mut Option<Block>,
    ) -> Result<Option<&'l Block>, StoreFault> {
        let is_it = |block: &Block| {
            let header = &block.header;
            (header.zone, header.term, header.height) == (zone, term, height)
        };
        if !last.as_ref().is_some_and(is_it) {
            let Some(bytes) = core.lanes.block(zone, term, height)? else { return Ok(None) };
            let block = decode::<LaneBlock>(&bytes, BLOCK_BYTES_MAX).ok();
            *last = block.map(|block| Block {
                header: block.header,
                signature: block.signature,
                ids: block
                    .events
                    .items()
                    .iter()
                    .map(|event| Domain::EVENT_ID.hash(&[event.as_slice()]))
                    .collect(),
            });
        }
        Ok(last.as_ref())
    }

    fn judge(&self, given: &Given) -> Fate {
        let Some(sealed) = Sealed::breaking(&given.receipt, &self.header, &self.ids) else {
            return Fate::Over;
        };
        let (one, two) = ((&given.receipt, given.signature), (&sealed, self.signature));
        let evidence = Evidence::of_promise(given.router, one, two);
        evidence.map_or(Fate::Over, |evidence| Fate::Broken(Box::new(evidence)))
    }
}

#[cfg(test)]
mod tests {
    use ddt_ledger::ChainId;

    use super::*;

    fn given(router: u8, number: u64, event: u8) -> Given {
        let (chain, event) = (ChainId(Hash::ZERO), Hash([event; 32]));
        let receipt = SoftReceipt { chain, event, zone: Zone(0), term: 1, height: 1, number };
        Given { router: PublicKey([router; 32]), receipt, signature: Signature([0; 64]) }
    }

    fn kept(promises: &Promises) -> usize {
        let latest = promises.lock();
        let open: usize = latest.open.values().map(BTreeMap::len).sum();
        assert_eq!(latest.promises.len(), open + latest.closed.len());
        latest.promises.len()
    }

    // Broken by: promises that grow without limit; one that somebody pushes out, before anybody
    // looked at it, with others that were kept, or with another router's.
    #[test]
    fn what_nobody_has_looked_at_is_forgotten_last() {
        let (promises, all) = (Promises::default(), PROMISES_MAX as u64);
        (0..all).for_each(|number| promises.remember(given(1, number, 1)));
        for (at, given) in promises.open().iter().filter(|(_, given)| given.receipt.number > 0) {
            promises.close(&given.router, *at);
        }
        (0..all / 2).for_each(|number| promises.remember(given(1, all + number, 1)));
        assert_eq!(kept(&promises), PROMISES_MAX);
        assert_eq!(promises.open()[0].1.receipt.number, 0);
        // It is still compared, and so is one that was closed.
        promises.remember(given(1, 0, 2));
        promises.remember(given(1, all - 1, 2));
        assert_eq!(promises.take_contradictions().len(), 2);
        // With nothing closed, who has most loses its oldest.
        promises.remember(given(2, 0, 1));
        (0..2 * all).for_each(|number| promises.remember(given(1, 2 * all + number, 1)));
        assert_eq!(kept(&promises), PROMISES_MAX);
        promises.remember(given(2, 0, 2));
        assert_eq!(promises.take_contradictions().len(), 1);
    }
}
