//! Files that only their owner may read: mode 0600, written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;
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
    place(written_beside(path, text.as_bytes())?, path)
}

/// Opens a new file that only its owner may read; never one that is there.
pub fn open_new(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a new file that may lie on a foreign disk (no links, no renames are needed); never
/// replaces one, and leaves none behind when the disk fails.
pub fn create_anywhere(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = open_new(path).map_err(|error| match error.kind() {
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
    replace_bytes(path, text.as_bytes())
}

/// The same for bytes.
pub fn replace_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let new = written_beside(path, bytes)?;
    let named = new.persist(path).map_err(|error| error.error);
    named.and_then(|_| sync_folder(path)).map_err(|error| Failure::io(path, &error))
}

/// A file that everybody may read, written whole or not at all.
pub fn replace_public(path: &Path, text: &str) -> Result<(), Failure> {
    let new = written_beside(path, text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o644);
        new.as_file().set_permissions(mode).map_err(|error| Failure::io(path, &error))?;
    }
    let named = new.persist(path).map_err(|error| error.error);
    named.and_then(|_| sync_folder(path)).map_err(|error| Failure::io(path, &error))
}

/// A new file in the folder of `path`; it goes again unless it is given its name.
pub fn beside(path: &Path) -> Result<NamedTempFile, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut new = tempfile::Builder::new();
    let new = new.prefix(&format!(".{name}.")).suffix(".new").tempfile_in(folder_of(path));
    new.map_err(|error| Failure::io(path, &error))
}

/// Gives a file its name, durably; one that is there is never replaced.
pub fn place(new: NamedTempFile, path: &Path) -> Result<(), Failure> {
    let named = new.persist_noclobber(path).map_err(|error| error.error);
    named.and_then(|_| sync_folder(path)).map_err(|error| Failure::io(path, &error))
}

fn written_beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, Failure> {
    let mut new = beside(path)?;
    let written = new.write_all(bytes).and_then(|()| new.as_file().sync_all());
    written.map(|()| new).map_err(|error| Failure::io(path, &error))
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// A file named without its folder lies in the present one.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
