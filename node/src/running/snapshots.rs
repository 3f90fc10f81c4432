//! Snapshots for nodes that join: made at each epoch's end by a thread of their own, kept in
//! the folder `snapshots`, and checked before a piece is sent (spec SNP-4, SNP-8).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ddt_ledger::fault::StoreFault;
use ddt_ledger::state::{MANIFEST_BYTES_MAX, Manifest, Piece};
use ddt_ledger::store::{BookStore, MANIFEST_FILE, Snapshot, Spread, piece_file, sync_folder};
use ddt_ledger::system::Head;
use ddt_ledger::{ChainId, Hash};
use ddt_net::message::Offer;

use crate::failure::Failure;

/// The folder, in the data folder.
pub const FOLDER: &str = "snapshots";
/// The newest of them stay.
const KEPT: usize = 2;
/// A snapshot that is being made.
const UNDERWAY: &str = "new";
/// How long it rests after some work, in multiples of the work: a fifth of a core is used.
const REST: u32 = 4;
const REST_MAX: Duration = Duration::from_millis(250);

/// One that is whole.
struct Kept {
    id: Hash,
    manifest: Arc<Manifest>,
    bytes: Vec<u8>,
    path: PathBuf,
}

/// Snapshots that are whole, newest first.
struct Shelf {
    folder: PathBuf,
    chain: ChainId,
    kept: Mutex<Vec<Kept>>,
}

/// The state at the end of an epoch.
struct Turn {
    height: u64,
    root: Hash,
    state: Snapshot,
}

/// The snapshots of a node, and the thread that makes them.
pub struct Snapshots {
    shelf: Arc<Shelf>,
    is_stopping: Arc<AtomicBool>,
    maker: Mutex<Option<(SyncSender<Turn>, JoinHandle<()>)>>,
}

impl Snapshots {
    /// Looks what is there, throws away what is not whole, and starts the thread if snapshots
    /// are made: with pieces of about so many bytes.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(
        home: &Path,
        chain: ChainId,
        piece_bytes: Option<u64>,
    ) -> Result<Snapshots, Failure> {
        let shelf = Arc::new(Shelf::open(home.join(FOLDER), chain)?);
        let is_stopping = Arc::new(AtomicBool::new(false));
        let mut maker = None;
        if let Some(piece_bytes) = piece_bytes {
            // One may wait while one is made.
            let (sender, turns) = sync_channel(1);
            let (shelf, is_stopping) = (shelf.clone(), is_stopping.clone());
            let make = move || run(&shelf, &turns, piece_bytes, &is_stopping);
            let thread = std::thread::Builder::new().name("snapshots".to_string()).spawn(make);
            let thread = thread.map_err(|error| Failure::fault(format!("no thread: {error}")))?;
            maker = Some((sender, thread));
        }
        Ok(Snapshots { shelf, is_stopping, maker: Mutex::new(maker) })
    }

    /// An anchor was committed: if it began an epoch, the state before it is worth keeping.
    ///
    /// # Errors
    /// The store failed.
    pub fn anchored(&self, book: &BookStore) -> Result<(), StoreFault> {
        let maker = lock(&self.maker);
        let Some((sender, _)) = maker.as_ref() else { return Ok(()) };
        let Some(certified) = book.certified()? else { return Ok(()) };
        let (epoch, height) = (book.head().0.epoch, certified.height);
        let state = certified.into_before();
        let last = Head::read(&state).filter(|last| last.height > 0 && last.epoch < epoch);
        let (Some(_), Some(record)) = (last, state.anchor(height)?) else { return Ok(()) };
        let turn = Turn { height, root: record.roots.state, state };
        match sender.try_send(turn) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!("no snapshot of anchor {height}: the ones before take too long");
            }
            Err(TrySendError::Disconnected(_)) => {
                tracing::error!("no snapshot of anchor {height}: who makes them has ended");
            }
        }
        Ok(())
    }

    /// What others may have.
    pub fn offers(&self) -> Vec<Offer> {
        let kept = lock(&self.shelf.kept);
        let offer = |kept: &Kept| Offer { height: kept.manifest.height, snapshot: kept.id };
        kept.iter().map(offer).collect()
    }

    /// A manifest's bytes.
    pub fn manifest(&self, snapshot: &Hash) -> Option<Vec<u8>> {
        let kept = lock(&self.shelf.kept);
        kept.iter().find(|kept| kept.id == *snapshot).map(|kept| kept.bytes.clone())
    }

    /// A piece's bytes, checked: a disk that rots must not make this node a liar.
    pub fn piece(&self, snapshot: &Hash, index: u32) -> Option<Vec<u8>> {
        let (path, manifest) = {
            let kept = lock(&self.shelf.kept);
            let kept = kept.iter().find(|kept| kept.id == *snapshot)?;
            (kept.path.clone(), kept.manifest.clone())
        };
        let bytes = std::fs::read(path.join(piece_file(index))).ok()?;
        match Piece::check(&bytes, &manifest, index) {
            Ok(_) => Some(bytes),
            Err(error) => {
                let height = manifest.height;
                tracing::error!("piece {index} of the snapshot of anchor {height}: {error}");
                lock(&self.shelf.kept).retain(|kept| kept.id != *snapshot);
                None
            }
        }
    }

    /// Ends the thread; what it was making is thrown away.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let maker = lock(&self.maker).take();
        if let Some((sender, thread)) = maker {
            drop(sender);
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|error| error.into_inner())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Failure + '_ {
    move |error| Failure::io(path, &error)
}

impl Shelf {
    fn open(folder: PathBuf, chain: ChainId) -> Result<Shelf, Failure> {
        let mut kept = Vec::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries.collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Failure::io(&folder, &error)),
        };
        for entry in entries {
            let path = entry.map_err(io(&folder))?.path();
            match read(&path, chain) {
                Ok(Some(whole)) => kept.push(whole),
                Ok(None) if !path.is_dir() => {}
                Ok(None) => std::fs::remove_dir_all(&path).map_err(io(&path))?,
                // It may be whole all the same, and be read at the next start.
                Err(error) => tracing::warn!("{}: {error}", path.display()),
            }
        }
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.manifest.height));
        let shelf = Shelf { folder, chain, kept: Mutex::new(kept) };
        shelf.tidy();
        Ok(shelf)
    }

    /// Removes all but the newest.
    fn tidy(&self) {
        let old = {
            let mut kept = lock(&self.kept);
            let at = kept.len().min(KEPT);
            kept.split_off(at)
        };
        for old in old {
            if let Err(error) = std::fs::remove_dir_all(&old.path) {
                tracing::warn!("{}: {error}", old.path.display());
            }
        }
    }

    /// Makes one; `false` when it was told to stop.
    fn make(
        &self,
        turn: Turn,
        piece_bytes: u64,
        is_stopping: &AtomicBool,
    ) -> Result<bool, Failure> {
        let path = self.folder.join(format!("{}.{UNDERWAY}", turn.height));
        let Turn { height, root, state } = turn;
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(io(&path))?;
        }
        std::fs::create_dir_all(&path).map_err(io(&path))?;
        let mut begun = Instant::now();
        let mut pause = || {
            let rest = begun.elapsed().saturating_mul(REST).min(REST_MAX);
            if !is_stopping.load(Ordering::Relaxed) {
                std::thread::sleep(rest);
            }
            begun = Instant::now();
            !is_stopping.load(Ordering::Relaxed)
        };
        let Some(spread) = Spread::of(&state, &path, &mut pause)? else { return Ok(false) };
        // Pages that nobody else needs are free again from here on.
        drop(state);
        let about = (self.chain, height, root);
        if spread.cut(about, piece_bytes, &mut pause)?.is_none() {
            return Ok(false);
        }
        let whole = self.folder.join(height.to_string());
        std::fs::rename(&path, &whole).map_err(io(&whole))?;
        sync_folder(&self.folder)?;
        if let Some(made) = read(&whole, self.chain).map_err(io(&whole))? {
            lock(&self.kept).insert(0, made);
        }
        self.tidy();
        Ok(true)
    }
}

/// A snapshot that is whole; `None` for anything else.
fn read(path: &Path, chain: ChainId) -> std::io::Result<Option<Kept>> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(height) = name.and_then(|name| name.parse().ok()) else { return Ok(None) };
    let file = path.join(MANIFEST_FILE);
    let bytes = match std::fs::metadata(&file) {
        Ok(found) if found.len() <= MANIFEST_BYTES_MAX as u64 => std::fs::read(&file)?,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(manifest) = Manifest::decode(&bytes) else { return Ok(None) };
    let is_it = (manifest.chain, manifest.height) == (chain, height);
    let id = Manifest::id_of(&bytes);
    let kept = || Kept { id, manifest: Arc::new(manifest), bytes, path: path.to_path_buf() };
    Ok(is_it.then(kept))
}

fn run(shelf: &Shelf, turns: &Receiver<Turn>, piece_bytes: u64, is_stopping: &AtomicBool) {
    while let Ok(turn) = turns.recv() {
        let (height, begun) = (turn.height, Instant::now());
        match shelf.make(turn, piece_bytes, is_stopping) {
            Ok(true) => {
                let seconds = begun.elapsed().as_secs();
                tracing::info!("made a snapshot of anchor {height} in {seconds} s");
            }
            Ok(false) => return,
            // The node works without; the next epoch is another chance.
            Err(failure) => tracing::error!("no snapshot of anchor {height}: {failure}"),
        }
    }
}
