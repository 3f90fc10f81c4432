//! A data folder from a backup: whole and checked, or not at all.

use std::path::Path;

use ddt_contracts::REGISTRY;
use ddt_ledger::store::{Backend, BookStore, LaneStore};

use super::archive;
use super::manifest::Manifest;
use super::restored::Restored;
use super::verify::{Verdict, verify};
use crate::data_folder::read_genesis;
use crate::failure::Failure;

/// Makes the folder `home`, which must be empty or not there, from a backup.
pub fn restore(
    backup: &Path,
    home: &Path,
    is_verified: bool,
) -> Result<(Manifest, Option<Verdict>), Failure> {
    if !backup.is_file() {
        return Err(Failure::usage(format!("there is no backup {}", backup.display())));
    }
    refuse_full(home)?;
    let home = std::path::absolute(home).unwrap_or_else(|_| home.to_path_buf());
    let parent = home.parent().unwrap_or(&home);
    std::fs::create_dir_all(parent).map_err(|error| Failure::io(parent, &error))?;
    // Beside its place, and removed unless everything is right.
    let beside = tempfile::Builder::new().prefix(".ddt-restore-").tempdir_in(parent);
    let beside = beside.map_err(|error| Failure::io(parent, &error))?;
    let folder = beside.path();
    let manifest = archive::read(backup, Some(folder))?;
    let verdict = check(backup, folder, &manifest, is_verified)?;
    let mark = Restored::of(&manifest);
    mark.write(folder)?;
    sync_all(folder)?;
    let made = beside.keep();
    std::fs::rename(&made, &home).map_err(|error| Failure::io(&home, &error))?;
    sync_all(parent)?;
    Ok((manifest, verdict))
}

fn sync_all(folder: &Path) -> Result<(), Failure> {
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Failure::io(folder, &error))
}

fn refuse_full(home: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(home) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io(home, &error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Failure::usage(format!(
                "{} is not empty: restore into an empty or a new folder",
                home.display()
            ))),
        },
    }
}

/// Opens the stores as a node would, and compares with the manifest.
fn check(
    backup: &Path,
    folder: &Path,
    manifest: &Manifest,
    is_verified: bool,
) -> Result<Option<Verdict>, Failure> {
    let wrong = |words: String| {
        let words = format!("{}: {words}", backup.display());
        Failure { code: "backup.wrong".to_string(), ..Failure::fault(words) }
    };
    let missing = || wrong("genesis.toml is missing".to_string());
    let genesis = read_genesis(&folder.join("genesis.toml"))?.ok_or_else(missing)?;
    if genesis.chain() != manifest.chain {
        return Err(wrong("genesis.toml is of another network".to_string()));
    }
    let file = |name: &str| Backend::File(folder.join(name));
    let book = BookStore::open(file("book.redb"), &genesis, REGISTRY);
    let book = book.map_err(|fault| wrong(format!("book.redb: {fault}")))?;
    let (head, roots) = book.head();
    if (head.height, head.anchor, roots.state) != (manifest.height, manifest.anchor, manifest.root)
    {
        return Err(wrong("book.redb is of another moment than its manifest says".to_string()));
    }
    let lanes = LaneStore::open(file("lanes.redb"), genesis.chain());
    let lanes = lanes.map_err(|fault| wrong(format!("lanes.redb: {fault}")))?;
    Restored::of(manifest).check_lanes(&book, &lanes)?;
    let verdict = if is_verified { Some(verify(&book)?) } else { None };
    drop((book, lanes));
    Ok(verdict)
}
