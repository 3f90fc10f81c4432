//! Sorting more rows than fit into memory: sorted runs in files, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::row_file::{BUFFER_BYTES, Row, Rows, io, put_row, row_bytes, rows_of};
use crate::fault::StoreFault;

/// Bytes of rows in memory.
const RUN_BYTES: u64 = 64 * 1024 * 1024;

/// Takes rows in any order.
pub(super) struct Sorter {
    folder: PathBuf,
    waiting: Vec<Row>,
    bytes: u64,
    runs: Vec<PathBuf>,
}

impl Sorter {
    /// Whatever is in the folder is removed.
    pub(super) fn in_folder(folder: &Path) -> Result<Sorter, StoreFault> {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(folder, &error)),
            _ => {}
        }
        let folder = folder.to_path_buf();
        Ok(Sorter { folder, waiting: Vec::new(), bytes: 0, runs: Vec::new() })
    }

    pub(super) fn add(&mut self, row: Row) -> Result<(), StoreFault> {
        self.bytes = self.bytes.saturating_add(row_bytes(&row.0, &row.1));
        self.waiting.push(row);
        if self.bytes >= RUN_BYTES { self.end_run() } else { Ok(()) }
    }

    fn end_run(&mut self) -> Result<(), StoreFault> {
        let path = self.folder.join(format!("{:05}.run", self.runs.len()));
        let mut rows = std::mem::take(&mut self.waiting);
        rows.sort_unstable();
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.folder)?;
            let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(&path)?);
            for (key, value) in &rows {
                put_row(&mut file, key, value)?;
            }
            file.flush()
        };
        written().map_err(|error| io(&path, &error))?;
        self.runs.push(path);
        self.bytes = 0;
        Ok(())
    }

    /// All rows, by ascending keys.
    pub(super) fn sorted(mut self) -> Result<Sorted, StoreFault> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable();
        let mut sources = vec![Source::Memory(waiting.into_iter())];
        for run in &self.runs {
            sources.push(Source::File(rows_of(run)?));
        }
        let mut sorted = Sorted { sources, next: BinaryHeap::new(), _folder: self };
        for at in 0..sorted.sources.len() {
            sorted.advance(at)?;
        }
        Ok(sorted)
    }
}

impl Drop for Sorter {
    fn drop(&mut self) {
        // Best effort: whoever sorts here next removes it.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

enum Source {
    Memory(std::vec::IntoIter<Row>),
    File(Rows),
}

impl Source {
    fn next(&mut self) -> Option<Result<Row, StoreFault>> {
        match self {
            Source::Memory(rows) => rows.next().map(Ok),
            Source::File(rows) => rows.next(),
        }
    }
}

/// Rows by ascending keys.
pub(super) struct Sorted {
    sources: Vec<Source>,
    /// The next row of each source that has one.
    next: BinaryHeap<Reverse<(Row, usize)>>,
    _folder: Sorter,
}

impl Sorted {
    fn advance(&mut self, at: usize) -> Result<(), StoreFault> {
        if let Some(row) = self.sources.get_mut(at).and_then(Source::next) {
            self.next.push(Reverse((row?, at)));
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = Result<Row, StoreFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((row, at)) = self.next.pop()?;
        Some(self.advance(at).map(|()| row))
    }
}
