//! Building the book from verified pieces, beside its place, and putting it there whole.

use std::path::Path;

use ddt_contracts::REGISTRY;
use ddt_ledger::PublicKey;
use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::store::{Backend, LaneStore, Restoring, sync_folder};
use ddt_ledger::system::Lane;

use super::FOLDER;
use super::choosing::Candidate;
use super::fetching::{folder_of, read};
use super::proving::Proven;
use crate::failure::Failure;

/// The book while it is being made.
const MAKING: &str = "book.redb.making";
/// Rows that wait on disk to be sorted.
const RUNS: &str = "runs";

/// Removes what a node that was killed left half-made; and once there is a book, what it was
/// made from.
///
/// # Errors
/// The disk failed.
pub fn clear(home: &Path) -> Result<(), Failure> {
    let removed =
        [home.join(MAKING)].into_iter().try_for_each(|path| match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::io(&path, &error))
            }
            _ => Ok(()),
        });
    removed?;
    let fetched = home.join(FOLDER);
    match home.join("book.redb").exists() && fetched.exists() {
        true => std::fs::remove_dir_all(&fetched).map_err(|error| Failure::io(&fetched, &error)),
        false => Ok(()),
    }
}

/// Makes the book of a proven snapshot whose pieces are all on disk.
///
/// # Errors
/// The disk failed, or the state is not to be had without its history.
pub fn build(
    home: &Path,
    genesis: &Genesis,
    router: &PublicKey,
    candidate: &Candidate,
    proven: &Proven,
) -> Result<(), Failure> {
    let (making, folder) = (home.join(MAKING), folder_of(home, &candidate.snapshot));
    clear(home)?;
    let file = Backend::File(making.clone());
    let runs = home.join(FOLDER).join(RUNS);
    let mut restoring = Restoring::begin(file, genesis, REGISTRY, &runs)?;
    for index in 0..u32::try_from(proven.manifest.pieces()).unwrap_or(u32::MAX) {
        let piece = read(&folder, &proven.manifest, index);
        let (piece, _) = piece.ok_or_else(|| {
            Failure::fault(format!("piece {index} on disk is not what was written: check the disk"))
        })?;
        restoring.add(piece.rows)?;
    }
    let book = restoring.finish(&proven.standing)?;
    let snapshot = book.snapshot()?;
    let lanes = Lane::scan(&snapshot, None, TIPS_MAX);
    drop((snapshot, book));
    if lanes.iter().any(|(_, lane)| lane.key == *router) {
        clear(home)?;
        return Err(Failure::fault(
            "this key is a router's: without the blocks it promised it must not begin with a \
             snapshot. Restore its lanes.redb, or set sync.from = \"genesis\"",
        ));
    }
    // A book without lanes would be taken for a router that lost its own.
    drop(LaneStore::open(Backend::File(home.join("lanes.redb")), genesis.chain())?);
    let book = home.join("book.redb");
    std::fs::rename(&making, &book).map_err(|error| Failure::io(&book, &error))?;
    sync_folder(home)?;
    clear(home)
}
