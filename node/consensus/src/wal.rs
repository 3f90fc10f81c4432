//! Whether the engine's write-ahead log fits the application's store.
//!
//! The log holds what this key signed in the height under way. A key that signs without it,
//! or with that of another past, may sign twice and lose its bond.

use std::io;
use std::path::Path;
use std::time::Duration;

use arc_malachitebft_app_channel::app::wal::Log;

use crate::config::ConsensusConfig;
use crate::error::ConsensusError;

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
