//! Building the book from verified pieces, beside its place, and putting it there whole.

use std::path::Path;

use ddt_contracts::REGISTRY;
use ddt_ledger::PublicKey;
use ddt_ledger::genesis::Genesis;
use ddt_ledger::routers::RouterKey;
use ddt_ledger::store::{Backend, LaneStore, Restoring, sync_folder};
use ddt_ledger::system::Validators;

use super::FOLDER;
use super::choosing::Candidate;
use super::fetching::read;
use super::kept::folder_of;
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

/// Makes the book of a proven snapshot whose pieces are all on disk. `knows_all` says whether
/// this folder knows everything that its router key signed.
///
/// # Errors
/// The disk failed, or the key is a router's that lost what it signed, and there is no other
/// router that it could follow in silence.
pub fn build(
    home: &Path,
    genesis: &Genesis,
    (router, knows_all): (&PublicKey, bool),
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
    let is_known = RouterKey::read(&snapshot, router).is_some();
    let is_alone = Validators::read(&snapshot).is_none_or(|set| set.next.0.len() < 2);
    drop((snapshot, book));
    if is_known && is_alone && !knows_all {
        clear(home)?;
        return Err(Failure::fault(
            "this key is a router's in a network of one router: without the blocks it promised \
             it must not begin. Restore its lanes.redb",
        ));
    }
    // A book without lanes would be taken for a router that lost its own.
    drop(LaneStore::open(Backend::File(home.join("lanes.redb")), genesis.chain())?);
    let book = home.join("book.redb");
    std::fs::rename(&making, &book).map_err(|error| Failure::io(&book, &error))?;
    sync_folder(home)?;
    clear(home)
}
