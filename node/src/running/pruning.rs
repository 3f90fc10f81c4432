//! Forgetting history that its operator does not want to keep.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ddt_ledger::fault::StoreFault;
use ddt_ledger::store::{BookStore, Pruning};
use ddt_ledger::system::Lane;

use super::core::Core;

/// How often it is looked whether something is old.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Receipts forgotten at a time: while they are, an anchor waits.
const AT_ONCE: usize = 2_000;
/// Between two turns, so that anchors and blocks are written first.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps this many whole epochs beside the present one. Runs until the runtime ends.
pub async fn forget(core: Arc<Core>, epochs: u64) {
    // What was begun before this start is ended first: nothing else would look for it.
    let mut is_begun = core.book.lowest() > 1;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(lowest) = looking(&core, move |core| lowest_kept(core, epochs)).await else {
            continue;
        };
        let lowest = lowest.max(core.book.lowest());
        if lowest <= core.book.lowest() && !is_begun {
            continue;
        }
        is_begun = false;
        let mut pruning = Some(Pruning::before(lowest));
        while let Some(turn) = pruning.take() {
            let turned = looking(&core, move |core| one_turn(core, turn)).await;
            is_begun = turned.is_none();
            pruning = turned.flatten();
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn looking<T: Send + 'static>(
    core: &Arc<Core>,
    look: impl FnOnce(&Core) -> Result<T, StoreFault> + Send + 'static,
) -> Option<T> {
    let core = core.clone();
    match tokio::task::spawn_blocking(move || look(&core)).await {
        Ok(Ok(found)) => Some(found),
        Ok(Err(fault)) => {
            tracing::error!("forgetting old history: {fault}");
            None
        }
        Err(_) => None,
    }
}

/// The first anchor that must stay: of the epochs kept, of the snapshots that others are
/// offered, and whatever the book still works with.
fn lowest_kept(core: &Core, epochs: u64) -> Result<u64, StoreFault> {
    let epoch = core.book.head().0.epoch.saturating_sub(epochs);
    let lowest = first_of_epoch(&core.book, epoch)?.min(core.book.lowest_max());
    let offers = core.snapshots.offers();
    Ok(offers.iter().map(|offer| offer.height).fold(lowest, u64::min))
}

/// The first anchor here that began in this epoch or later.
fn first_of_epoch(book: &BookStore, epoch: u64) -> Result<u64, StoreFault> {
    let snapshot = book.snapshot()?;
    let (mut low, mut high) = (book.lowest(), book.head().0.height);
    while low < high {
        let middle = low.midpoint(high);
        let is_later = snapshot.anchor(middle)?.is_none_or(|record| record.head.epoch >= epoch);
        (low, high) = if is_later { (low, middle) } else { (middle.saturating_add(1), high) };
    }
    Ok(low)
}

/// Answers what is left to do.
fn one_turn(core: &Core, mut pruning: Pruning) -> Result<Option<Pruning>, StoreFault> {
    if !core.book.prune(&mut pruning, AT_ONCE)? {
        return Ok(Some(pruning));
    }
    // Blocks go last: until then, every event that is found has its bytes.
    let snapshot = core.book.snapshot()?;
    let mut ends = Vec::new();
    for (zone, (term, height)) in pruning.blocks() {
        let Some(lane) = Lane::read(&snapshot, zone) else { continue };
        let height = match lane.term == term {
            true => height.min(lane.height.saturating_sub(1)),
            false => height,
        };
        ends.push((zone, (term, height)));
    }
    if let Some(fault) = snapshot.fault() {
        return Err(fault);
    }
    // While it is open the book can reuse none of its pages, and this may take long.
    drop(snapshot);
    for (zone, end) in ends {
        while !core.lanes.forget(zone, end)? {
            if core.is_stopping.load(Ordering::Relaxed) {
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
        }
    }
    tracing::info!("forgot what was before anchor {}", core.book.lowest());
    Ok(None)
}
