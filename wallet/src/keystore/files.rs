//! A folder that only its owner can look into, and files that change whole or not at all.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::envelope::FILE_BYTES_MAX;
use super::error::KeystoreError;

#[cfg(unix)]
const FILE_MODE: u32 = 0o600;
#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;

const TEMPORARY_PREFIX: &str = ".new-";
const LOCK_FILE: &str = ".lock";

/// Whether a file that is already there may be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    Never,
    Yes,
}

/// The folder of the wallets' files.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens the folder, or makes it for its owner alone.
    pub(super) fn open(path: &Path) -> Result<Folder, KeystoreError> {
        make_private_folder(path)
            .map_err(|source| KeystoreError::io("make the folder", path, source))?;
        let metadata =
            fs::metadata(path).map_err(|source| KeystoreError::io("look at", path, source))?;
        if !metadata.is_dir() {
            return Err(wrong_kind(path, &metadata, "folder"));
        }
        refuse_too_open(path, &metadata)?;
        Ok(Folder { path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One writer at a time, over processes; released when dropped.
    pub(super) fn lock(&self) -> Result<File, KeystoreError> {
        let path = self.path.join(LOCK_FILE);
        let failed = |source| KeystoreError::io("lock", &path, source);
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        private(&mut options);
        let file = options.open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// Writes a whole file: a temporary one, synced, renamed; then the folder is synced.
    pub(super) fn write(
        &self,
        path: &Path,
        text: &[u8],
        overwrite: Overwrite,
    ) -> Result<(), KeystoreError> {
        let failed = |source| KeystoreError::io("write", path, source);
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY_PREFIX);
        private_temporary(&mut builder);
        // Removed again when anything below fails.
        let mut temporary = builder.tempfile_in(&self.path).map_err(failed)?;
        temporary.write_all(text).map_err(failed)?;
        temporary.as_file().sync_all().map_err(failed)?;
        let persisted = match overwrite {
            Overwrite::Yes => temporary.persist(path),
            Overwrite::Never => temporary.persist_noclobber(path),
        };
        match persisted {
            Ok(_) => sync_folder(&self.path).map_err(failed),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeystoreError::Exists { path: path.to_owned() })
            }
            Err(error) => Err(failed(error.error)),
        }
    }

    /// Deletes a file; then the folder is synced.
    pub(super) fn remove(&self, path: &Path) -> Result<(), KeystoreError> {
        let failed = |source| KeystoreError::io("delete", path, source);
        match fs::remove_file(path) {
            Ok(()) => sync_folder(&self.path).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(KeystoreError::Missing { path: path.to_owned() })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The paths of the wallets' files, sorted; temporary and other files are passed over.
    pub(super) fn wallets(&self) -> Result<Vec<PathBuf>, KeystoreError> {
        let failed = |source| KeystoreError::io("list", &self.path, source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// The text of a file, if it is a plain one that only its owner can read.
pub(super) fn read_private(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    // Looked at before opening: opening a pipe would wait for ever.
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(KeystoreError::Missing { path: path.to_owned() });
        }
        Err(source) => return Err(KeystoreError::io("look at", path, source)),
    };
    if !metadata.is_file() {
        return Err(wrong_kind(path, &metadata, "plain file"));
    }
    let failed = |source| KeystoreError::io("read", path, source);
    let file = File::open(path).map_err(failed)?;
    // Looked at again through the open file: the path may name another one by now.
    refuse_too_open(path, &file.metadata().map_err(failed)?)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        return Ok(text);
    }
    let reason = format!("it is longer than {FILE_BYTES_MAX} bytes");
    Err(KeystoreError::Damaged { path: path.to_owned(), reason })
}

fn wrong_kind(path: &Path, metadata: &Metadata, wanted: &'static str) -> KeystoreError {
    let found = if metadata.is_symlink() {
        "a link"
    } else if metadata.is_dir() {
        "a folder"
    } else if metadata.is_file() {
        "a plain file"
    } else {
        "a pipe or a device"
    };
    KeystoreError::WrongKind { path: path.to_owned(), found, wanted }
}

#[cfg(unix)]
fn refuse_too_open(path: &Path, metadata: &Metadata) -> Result<(), KeystoreError> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o7777;
    let wanted = if metadata.is_dir() { FOLDER_MODE } else { FILE_MODE };
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeystoreError::TooOpen { path: path.to_owned(), mode, wanted })
}

#[cfg(unix)]
fn make_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).or_else(|error| {
        // Something is there: what it is, is looked at next.
        if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
    })
}

#[cfg(unix)]
fn private(options: &mut fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(FILE_MODE);
}

#[cfg(unix)]
fn private_temporary(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(FILE_MODE));
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

// Elsewhere a new file inherits the access list of its owner's folder, and folders cannot be
// synced.
#[cfg(not(unix))]
fn refuse_too_open(_: &Path, _: &Metadata) -> Result<(), KeystoreError> {
    Ok(())
}

#[cfg(not(unix))]
fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn private(_: &mut fs::OpenOptions) {}

#[cfg(not(unix))]
fn private_temporary(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
