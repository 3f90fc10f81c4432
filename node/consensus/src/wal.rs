//! Whether the engine's write-ahead log fits the application's store.
//!
//! The log holds what this key signed in the height under way. A key that signs without it,
//! or with that of another past, may sign twice and lose its bond.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use arc_malachitebft_app_channel::app::wal::Log;

use crate::config::ConsensusConfig;
use crate::error::ConsensusError;

/// Its name in the home.
pub(crate) const WAL_FILE: &str = "consensus.wal";

const RELEASE_TRIES: u32 = 500;
const RELEASE_PAUSE: Duration = Duration::from_millis(10);

/// Refuses a home in which signing would be unsafe.
pub(crate) fn check(config: &ConsensusConfig, committed_height: u64) -> Result<(), ConsensusError> {
    let path = config.wal_path();
    let fault = |source| ConsensusError::Wal { path: path.clone(), source };
    std::fs::create_dir_all(&config.home).map_err(fault)?;
    let length = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(fault(error)),
    };
    if length == 0 {
        if committed_height > 0 && !config.accept_lost_wal {
            return Err(ConsensusError::WalMissing { path, committed_height });
        }
        return Ok(());
    }
    // The engine works one height above the committed one, at most.
    let wal_height = Log::open(&path).map_err(fault)?.sequence();
    if wal_height > committed_height.saturating_add(1) && !config.accept_lost_wal {
        return Err(ConsensusError::WalAhead { path, wal_height, committed_height });
    }
    Ok(())
}

/// The height whose votes the WAL in this home holds; `None` without one.
///
/// # Errors
///
/// When it cannot be opened.
pub fn logged_height(home: &Path) -> Result<Option<u64>, ConsensusError> {
    let path = home.join(WAL_FILE);
    let fault = |source| ConsensusError::Wal { path: path.clone(), source };
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.len() > 0 => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error)),
    }
    Log::open(&path).map(|log| Some(log.sequence())).map_err(fault)
}

/// Makes an empty WAL in this home, durably, unless there is one: from then on a WAL that is
/// missing is one that was lost.
///
/// # Errors
///
/// When it cannot be written.
pub fn begin_log(home: &Path) -> Result<(), ConsensusError> {
    let path = home.join(WAL_FILE);
    let fault = |source| ConsensusError::Wal { path: path.clone(), source };
    std::fs::create_dir_all(home).map_err(fault)?;
    drop(Log::open(&path).map_err(fault)?);
    let synced = File::open(&path).and_then(|file| file.sync_all());
    synced.and_then(|()| File::open(home)?.sync_all()).map_err(fault)
}

/// Waits until the engine's WAL thread has closed the log after the engine stopped.
pub(crate) async fn released(path: &Path) -> bool {
    for _ in 0..RELEASE_TRIES {
        if !path.exists() || Log::open(path).is_ok() {
            return true;
        }
        tokio::time::sleep(RELEASE_PAUSE).await;
    }
    false
}
