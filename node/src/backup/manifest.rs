//! What a backup holds, and from which moment.

use ddt_ledger::{ChainId, Hash, Millis, Zone};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The manifest's name; it is the last file of a backup.
pub const MANIFEST: &str = "manifest.json";
/// The version of backups that this code writes and reads.
const BACKUP_VERSION: u32 = 1;
/// Longest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a backup holds, and from which moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The backup's format.
    pub version: u32,
    /// The release that made it.
    pub release: String,
    /// The data folder's layout.
    pub layout: u32,
    /// The network's name.
    pub network: String,
    /// The chain.
    pub chain: ChainId,
    /// The last anchor in the book.
    pub height: u64,
    /// That anchor's id.
    pub anchor: Hash,
    /// The state root after it.
    pub root: Hash,
    /// When it was made.
    pub time_ms: Millis,
    /// How far each lane is sealed in the copy.
    pub lanes: Vec<SealedLane>,
    /// Every file, in the order of the backup.
    pub files: Vec<FileEntry>,
}

/// How far a lane is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedLane {
    /// Its zone.
    pub zone: Zone,
    /// The term.
    pub term: u64,
    /// The last block; 0 before the first.
    pub height: u64,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its path below the data folder.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its BLAKE3, in hex.
    pub blake3: String,
}

impl Manifest {
    /// The version that this code writes.
    pub const VERSION: u32 = BACKUP_VERSION;

    /// One line of JSON, and its own hash on the next.
    pub fn to_text(&self) -> Result<String, Failure> {
        let json = serde_json::to_string(self).map_err(|e| Failure::fault(e.to_string()))?;
        let hash = blake3::hash(json.as_bytes()).to_hex();
        Ok(format!("{json}\n{hash}\n"))
    }

    /// Reads what [`Manifest::to_text`] wrote; `None` when any byte of it has changed.
    pub fn from_text(text: &str) -> Option<Manifest> {
        let (json, hash) = text.strip_suffix('\n')?.split_once('\n')?;
        let is_whole = blake3::hash(json.as_bytes()).to_hex().as_str() == hash;
        is_whole.then(|| serde_json::from_str(json).ok())?
    }
}
