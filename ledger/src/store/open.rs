//! Opening a redb file: versions, and redb's errors as faults that say what to do.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, ReadableDatabase, StorageBackend, TableDefinition, WriteTransaction,
};

use crate::fault::{FaultKind, StoreFault};
use crate::guard::guarded;
use crate::ids::ChainId;

/// The version of both files' formats.
pub const STORE_VERSION: u32 = 1;

pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
pub(super) const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Where a store's bytes are.
pub enum Backend {
    /// A file.
    File(PathBuf),
    /// Anything else that behaves like one: memory, or a faulty disk in tests.
    Custom(Box<dyn StorageBackend>),
}

impl Backend {
    fn name(&self) -> String {
        match self {
            Backend::File(path) => path.display().to_string(),
            Backend::Custom(_) => "the store".to_string(),
        }
    }
}

/// Opens or creates a store file and checks that it is this version's and this chain's. For
/// the book and the lanes, and for whatever else a node keeps beside them.
pub fn open(backend: Backend, chain: ChainId) -> Result<Database, StoreFault> {
    let name = backend.name();
    if let Backend::File(path) = &backend
        && !path.exists()
    {
        create(path, &name, chain)?;
    }
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let opened = match backend {
        Backend::File(path) => builder.create(path),
        Backend::Custom(backend) => builder.create_with_backend(BoxedBackend(backend)),
    };
    let db = opened.map_err(|error| open_fault(&name, error))?;
    check_meta(&db, &name, chain)?;
    Ok(db)
}

/// Makes a new file under another name first, so that a first start which is cut short
/// leaves no half-made store behind.
fn create(path: &Path, name: &str, chain: ChainId) -> Result<(), StoreFault> {
    let io = |error: std::io::Error| storage_fault(name, &redb::StorageError::Io(error));
    let new = path.with_extension("redb.new");
    if new.exists() {
        std::fs::remove_file(&new).map_err(io)?;
    }
    let db = Database::builder().create(&new).map_err(|error| open_fault(name, error))?;
    write_meta(&db, chain)?;
    drop(db);
    std::fs::rename(&new, path).map_err(io)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(io),
        None => Ok(()),
    }
}

type Value = Option<Vec<u8>>;

/// Version and chain as the file says them; nothing in a new one.
fn read_meta(db: &Database) -> Result<(Value, Value), StoreFault> {
    let read = db.begin_read().map_err(fault)?;
    let table = match read.open_table(META) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok((None, None)),
        Err(error) => return Err(fault(error)),
    };
    let get = |key: &str| -> Result<Value, StoreFault> {
        Ok(table.get(key).map_err(fault)?.map(|value| value.value().to_vec()))
    };
    Ok((get("version")?, get("chain")?))
}

fn check_meta(db: &Database, name: &str, chain: ChainId) -> Result<(), StoreFault> {
    let (version, stored_chain) = match read_meta(db)? {
        (None, None) => return write_meta(db, chain),
        (Some(version), Some(chain)) => (version, chain),
        _ => return Err(StoreFault::damaged(format!("{name} lacks its version or its chain"))),
    };
    let version = version.try_into().map(u32::from_le_bytes).unwrap_or_default();
    if version > STORE_VERSION {
        let words = format!(
            "{name} was written by a newer release (format {version}, this one knows \
             {STORE_VERSION}): use that release, or another data folder"
        );
        return Err(StoreFault::new(FaultKind::Newer, words));
    }
    if version < STORE_VERSION {
        return Err(StoreFault::damaged(format!("{name} has the unknown format {version}")));
    }
    if stored_chain != chain.0.0 {
        let words = format!("{name} belongs to another network: use another data folder");
        return Err(StoreFault::new(FaultKind::WrongChain, words));
    }
    Ok(())
}

/// The database below takes some damage for a bug of its own and panics: here it is damage.
pub(super) fn without_panic<T>(
    open: impl FnOnce() -> Result<T, StoreFault>,
) -> Result<T, StoreFault> {
    let damage = |_| StoreFault::damaged("the database cannot make sense of it");
    guarded(open).map_err(damage).flatten()
}

/// Begins a write that is synced in two steps: first the data, then what makes them count.
///
/// In one step (redb's default) a power cut in the middle and a bit that flips later look alike
/// when the file is opened: both are answered by going back to the commit before. What was
/// acknowledged would be gone without a word, and a router would sign another block at its place.
/// In two, a commit that does not verify is damage, and is said to be.
pub fn begin_write(db: &Database) -> Result<WriteTransaction, StoreFault> {
    let mut write = db.begin_write().map_err(fault)?;
    write.set_two_phase_commit(true);
    Ok(write)
}

fn write_meta(db: &Database, chain: ChainId) -> Result<(), StoreFault> {
    let write = begin_write(db)?;
    {
        let mut table = write.open_table(META).map_err(fault)?;
        table.insert("version", STORE_VERSION.to_le_bytes().as_slice()).map_err(fault)?;
        table.insert("chain", chain.0.0.as_slice()).map_err(fault)?;
    }
    write.commit().map_err(fault)
}

#[derive(Debug)]
struct BoxedBackend(Box<dyn StorageBackend>);

impl StorageBackend for BoxedBackend {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> std::io::Result<()> {
        self.0.close()
    }
}

pub(super) fn open_fault(name: &str, error: DatabaseError) -> StoreFault {
    let (kind, advice) = match &error {
        DatabaseError::DatabaseAlreadyOpen => {
            (FaultKind::Busy, "another process has it open: stop that one first")
        }
        DatabaseError::UpgradeRequired(_) => {
            (FaultKind::Newer, "it was written in another format: use the release that wrote it")
        }
        DatabaseError::Storage(storage) => return storage_fault(name, storage),
        _ => (FaultKind::Damaged, "restore it from a backup, or sync it again"),
    };
    StoreFault::new(kind, format!("cannot open {name}: {error}; {advice}"))
}

fn storage_fault(name: &str, error: &redb::StorageError) -> StoreFault {
    let (kind, advice) = match error {
        redb::StorageError::Io(io) => match io.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (FaultKind::Full, "the disk is full: free some space and start again")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                (FaultKind::ReadOnly, "it may not be written: check its owner and permissions")
            }
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                (FaultKind::Damaged, "restore it from a backup, or sync it again")
            }
            _ => (FaultKind::Disk, "check the disk"),
        },
        redb::StorageError::Corrupted(_) => {
            (FaultKind::Damaged, "restore it from a backup, or sync it again")
        }
        _ => (FaultKind::Disk, "check the disk and start again"),
    };
    StoreFault::new(kind, format!("{name}: {error}; {advice}"))
}

/// Any redb error as a fault.
pub(super) fn fault(error: impl Into<redb::Error>) -> StoreFault {
    match error.into() {
        redb::Error::Io(io) => storage_fault("the store", &redb::StorageError::Io(io)),
        redb::Error::Corrupted(what) => {
            storage_fault("the store", &redb::StorageError::Corrupted(what))
        }
        redb::Error::PreviousIo => {
            let words = "the store: a write or read before this one failed; the log says why";
            StoreFault::new(FaultKind::Disk, words)
        }
        other => StoreFault::new(FaultKind::Disk, format!("the store: {other}; check the disk")),
    }
}
