//! A node's data folder: one process at a time, one format, one network.

pub mod copy;
pub mod migration;
pub mod space;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use ddt_ledger::genesis::Genesis;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::secret_file;

use migration::{Layout, OldLedger};

/// The version of the folder's layout. 2: a ledger whose genesis has version 2.
pub const VERSION: u32 = 2;

/// A data folder that this process holds.
pub struct DataFolder {
    path: PathBuf,
    /// Held open: the lock lives as long as the file does.
    _lock: File,
}

/// How to reach the node that runs on a data folder; written while it runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunningNode {
    /// Its process.
    pub pid: u32,
    /// URL of the public API.
    pub api: String,
    /// URL of the private API.
    pub private_api: String,
}

/// What may be in a folder before a node is: settings, wallets and what belongs to them, and the
/// key of a router that lost the rest.
const BEFORE_A_NODE: [&str; 6] =
    [crate::config::FILE, "keystore", "password", "book.json", "tickets.json", "node.key"];

impl DataFolder {
    /// Takes the folder for this process; makes it when there is none. One of an older
    /// layout is copied and then brought up to date; what `notes` says, people should know.
    pub fn open(
        path: &Path,
        old: OldLedger,
        notes: &mut dyn FnMut(String),
    ) -> Result<DataFolder, Failure> {
        // Settings may be there before anything else.
        make_private(path, &[crate::config::FILE])?;
        DataFolder::bring_up(path, old, notes)
    }

    /// The same for a node of a network of many: its operator's wallets, or a saved `node.key`,
    /// may be there before anything else.
    pub fn open_for_node(
        path: &Path,
        notes: &mut dyn FnMut(String),
    ) -> Result<DataFolder, Failure> {
        make_private(path, &BEFORE_A_NODE)?;
        DataFolder::bring_up(path, OldLedger::Refuse, notes)
    }

    fn bring_up(
        path: &Path,
        old: OldLedger,
        notes: &mut dyn FnMut(String),
    ) -> Result<DataFolder, Failure> {
        let folder = DataFolder::hold(path)?;
        match Layout::read(path)? {
            Layout::New => secret_file::replace(&path.join("VERSION"), &format!("{VERSION}\n"))?,
            Layout::Now => {}
            older => migration::migrate(&migration::RealDisk, path, older, old, notes)?,
        }
        // What a backup left behind that was cut short.
        let _ = std::fs::remove_dir_all(path.join(crate::backup::UNDERWAY));
        Ok(folder)
    }

    /// Takes a folder as it is for this process, whatever its layout.
    pub fn hold(path: &Path) -> Result<DataFolder, Failure> {
        let lock = lock(&path.join("LOCK"))?;
        Ok(DataFolder { path: path.to_path_buf(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The network this folder belongs to, if it has one yet.
    pub fn genesis(&self) -> Result<Option<Genesis>, Failure> {
        read_genesis(&self.genesis_path())
    }

    /// Where the genesis file is.
    pub fn genesis_path(&self) -> PathBuf {
        self.path.join("genesis.toml")
    }

    /// Makes the folder belong to a network, for ever.
    pub fn set_genesis(&self, genesis: &Genesis) -> Result<(), Failure> {
        let text = genesis.to_toml().map_err(|error| Failure::fault(error.to_string()))?;
        let (path, new) = (self.genesis_path(), self.path.join("genesis.toml.new"));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &path)
        });
        written.map_err(|error| Failure::io(&path, &error))
    }

    /// Says how to reach the node, for commands on the same machine.
    pub fn announce(&self, node: &RunningNode) -> Result<(), Failure> {
        let text =
            serde_json::to_string(node).map_err(|error| Failure::fault(error.to_string()))?;
        secret_file::replace(&self.path.join("run.json"), &text)
    }

    /// Takes the announcement back.
    pub fn withdraw(&self) {
        // Best effort: a stale one is noticed when nothing answers.
        let _ = std::fs::remove_file(self.path.join("run.json"));
    }
}

/// A genesis file, if there is one.
pub fn read_genesis(path: &Path) -> Result<Option<Genesis>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            migration::refuse_old_genesis(path, &text)?;
            let genesis = Genesis::from_toml(&text);
            let name = path.display();
            genesis.map(Some).map_err(|error| Failure::fault(format!("{name}: {error}")))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(path, &error)),
    }
}

/// How to reach the node on a folder, if one says it runs there.
pub fn running_node(home: &Path) -> Option<RunningNode> {
    let text = secret_file::read(&home.join("run.json")).ok()??;
    serde_json::from_str(&text).ok()
}

fn make_private(path: &Path, allowed: &[&str]) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let io = |error: std::io::Error| Failure::io(path, &error);
    builder.create(path).map_err(io)?;
    let is_ours = path.join("LOCK").exists() || path.join("VERSION").exists();
    let is_allowed =
        |entry: &std::fs::DirEntry| allowed.iter().any(|name| entry.file_name() == *name);
    let mut entries = std::fs::read_dir(path).map_err(io)?;
    let is_strange = entries.any(|entry| entry.map_or(true, |entry| !is_allowed(&entry)));
    if !is_ours && is_strange {
        return Err(Failure::usage(format!(
            "{} holds other things and is no data folder: choose an empty or a new one",
            path.display()
        )));
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, Failure> {
    let io = |error: &std::io::Error| Failure::io(path, error);
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| io(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let folder = path.parent().unwrap_or(path).display();
            return Err(Failure::fault(format!(
                "{folder} is in use: a node is already running there (pid {}); stop it first, \
                 or choose another folder",
                pid.trim()
            )));
        }
        Err(TryLockError::Error(error)) => return Err(io(&error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|error| io(&error))?;
    Ok(file)
}
