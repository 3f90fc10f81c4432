//! A verified copy of a whole folder: every file's BLAKE3 stands in its manifest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::migration::Disk;
use crate::failure::Failure;

/// The manifest's name.
pub const MANIFEST: &str = "MANIFEST";
/// Of a data folder, what belongs to the running process alone, and earlier copies.
const NOT_COPIED: [&str; 3] = ["LOCK", "run.json", "VERSION.new"];
/// Folders of earlier copies begin with this.
pub const PREFIX: &str = "before-migration-";

/// A file's path below its folder, its length in bytes and its BLAKE3 in hex.
pub type Contents = BTreeMap<String, (u64, String)>;

/// A file's length and BLAKE3.
pub fn hash_file(path: &Path) -> Result<(u64, String), Failure> {
    let io = |error: std::io::Error| Failure::io(path, &error);
    let (mut file, mut hasher) = (File::open(path).map_err(io)?, blake3::Hasher::new());
    let (mut buffer, mut length) = (vec![0; 1024 * 1024], 0u64);
    loop {
        let read = file.read(&mut buffer).map_err(io)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        length = length.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    Ok((length, hasher.finalize().to_hex().to_string()))
}

/// What is in a data folder, but for what is not copied.
pub fn contents(folder: &Path) -> Result<Contents, Failure> {
    let mut found = Contents::new();
    walk(folder, "", &mut found)?;
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Contents) -> Result<(), Failure> {
    let io = |error: std::io::Error| Failure::io(folder, &error);
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_left = NOT_COPIED.contains(&name.as_str())
            || name.starts_with(PREFIX)
            || name == crate::backup::UNDERWAY;
        if prefix.is_empty() && is_left {
            continue;
        }
        let path = entry.path();
        let metadata = std::fs::metadata(&path).map_err(|error| Failure::io(&path, &error))?;
        if metadata.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), found)?;
        } else if metadata.is_file() {
            found.insert(format!("{prefix}{name}"), hash_file(&path)?);
        }
    }
    Ok(())
}

fn manifest(contents: &Contents) -> String {
    let line =
        |(path, (bytes, hash)): (&String, &(u64, String))| format!("{hash} {bytes} {path}\n");
    contents.iter().map(line).collect()
}

/// Whether `copy` is a whole copy of these contents, as its manifest and its files say.
pub fn is_copy(copy: &Path, wanted: &Contents) -> Result<bool, Failure> {
    let noted = std::fs::read_to_string(copy.join(MANIFEST)).unwrap_or_default();
    Ok(noted == manifest(wanted) && &copied(copy)? == wanted)
}

/// Whether the files of a copy are those of its manifest.
pub fn is_whole(copy: &Path) -> Result<bool, Failure> {
    let noted = std::fs::read_to_string(copy.join(MANIFEST)).unwrap_or_default();
    Ok(!noted.is_empty() && noted == manifest(&copied(copy)?))
}

fn copied(copy: &Path) -> Result<Contents, Failure> {
    let mut found = contents(copy)?;
    found.remove(MANIFEST);
    Ok(found)
}

/// Copies `contents` of `folder` into the new folder `copy`, verifies every byte, and only
/// then gives it its name.
pub fn make(
    disk: &impl Disk,
    folder: &Path,
    copy: &Path,
    contents: &Contents,
) -> Result<(), Failure> {
    let io = |path: &Path, error: std::io::Error| Failure::io(path, &error);
    let bytes = contents.values().fold(0u64, |sum, (bytes, _)| sum.saturating_add(*bytes));
    super::space::need(folder, bytes.saturating_add(1024 * 1024))?;
    let new = copy.with_extension("new");
    remove(disk, &new)?;
    disk.make_folder(&new).map_err(|error| io(&new, error))?;
    for (name, wanted) in contents {
        let to = new.join(name);
        if let Some(parent) = to.parent().filter(|parent| !parent.exists()) {
            disk.make_folder(parent).map_err(|error| io(parent, error))?;
        }
        disk.copy(&folder.join(name), &to).map_err(|error| io(&to, error))?;
        if hash_file(&to)? != *wanted {
            let words = "the copy differs from what was copied: check the disk";
            return Err(Failure::fault(format!("{}: {words}", to.display())));
        }
    }
    let path = new.join(MANIFEST);
    disk.write(&path, &manifest(contents)).map_err(|error| io(&path, error))?;
    disk.rename(&new, copy).map_err(|error| io(copy, error))
}

/// Removes a file or a whole folder, file by file; nothing there is fine.
pub fn remove(disk: &impl Disk, path: &Path) -> Result<(), Failure> {
    let io = |error: std::io::Error| Failure::io(path, &error);
    if !path.exists() {
        return Ok(());
    }
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io)? {
            remove(disk, &entry.map_err(io)?.path())?;
        }
    }
    disk.remove(path).map_err(io)
}
