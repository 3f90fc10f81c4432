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

/// Promises remembered at most; the oldest is forgotten first.
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

/// The last promises, by their places.
#[derive(Default)]
pub struct Promises(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    promises: BTreeMap<Place, Given>,
    /// The oldest first.
    order: VecDeque<Place>,
    /// Of which nobody knows yet whether they were kept.
    open: BTreeSet<Place>,
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
        latest.order.push_back(place);
        latest.open.insert(place);
        if latest.order.len() > PROMISES_MAX
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.promises.remove(&oldest);
            latest.open.remove(&oldest);
        }
    }

    /// Takes those whose term is here.
    fn contradictions(&self, is_here: impl Fn(&SoftReceipt) -> bool) -> Vec<(Given, Given)> {
        let all = std::mem::take(&mut self.lock().contradictions);
        let (here, later) = all.into_iter().partition(|(one, _)| is_here(&one.receipt));
        self.lock().contradictions.extend::<Vec<_>>(later);
        here
    }

    /// The open ones, those of one block beside each other.
    fn open(&self) -> Vec<(Place, Given)> {
        let latest = self.lock();
        let given = |place: &Place| Some((*place, latest.promises.get(place)?.clone()));
        latest.open.iter().filter_map(given).collect()
    }

    fn close(&self, place: &Place) {
        self.lock().open.remove(place);
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
    let snapshot = core.book.snapshot()?;
    let is_here = |receipt: &SoftReceipt| {
        Lane::read(&snapshot, receipt.zone).is_none_or(|lane| lane.term >= receipt.term)
    };
    for (one, other) in core.promises.contradictions(is_here) {
        let (zone, number) = (one.receipt.zone, one.receipt.number);
        let (first, second) = ((&one.receipt, one.signature), (&other.receipt, other.signature));
        let evidence = Evidence::of_receipts(one.router, first, second);
        if core.accused.accuse(core, evidence)? {
            tracing::error!("the router of zone {zone} promised number {number} to two events");
        }
    }
    let mut block = None;
    for (place, given) in core.promises.open() {
        let fate = match core.accused.knows(&given.router) {
            true => Fate::Over,
            false => fate(core, &snapshot, &given, &mut block)?,
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
        core.promises.close(&place);
    }
    Ok(())
}

fn fate(
    core: &Core,
    snapshot: &Snapshot,
    given: &Given,
    last: &mut Option<Block>,
) -> Result<Fate, StoreFault> {
    let receipt = &given.receipt;
    let (zone, term) = (receipt.zone, receipt.term);
    let Some(lane) = Lane::read(snapshot, zone) else { return Ok(Fate::Over) };
    if lane.term < term {
        return Ok(Fate::Open);
    }
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
