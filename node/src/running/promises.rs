//! What routers promised by way of this node. Who gives one number to two events, or seals
//! something else in its place, answers for it with its bond (spec RTR-17).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use ddt_contracts::zones::Evidence;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::ids::Zone;
use ddt_ledger::lane::{CheckedBlock, SoftReceipt};
use ddt_ledger::receipt::{EventPlace, Subject};
use ddt_ledger::routers::Sealed;
use ddt_ledger::{Hash, PublicKey, Signature};

use super::core::Core;

/// Promises remembered at most; the oldest is forgotten first.
const PROMISES_MAX: usize = 16_384;

/// A router's promise.
pub struct Given {
    /// Whose.
    pub router: PublicKey,
    /// What it promised.
    pub receipt: SoftReceipt,
    /// Its signature over [`SoftReceipt::digest`].
    pub signature: Signature,
}

/// The router, and zone, term and number.
type Place = (PublicKey, Zone, u64, u64);

/// The last promises, by their places.
#[derive(Default)]
pub struct Promises(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    promises: BTreeMap<Place, (SoftReceipt, Signature)>,
    /// The oldest first.
    order: VecDeque<Place>,
}

impl Promises {
    /// Remembers a promise; another one of the same place that it contradicts.
    fn remember(&self, given: &Given) -> Option<(SoftReceipt, Signature)> {
        let Given { router, receipt, signature } = given;
        let place = (*router, receipt.zone, receipt.term, receipt.number);
        let mut latest = self.0.lock().unwrap_or_else(|error| error.into_inner());
        if let Some(known) = latest.promises.get(&place) {
            return Some(known.clone()).filter(|(known, _)| known.event != receipt.event);
        }
        latest.promises.insert(place, (receipt.clone(), *signature));
        latest.order.push_back(place);
        if latest.order.len() > PROMISES_MAX
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.promises.remove(&oldest);
        }
        None
    }
}

/// Accuses a router that promised the number to another event before.
pub fn must_be_the_only_one(core: &Core, given: &Given) {
    let Some((other, signature)) = core.promises.remember(given) else { return };
    let (zone, number) = (given.receipt.zone, given.receipt.number);
    tracing::error!("the router of zone {zone} promised number {number} to two events");
    let (one, two) = ((&other, signature), (&given.receipt, given.signature));
    let evidence = Evidence::of_receipts(given.router, one, two);
    evidence.into_iter().for_each(|evidence| core.accused.accuse(evidence));
}

/// Accuses a router whose lane has something else in the promised place by now.
pub fn must_be_kept(core: &Core, given: &Given) {
    match broken(core, given) {
        Ok(None) => {}
        Ok(Some(evidence)) => {
            let (zone, number) = (given.receipt.zone, given.receipt.number);
            tracing::error!("the router of zone {zone} broke its promise of number {number}");
            core.accused.accuse(evidence);
        }
        Err(fault) => tracing::error!("a promise cannot be looked at: {fault}"),
    }
}

fn broken(core: &Core, given: &Given) -> Result<Option<Evidence>, StoreFault> {
    let Given { router, receipt, signature } = given;
    let Some(sealed) = in_its_place(core, receipt)? else { return Ok(None) };
    let is_kept = sealed.id == receipt.event && sealed.block == receipt.height;
    // What its term left to the next one has lapsed, and is nobody's fault.
    if is_kept || sealed.term != receipt.term {
        return Ok(None);
    }
    let bytes = core.lanes.block(receipt.zone, receipt.term, sealed.block)?;
    let (chain, registry) = (core.book.chain(), core.book.registry());
    let block = bytes.and_then(|bytes| CheckedBlock::check(&bytes, chain, router, registry).ok());
    Ok(block.and_then(|block| {
        let ids: Vec<Hash> = block.events().iter().map(|event| event.id()).collect();
        let sealed = Sealed::breaking(receipt, block.header(), &ids)?;
        let (one, two) = ((receipt, *signature), (&sealed, block.signed_header().signature));
        Evidence::of_promise(*router, one, two)
    }))
}

/// What the book has at the promised number.
fn in_its_place(core: &Core, receipt: &SoftReceipt) -> Result<Option<EventPlace>, StoreFault> {
    let snapshot = core.book.snapshot()?;
    let Some(id) = snapshot.event_numbered(receipt.zone, receipt.number)? else { return Ok(None) };
    let Some(place) = snapshot.event_place(&id)? else { return Ok(None) };
    Ok(snapshot.receipt(place)?.and_then(|receipt| match receipt.subject {
        Subject::Event(place) => Some(place),
        _ => None,
    }))
}
