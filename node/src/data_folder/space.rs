//! How much room a disk has.

use std::path::Path;

use crate::failure::Failure;

/// Bytes that this user may still write where `path` is; `None` where the system does not say.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that this user may still write where `path` is; `None` where the system does not say.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// Refuses when there is less room than `bytes`.
pub fn need(path: &Path, bytes: u64) -> Result<(), Failure> {
    match free_bytes(path) {
        Some(free) if free < bytes => Err(Failure::fault(format!(
            "{}: {bytes} bytes are needed and {free} are free: free some space; nothing was \
             changed",
            path.display()
        ))),
        _ => Ok(()),
    }
}
