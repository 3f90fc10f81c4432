//! A backup of the running node, as a stream of bytes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ddt_api::SubmitError;
use ddt_api::backend::ByteStream;
use tokio::sync::mpsc;

use super::core::Core;
use super::reveals::Reveals;
use crate::backup::archive;
use crate::backup::take::{Stores, take};
use crate::failure::Failure;

/// Bytes that leave together.
const CHUNK_BYTES: usize = 256 * 1024;
/// Chunks that wait for a slow reader.
const CHUNKS_MAX: usize = 8;

/// What a backup reads.
pub struct Lent {
    /// The book and the lanes.
    pub core: Arc<Core>,
    /// The agents' tasks.
    pub reveals: Arc<Reveals>,
}

struct Stream {
    sender: mpsc::Sender<Vec<u8>>,
    chunk: Vec<u8>,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES.saturating_sub(self.chunk.len());
        let part = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.chunk.extend_from_slice(part);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.sender.blocking_send(chunk).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Lets the next backup begin, however this one ends.
struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Begins a backup; it goes on in a thread of its own while the answer is read.
pub fn start(
    home: &Path,
    lent: Lent,
    with_wallets: bool,
    is_copying: &Arc<AtomicBool>,
) -> Result<ByteStream, SubmitError> {
    if is_copying.swap(true, Ordering::SeqCst) {
        return Err(SubmitError::Busy("a backup is being made already".to_string()));
    }
    let turn = Turn(is_copying.clone());
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    let home = home.to_path_buf();
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut stream = Stream { sender, chunk: Vec::new() };
        let made = make(&home, &lent, with_wallets, &mut stream);
        if let Err(failure) = made {
            tracing::error!("no backup: {failure}");
            // Whoever reads learns why; if nobody does, nobody needs to.
            let _ = archive::write_failure(&failure, &mut stream);
        }
        let _ = stream.flush();
    });
    Ok(receiver)
}

fn make(home: &Path, lent: &Lent, wallets: bool, stream: &mut Stream) -> Result<(), Failure> {
    let Lent { core, reveals } = lent;
    let stores = Stores { book: &core.book, lanes: &core.lanes, agents: Some(reveals.store()) };
    take(home, &stores, wallets)?.write(stream)
}
