//! A backup's file: a tar archive with its manifest as the last entry.
//!
//! Nothing is believed of it: names are those a data folder may have, and every file has the
//! length and the BLAKE3 that the manifest says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::manifest::{FileEntry, MANIFEST, MANIFEST_BYTES_MAX, Manifest};
use crate::data_folder::VERSION;
use crate::data_folder::migration::{Disk, RealDisk};
use crate::failure::Failure;
use crate::secret_file::open_new;

/// An entry in which a node says why it did not finish.
const FAILURE: &str = "failure";
/// Files that a backup may hold; wallets have names of their own.
const NAMES: [&str; 10] = [
    "book.redb",
    "lanes.redb",
    "agents.redb",
    "genesis.toml",
    "VERSION",
    "node.key",
    "config.toml",
    "password",
    "book.json",
    "tickets.json",
];
/// Most files of a backup.
const FILES_MAX: usize = 100_000;

fn header(name: &str, bytes: u64) -> Result<tar::Header, Failure> {
    let mut header = tar::Header::new_gnu();
    let named = header.set_path(name);
    named.map_err(|error| Failure::fault(format!("{name}: {error}")))?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// Writes the files of a manifest, and the manifest.
pub fn write(folder: &Path, manifest: &Manifest, into: &mut dyn Write) -> Result<(), Failure> {
    let failed = |name: &str, error: &io::Error| Failure::io(Path::new(name), error);
    let mut archive = tar::Builder::new(into);
    for file in &manifest.files {
        let path = folder.join(&file.name);
        let data = File::open(&path).map_err(|error| Failure::io(&path, &error))?;
        let header = header(&file.name, file.bytes)?;
        let written = archive.append(&header, data.take(file.bytes));
        written.map_err(|error| failed(&file.name, &error))?;
    }
    let text = manifest.to_text()?;
    let header = header(MANIFEST, text.len() as u64)?;
    archive.append(&header, text.as_bytes()).map_err(|error| failed(MANIFEST, &error))?;
    archive.finish().map_err(|error| failed(MANIFEST, &error))
}

/// Says in the archive why there is no more of it.
pub fn write_failure(failure: &Failure, into: &mut dyn Write) -> io::Result<()> {
    let words = failure.words.as_bytes();
    let header = header(FAILURE, words.len() as u64).map_err(io::Error::other)?;
    let mut archive = tar::Builder::new(into);
    archive.append(&header, words)?;
    archive.finish()
}

fn is_allowed(name: &str) -> bool {
    let is_wallet = name.strip_prefix("keystore/").is_some_and(|name| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        !name.starts_with('.') && !name.is_empty() && name.bytes().all(is_plain)
    });
    NAMES.contains(&name) || is_wallet
}

/// A backup that is being read.
struct Reading<'a> {
    backup: &'a Path,
    into: Option<&'a Path>,
    found: BTreeMap<String, FileEntry>,
    order: Vec<String>,
}

impl Reading<'_> {
    fn bad(&self, words: impl std::fmt::Display) -> Failure {
        let words = format!("{}: {words}; take another backup", self.backup.display());
        Failure { code: "backup.damaged".to_string(), ..Failure::fault(words) }
    }

    fn after(&self) -> String {
        self.order.last().map_or("at its beginning".to_string(), |name| format!("after {name}"))
    }

    /// Reads one file, and writes it where it belongs.
    fn file(&mut self, name: &str, bytes: u64, data: &mut dyn Read) -> Result<(), Failure> {
        if !is_allowed(name) || self.found.contains_key(name) || self.order.len() >= FILES_MAX {
            return Err(self.bad(format!("{name:?} does not belong into a backup")));
        }
        let mut out: Option<(PathBuf, BufWriter<File>)> = None;
        if let Some(folder) = self.into {
            let path = folder.join(name);
            if let Some(parent) = path.parent() {
                RealDisk.make_folder(parent).map_err(|error| Failure::io(parent, &error))?;
            }
            let file = open_new(&path).map_err(|error| Failure::io(&path, &error))?;
            out = Some((path, BufWriter::new(file)));
        }
        let (mut hasher, mut length) = (blake3::Hasher::new(), 0u64);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = data.read(&mut buffer);
            let read = read.map_err(|error| self.bad(format!("{name} is cut short: {error}")))?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
            hasher.update(part);
            length = length.saturating_add(part.len() as u64);
            if let Some((path, out)) = &mut out {
                out.write_all(part).map_err(|error| Failure::io(path, &error))?;
            }
        }
        if let Some((path, out)) = out {
            let file = out.into_inner().map_err(|error| Failure::io(&path, error.error()))?;
            file.sync_all().map_err(|error| Failure::io(&path, &error))?;
        }
        if length != bytes {
            return Err(self.bad(format!("{name} is cut short")));
        }
        let blake3 = hasher.finalize().to_hex().to_string();
        let name = name.to_string();
        self.order.push(name.clone());
        self.found.insert(name.clone(), FileEntry { name, bytes, blake3 });
        Ok(())
    }

    fn compare(&self, manifest: &Manifest) -> Result<(), Failure> {
        if manifest.version != Manifest::VERSION || manifest.layout != VERSION {
            return Err(self.bad(format!(
                "format {} with layout {} is of another release ({}): restore it with that one",
                manifest.version, manifest.layout, manifest.release
            )));
        }
        for file in &manifest.files {
            match self.found.get(&file.name) {
                None => return Err(self.bad(format!("{} is missing", file.name))),
                Some(found) if found != file => {
                    return Err(self.bad(format!("{} is damaged", file.name)));
                }
                Some(_) => {}
            }
        }
        if manifest.files.len() != self.found.len() {
            return Err(self.bad("it holds files that its manifest does not name"));
        }
        Ok(())
    }
}

/// Reads a whole backup and checks every byte that counts; with `into`, writes its files
/// there.
pub fn read(backup: &Path, into: Option<&Path>) -> Result<Manifest, Failure> {
    let file = File::open(backup).map_err(|error| Failure::io(backup, &error))?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(256 * 1024, file));
    let mut reading = Reading { backup, into, found: BTreeMap::new(), order: Vec::new() };
    let entries = archive.entries().map_err(|error| reading.bad(error))?;
    for entry in entries {
        let what = |error: io::Error| {
            reading.bad(format!("it is damaged or cut short {}: {error}", reading.after()))
        };
        let mut entry = entry.map_err(what)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let bytes = entry.size();
        if !entry.header().entry_type().is_file() {
            return Err(reading.bad(format!("{name:?} is no file")));
        }
        match name.as_str() {
            MANIFEST | FAILURE => {
                let mut text = String::new();
                let read = entry.take(MANIFEST_BYTES_MAX).read_to_string(&mut text);
                read.map_err(|error| reading.bad(format!("{name} is damaged: {error}")))?;
                if name == FAILURE {
                    return Err(Failure::fault(format!("the node made no backup: {text}")));
                }
                let damaged = || reading.bad(format!("{MANIFEST} is damaged"));
                let manifest = Manifest::from_text(&text).ok_or_else(damaged)?;
                reading.compare(&manifest)?;
                return Ok(manifest);
            }
            name => reading.file(name, bytes, &mut entry)?,
        }
    }
    Err(reading.bad(format!("it is cut short {}: {MANIFEST} is missing", reading.after())))
}
