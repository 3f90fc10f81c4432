//! One process at a time at a small file of the data folder.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::failure::Failure;

/// Holds `FILE.lock` beside a file until it is dropped.
pub fn hold(path: &Path) -> Result<File, Failure> {
    let lock = path.with_extension("lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let held = options.open(&lock).and_then(|file| file.lock().map(|()| file));
    held.map_err(|error| Failure::io(&lock, &error))
}
