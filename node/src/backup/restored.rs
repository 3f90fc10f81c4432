//! The mark of a folder that was restored, and what its router may do.
//!
//! Between the backup and now the router may have sealed blocks and signed anchors that the
//! folder does not know. Signing others in their places would be fraud, and the folder alone
//! cannot tell. So a router among several never signs from a backup; and one that is alone,
//! whose network is nobody else's, only after its operator said that what came after the
//! backup counts no more.

use std::path::Path;

use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::system::{Lane, Validators};
use ddt_ledger::{Hash, Millis};
use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, SealedLane};
use crate::failure::Failure;
use crate::secret_file;

/// The mark's name.
const MARK: &str = "restored";
/// The flag with which an operator says that what came after the backup counts no more.
pub const FLAG: &str = "--continue-restored";

/// What a restored folder was restored to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// The last anchor in the book.
    pub height: u64,
    /// The state root after it.
    pub root: Hash,
    /// When the backup was made.
    pub backup_time_ms: Millis,
    /// How far each lane was sealed.
    pub lanes: Vec<SealedLane>,
    /// Whether the operator let the router go on.
    pub is_continued: bool,
}

fn refusal(code: &str, words: String) -> Failure {
    Failure { code: code.to_string(), ..Failure::fault(words) }
}

impl Restored {
    /// The mark of a folder made from this backup.
    pub fn of(manifest: &Manifest) -> Restored {
        Restored {
            height: manifest.height,
            root: manifest.root,
            backup_time_ms: manifest.time_ms,
            lanes: manifest.lanes.clone(),
            is_continued: false,
        }
    }

    /// The mark of a folder, if it was restored.
    pub fn read(home: &Path) -> Result<Option<Restored>, Failure> {
        let path = home.join(MARK);
        let Some(text) = secret_file::read(&path)? else { return Ok(None) };
        let mark = serde_json::from_str(&text);
        mark.map(Some).map_err(|error| {
            Failure::fault(format!("{} is damaged: {error}; restore again", path.display()))
        })
    }

    /// Writes the mark, durably.
    pub fn write(&self, home: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string(self).map_err(|e| Failure::fault(e.to_string()))?;
        secret_file::replace(&home.join(MARK), &text)
    }

    /// Refuses lanes that are older than the book, or than the backup they came from.
    pub fn check_lanes(&self, book: &BookStore, lanes: &LaneStore) -> Result<(), Failure> {
        Restored::check(&self.lanes, book, lanes)
    }

    /// Refuses lanes that are older than the book, or than these.
    pub fn check(noted: &[SealedLane], book: &BookStore, lanes: &LaneStore) -> Result<(), Failure> {
        let (snapshot, sealed) = (book.snapshot()?, lanes.snapshot()?);
        let anchored = Lane::scan(&snapshot, None, TIPS_MAX);
        let anchored = anchored.into_iter().map(|(zone, lane)| (zone, lane.term, lane.height));
        let noted = noted.iter().map(|lane| (lane.zone, lane.term, lane.height));
        for (zone, term, wanted) in anchored.chain(noted) {
            let height = sealed.sealed(zone, term)?.unwrap_or(0);
            if height < wanted {
                let words = format!(
                    "lanes.redb ends at block {height} of zone {zone}, and {wanted} were sealed: \
                     a router without the blocks it promised must not seal others. Restore the \
                     whole backup again"
                );
                return Err(refusal("restored.lanes", words));
            }
        }
        snapshot.fault().map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Whether the router of this folder may sign; `is_agreed` when its operator says so now.
    /// Answers whether it may begin without the record of its votes.
    pub fn admit(
        &mut self,
        home: &Path,
        book: &BookStore,
        lanes: &LaneStore,
        is_agreed: bool,
    ) -> Result<bool, Failure> {
        self.check_lanes(book, lanes)?;
        let validators = Validators::read(&book.snapshot()?);
        let others = validators.map_or(usize::MAX, |v| v.next.0.len().max(v.after_next.0.len()));
        if others > 1 {
            let words = "this folder was restored from a backup: a router among several must not \
                         sign from one, for it may have signed other blocks and votes since";
            return Err(refusal("restored.sealed_off", words.to_string()));
        }
        if !self.is_continued {
            if !is_agreed {
                let words = format!(
                    "{} was restored from a backup taken after anchor {}. Whatever the network \
                     did later would be lost, and this router would sign other blocks and \
                     anchors in the same places. If the old folder still exists, use that one, \
                     and never run both. If it is lost, start once with {FLAG}",
                    home.display(),
                    self.height
                );
                return Err(refusal("restored.sealed_off", words));
            }
            self.is_continued = true;
            self.write(home)?;
        }
        // Once an anchor was made here, the votes have a record of their own again.
        Ok(book.head().0.height <= self.height)
    }
}
