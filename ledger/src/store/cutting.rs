//! Cutting a state into pieces on disk, with little memory: its rows are first spread over
//! files by the beginnings of their places, then each of those is sorted by itself.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::row_file::{BUFFER_BYTES, io, put_row, row_bytes, rows_of, sync_folder, write_whole};
use crate::fault::{FaultKind, StoreFault};
use crate::hash::Hash;
use crate::ids::ChainId;
use crate::state::{
    CUT_BITS_MAX, Manifest, PIECE_BYTES_MAX, Page, Piece, SNAPSHOT_VERSION, StateReader, Subtree,
    piece_of, place_of,
};

/// Files that rows are spread over: 2 to this many.
const SPREAD_BITS: u32 = 8;
/// Rows read at one time.
const PAGE: usize = 2_000;
/// What a piece costs beside its rows.
const HEAD_BYTES: u64 = 64;
/// The manifest in the folder of a snapshot.
pub const MANIFEST_FILE: &str = "manifest";

/// Asked again and again; may take its time, and says whether to go on.
pub type Pause<'p> = &'p mut dyn FnMut() -> bool;

/// The file of a piece in the folder of a snapshot.
pub fn piece_file(index: u32) -> String {
    format!("{index:05}.piece")
}

/// The rows of a state, spread over files.
pub struct Spread {
    folder: PathBuf,
    /// Bytes in each of the smallest pieces that there may be.
    bytes: Vec<u64>,
}

impl Spread {
    /// Spreads the rows of a state over files in a folder, which must be empty. `None` when
    /// `pause` says no.
    ///
    /// # Errors
    /// The store or the disk failed.
    pub fn of(
        source: &dyn StateReader,
        folder: &Path,
        pause: Pause,
    ) -> Result<Option<Spread>, StoreFault> {
        let mut files = Vec::new();
        for part in 0..1usize << SPREAD_BITS {
            let path = spread_file(folder, part);
            let file = File::create_new(&path).map_err(|error| io(&path, &error))?;
            files.push((path, BufWriter::with_capacity(BUFFER_BYTES, file)));
        }
        let mut bytes = vec![0u64; 1usize << CUT_BITS_MAX];
        let mut after = Vec::new();
        loop {
            let page: Page = source.after(&[], &after, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = last.clone();
            for (key, value) in page {
                let place = place_of(&key);
                if let Some(sum) = bytes.get_mut(piece_of(&place, CUT_BITS_MAX)) {
                    *sum = sum.saturating_add(row_bytes(&key, &value));
                }
                let Some((path, file)) = files.get_mut(piece_of(&place, SPREAD_BITS)) else {
                    continue;
                };
                put_row(file, &key, &value).map_err(|error| io(path, &error))?;
            }
            if !pause() {
                return Ok(None);
            }
        }
        for (path, file) in &mut files {
            file.flush().map_err(|error| io(path, &error))?;
        }
        Ok(Some(Spread { folder: folder.to_path_buf(), bytes }))
    }

    /// The fewest pieces that have at most `wanted` bytes on average, and none too many.
    fn bits(&self, wanted: u64) -> u32 {
        let all: u64 = self.bytes.iter().fold(0, |sum, bytes| sum.saturating_add(*bytes));
        let longest = (PIECE_BYTES_MAX as u64).saturating_sub(HEAD_BYTES);
        let fits = |bits: &u32| {
            let run = 1usize << CUT_BITS_MAX.saturating_sub(*bits);
            let sum = |run: &[u64]| run.iter().fold(0u64, |sum, bytes| sum.saturating_add(*bytes));
            let largest = self.bytes.chunks(run).map(sum).max().unwrap_or_default();
            all <= wanted.saturating_mul(1u64 << *bits) && largest <= longest
        };
        (0..=CUT_BITS_MAX).find(fits).unwrap_or(CUT_BITS_MAX)
    }

    /// Writes manifest and pieces into the folder, durably, and removes what it needed on the
    /// way. `None` when `pause` says no.
    ///
    /// # Errors
    /// The disk failed, or the rows are not those of a state with this root.
    pub fn cut(
        self,
        (chain, height, root): (ChainId, u64, Hash),
        wanted: u64,
        pause: Pause,
    ) -> Result<Option<Manifest>, StoreFault> {
        let bits = self.bits(wanted);
        let short = u8::try_from(bits).unwrap_or_default();
        let about = (chain, height, short);
        // Runs of files that hold whole pieces.
        let runs = bits.min(SPREAD_BITS);
        let files = 1usize << SPREAD_BITS.saturating_sub(runs);
        let pieces = 1usize << bits.saturating_sub(runs);
        let mut subtrees = Vec::with_capacity(1usize << bits);
        for run in 0..1usize << runs {
            let first = run.saturating_mul(pieces);
            let mut sorted: Vec<Page> = vec![Page::new(); pieces];
            for part in 0..files {
                let path =
                    spread_file(&self.folder, run.saturating_mul(files).saturating_add(part));
                for row in rows_of(&path)? {
                    let row = row?;
                    let index = piece_of(&place_of(&row.0), bits).saturating_sub(first);
                    if let Some(piece) = sorted.get_mut(index) {
                        piece.push(row);
                    }
                }
                std::fs::remove_file(&path).map_err(|error| io(&path, &error))?;
                if !pause() {
                    return Ok(None);
                }
            }
            for rows in sorted {
                let subtree = self.write_piece(about, subtrees.len(), rows)?;
                subtrees.push(subtree);
                if !pause() {
                    return Ok(None);
                }
            }
        }
        let manifest = Manifest { version: SNAPSHOT_VERSION, chain, height, bits: short, subtrees };
        if manifest.root() != root {
            let words = format!("the rows of anchor {height} do not hash to its state root");
            return Err(StoreFault::damaged(words));
        }
        write_whole(&self.folder.join(MANIFEST_FILE), &manifest.encode())?;
        sync_folder(&self.folder)?;
        Ok(Some(manifest))
    }

    fn write_piece(
        &self,
        about: (ChainId, u64, u8),
        index: usize,
        rows: Page,
    ) -> Result<Subtree, StoreFault> {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let (piece, subtree) = Piece::of(about, index, rows);
        let bytes = piece.encode();
        if bytes.len() > PIECE_BYTES_MAX {
            let words = format!("piece {index} would have {} bytes: no snapshot", bytes.len());
            return Err(StoreFault::new(FaultKind::Full, words));
        }
        write_whole(&self.folder.join(piece_file(index)), &bytes)?;
        Ok(subtree)
    }
}

fn spread_file(folder: &Path, part: usize) -> PathBuf {
    folder.join(format!("{part:03}.rows"))
}
