//! A store's file that is only read: what is written goes to memory.
//!
//! Opening a store writes to it, most of all after a crash. Here a store opens as a node
//! would open it, and the file stays as it is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use redb::StorageBackend;

const PAGE: u64 = 4_096;

#[derive(Debug)]
struct Written {
    length: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

/// A file, and over it what was written.
#[derive(Debug)]
pub struct Overlay {
    file: File,
    file_length: u64,
    written: Mutex<Written>,
}

impl Overlay {
    /// Opens a file for reading.
    pub fn open(path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let written = Mutex::new(Written { length, pages: BTreeMap::new() });
        Ok(Box::new(Overlay { file, file_length: length, written }))
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// A page as the file has it; zeros after its end.
    fn on_disk(&self, page: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; PAGE as usize];
        let start = page.saturating_mul(PAGE);
        let there = self.file_length.saturating_sub(start).min(PAGE) as usize;
        if let Some(bytes) = bytes.get_mut(..there) {
            read_at(&self.file, start, bytes)?;
        }
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(not(unix))]
fn read_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(out)
}

/// The parts of pages that a range of bytes covers: page, from, to.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset.saturating_add(length as u64);
    let first = offset / PAGE;
    (first..end.div_ceil(PAGE)).map(move |page| {
        let start = page.saturating_mul(PAGE);
        let from = offset.saturating_sub(start).min(PAGE) as usize;
        let to = end.saturating_sub(start).min(PAGE) as usize;
        (page, from, to)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.lock();
        if offset.saturating_add(out.len() as u64) > written.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (mut at, length) = (0usize, out.len());
        for (page, from, to) in parts(offset, length) {
            let bytes = match written.pages.get(&page) {
                Some(bytes) => bytes.clone(),
                None => self.on_disk(page)?,
            };
            let next = at.saturating_add(to.saturating_sub(from));
            if let (Some(out), Some(bytes)) = (out.get_mut(at..next), bytes.get(from..to)) {
                out.copy_from_slice(bytes);
            }
            at = next;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.lock();
        if length < written.length {
            // What is cut off reads as zeros when the file grows again.
            let first = length / PAGE;
            for page in first..written.length.div_ceil(PAGE) {
                let keep = length.saturating_sub(page.saturating_mul(PAGE)).min(PAGE) as usize;
                let mut bytes = match written.pages.get(&page) {
                    Some(bytes) => bytes.clone(),
                    None => self.on_disk(page)?,
                };
                bytes.iter_mut().skip(keep).for_each(|byte| *byte = 0);
                written.pages.insert(page, bytes);
            }
        }
        written.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.lock();
        let mut at = 0usize;
        for (page, from, to) in parts(offset, data.len()) {
            let mut bytes = match written.pages.remove(&page) {
                Some(bytes) => bytes,
                None => self.on_disk(page)?,
            };
            let next = at.saturating_add(to.saturating_sub(from));
            if let (Some(bytes), Some(data)) = (bytes.get_mut(from..to), data.get(at..next)) {
                bytes.copy_from_slice(data);
            }
            at = next;
            written.pages.insert(page, bytes);
        }
        let end = offset.saturating_add(data.len() as u64);
        written.length = written.length.max(end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: writing to the file, parts of pages in the wrong place, or old bytes that
    // come back after the file was cut.
    #[test]
    fn it_behaves_like_a_file_and_leaves_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let before: Vec<u8> = (0..10_000u32).map(|n| n as u8).collect();
        std::fs::write(&path, &before).unwrap();
        let (overlay, mut model) = (Overlay::open(&path).unwrap(), before.clone());
        for (offset, length, byte) in
            [(4_090, 20, 1), (0, 1, 2), (9_999, 300, 3), (8_192, 4_096, 4)]
        {
            overlay.write(offset as u64, &vec![byte; length]).unwrap();
            model.resize(model.len().max(offset + length), 0);
            model[offset..offset + length].fill(byte);
        }
        overlay.set_len(5_000).unwrap();
        overlay.set_len(9_000).unwrap();
        model.truncate(5_000);
        model.resize(9_000, 0);
        assert_eq!(overlay.len().unwrap(), 9_000);
        for (from, to) in [(0, 9_000), (4_095, 4_097), (4_999, 5_001), (8_999, 9_000), (7, 7)] {
            let mut out = vec![0xff; to - from];
            overlay.read(from as u64, &mut out).unwrap();
            assert_eq!(out, model[from..to], "{from}..{to}");
        }
        assert!(overlay.read(8_999, &mut [0; 2]).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
