//! Files that only their owner may read: mode 0600, written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::Failure;

const BYTES_MAX: u64 = 64 * 1024;

/// Thirty-two random bytes of the operating system.
pub fn random() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut bytes[..])
        .map_err(|error| Failure::fault(format!("no randomness from the system: {error}")))?;
    Ok(bytes)
}

fn open(path: &Path) -> Result<Option<File>, Failure> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::io(path, &error)),
    };
    check_mode(path, &file)?;
    Ok(Some(file))
}

/// The file's bytes, at most 64 KiB; `None` when there is no such file. Refuses one that
/// others may read.
pub fn read_bytes(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let Some(file) = open(path)? else { return Ok(None) };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|error| Failure::io(path, &error))?;
    Ok(Some(bytes))
}

/// The file's text; `None` when there is no such file. Refuses one that others may read.
pub fn read(path: &Path) -> Result<Option<Zeroizing<String>>, Failure> {
    let Some(file) = open(path)? else { return Ok(None) };
    let mut text = Zeroizing::new(String::new());
    let read = file.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| Failure::io(path, &error))?;
    Ok(Some(text))
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|error| Failure::io(path, &error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        let name = path.display();
        let words = format!("{name} may be read by others: run chmod 600 {name}");
        return Err(Failure::fault(words));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), Failure> {
    Ok(())
}

/// Writes a new file, whole or not at all; never replaces one.
pub fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let new = write_beside(path, text)?;
    // Unlike a rename, a link fails where there is a file already.
    let linked = std::fs::hard_link(&new, path).and_then(|()| std::fs::remove_file(&new));
    linked.and_then(|()| sync_folder(path)).map_err(|error| Failure::io(path, &error))
}

/// Writes a new file that may lie on a foreign disk (no links, no renames are needed); never
/// replaces one, and leaves none behind when the disk fails.
pub fn create_anywhere(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(format!(
            "{} is there already and was not touched: choose another file",
            path.display()
        )),
        _ => Failure::io(path, &error),
    })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(path);
        Failure::io(path, &error)
    })
}

/// Writes a file, whole or not at all; one that is there already is replaced.
pub fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let new = write_beside(path, text)?;
    let renamed = std::fs::rename(&new, path).and_then(|()| sync_folder(path));
    renamed.map_err(|error| Failure::io(path, &error))
}

fn write_beside(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = remove(&new).and_then(|()| options.open(&new)).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map(|()| new).map_err(|error| Failure::io(path, &error))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    // A file named without its folder lies in the present one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
