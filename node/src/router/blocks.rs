//! Checked lane blocks: kept in memory until their anchor, read again from disk otherwise.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use ddt_core::sequencer::{Reach, reach};
use ddt_ledger::anchor::{Span, Tip};
use ddt_ledger::fault::StoreFault;
use ddt_ledger::ids::{ChainId, Zone};
use ddt_ledger::lane::CheckedBlock;
use ddt_ledger::registry::Registry;
use ddt_ledger::store::LaneStore;
use ddt_ledger::system::Lane;
use ddt_ledger::table::Rows;

/// Most blocks that one anchor may take from one lane.
pub const SPAN_BLOCKS_MAX: u64 = 4_096;

type Place = (Zone, u64, u64);

/// Checked blocks by (zone, term, height).
pub struct Blocks {
    chain: ChainId,
    registry: Registry,
    checked: Mutex<BTreeMap<Place, CheckedBlock>>,
}

/// Why the blocks of a tip are not to be had.
pub enum SpanError {
    /// One is not here (yet).
    Missing,
    /// The tip cannot be followed.
    Invalid(String),
    /// The store failed.
    Fault(StoreFault),
}

impl Blocks {
    /// No blocks yet.
    pub fn new(chain: ChainId, registry: Registry) -> Blocks {
        Blocks { chain, registry, checked: Mutex::new(BTreeMap::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, CheckedBlock>> {
        self.checked.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Remembers a block that is on disk.
    pub fn put(&self, block: &CheckedBlock) {
        let header = block.header();
        self.lock().insert((header.zone, header.term, header.height), block.clone());
    }

    /// Forgets a lane's blocks up to its tip.
    pub fn forget(&self, zone: Zone, lane: &Lane) {
        let kept = |place: &Place| place.0 != zone || (place.1, place.2) > (lane.term, lane.height);
        self.lock().retain(|place, _| kept(place));
    }

    /// Whether any block waits for its anchor.
    pub fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// How far a lane's blocks after its tip reach within these limits, at least one block if
    /// there is any; `None` without one.
    pub fn after(&self, zone: Zone, lane: &Lane, bytes_max: u64, work_max: u64) -> Option<Reach> {
        let checked = self.lock();
        let heights = (lane.height.saturating_add(1)..).take(SPAN_BLOCKS_MAX as usize);
        let blocks = heights.map_while(|height| checked.get(&(zone, lane.term, height)));
        reach(blocks, bytes_max, work_max, &self.registry)
    }

    /// The blocks that these tips add to their lanes.
    pub fn spans<R: Rows>(
        &self,
        rows: &R,
        lanes: &LaneStore,
        tips: &[Tip],
    ) -> Result<Vec<Span>, SpanError> {
        tips.iter().map(|tip| self.span(rows, lanes, tip)).collect()
    }

    fn span<R: Rows>(&self, rows: &R, lanes: &LaneStore, tip: &Tip) -> Result<Span, SpanError> {
        let lane = Lane::read(rows, tip.zone)
            .ok_or_else(|| SpanError::Invalid("a tip of no zone".to_string()))?;
        let length = tip.height.checked_sub(lane.height);
        if tip.term != lane.term || length.is_none_or(|length| length > SPAN_BLOCKS_MAX) {
            return Err(SpanError::Invalid("a tip that cannot be followed".to_string()));
        }
        let heights = lane.height.saturating_add(1)..=tip.height;
        let blocks = heights.map(|height| self.block(lanes, &lane, (tip.zone, tip.term, height)));
        Ok(Span { zone: tip.zone, blocks: blocks.collect::<Result<_, _>>()? })
    }

    fn block(
        &self,
        lanes: &LaneStore,
        lane: &Lane,
        place: Place,
    ) -> Result<CheckedBlock, SpanError> {
        if let Some(block) = self.lock().get(&place) {
            return Ok(block.clone());
        }
        let bytes = lanes.block(place.0, place.1, place.2).map_err(SpanError::Fault)?;
        let bytes = bytes.ok_or(SpanError::Missing)?;
        CheckedBlock::check(&bytes, self.chain, &lane.key, &self.registry)
            .map_err(|error| SpanError::Invalid(error.to_string()))
    }
}
