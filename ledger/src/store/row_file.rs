//! Rows in files of their own, and files that are whole or not there.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::fault::{FaultKind, StoreFault};

/// Bytes that wait in memory for a file.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;
/// What a row costs beside its key and value.
const ROW_BYTES: u64 = 8;

/// A full key and its value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// The bytes of a row in a file, and in a piece.
pub(super) fn row_bytes(key: &[u8], value: &[u8]) -> u64 {
    (key.len() as u64).saturating_add(value.len() as u64).saturating_add(ROW_BYTES)
}

/// Appends a row.
pub(super) fn put_row(file: &mut impl Write, key: &[u8], value: &[u8]) -> std::io::Result<()> {
    put(file, key)?;
    put(file, value)
}

fn put(file: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(bytes)
}

fn take(file: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The rows of a file that this process wrote.
pub(super) struct Rows {
    path: PathBuf,
    file: BufReader<File>,
    left: u64,
}

impl Iterator for Rows {
    type Item = Result<Row, StoreFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let row = take(&mut self.file).and_then(|key| Ok((key, take(&mut self.file)?)));
        let row = row.map_err(|error| io(&self.path, &error));
        self.left = match &row {
            Ok(row) => self.left.saturating_sub(row_bytes(&row.0, &row.1)),
            Err(_) => 0,
        };
        Some(row)
    }
}

/// Reads a file of rows.
pub(super) fn rows_of(path: &Path) -> Result<Rows, StoreFault> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (left, file) = opened.map_err(|error| io(path, &error))?;
    let file = BufReader::with_capacity(BUFFER_BYTES, file);
    Ok(Rows { path: path.to_path_buf(), file, left })
}

/// Writes a file such that it is whole or not there: beside its place, synced, then renamed.
///
/// # Errors
/// The disk failed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreFault> {
    let new = path.with_extension("new");
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    });
    written.map_err(|error| io(path, &error))
}

/// Makes what was renamed in a folder durable.
///
/// # Errors
/// The disk failed.
pub fn sync_folder(folder: &Path) -> Result<(), StoreFault> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| io(folder, &error))
}

pub(super) fn io(path: &Path, error: &std::io::Error) -> StoreFault {
    let (kind, advice) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (FaultKind::Full, "the disk is full: free some space")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (FaultKind::ReadOnly, "it may not be written: check its owner and permissions")
        }
        _ => (FaultKind::Disk, "check the disk"),
    };
    StoreFault::new(kind, format!("{}: {error}; {advice}", path.display()))
}
