//! Taking a backup: the stores as of one moment, and the files beside them.

use std::io::Write;
use std::path::{Path, PathBuf};

use ddt_contracts::REGISTRY;
use ddt_ledger::anchor::TIPS_MAX;
use ddt_ledger::fault::{FaultKind, StoreFault};
use ddt_ledger::genesis::Genesis;
use ddt_ledger::store::{Backend, BookStore, Copier, LaneStore, open_file};
use ddt_ledger::system::{Head, Lane};
use redb::{Database, ReadableDatabase};

use super::manifest::{FileEntry, Manifest, SealedLane};
use super::{UNDERWAY, archive};
use crate::data_folder::migration::{Disk, RealDisk};
use crate::data_folder::{VERSION, copy, space};
use crate::failure::Failure;

/// Files of every backup, where they are there.
const FILES: [&str; 4] = ["genesis.toml", "VERSION", "node.key", "config.toml"];
/// The file with the password of a development network's wallets.
const PASSWORD: &str = "password";
/// What wallets keep beside their folder: names of accounts, tickets that were given away.
const BESIDE_WALLETS: [&str; 2] = ["book.json", "tickets.json"];
/// The folder of wallets.
const KEYSTORE: &str = "keystore";

/// Room for what copies are longer than small stores, in bytes.
const ROOM_BYTES: u64 = 8 * 1024 * 1024;

/// The stores of one data folder, all open.
pub struct Stores<'a> {
    /// The book.
    pub book: &'a BookStore,
    /// The lanes.
    pub lanes: &'a LaneStore,
    /// What agents are to do; `None` before any agent ran.
    pub agents: Option<&'a Database>,
}

/// The stores of a folder in which no node runs.
pub struct OwnStores {
    book: BookStore,
    lanes: LaneStore,
    agents: Option<Database>,
}

impl OwnStores {
    /// Opens them. The caller holds the folder.
    pub fn open(home: &Path, genesis: &Genesis) -> Result<OwnStores, Failure> {
        let file = |name: &str| home.join(name);
        let missing = |name: &str| {
            Failure::fault(format!("{} is missing: nothing to copy", file(name).display()))
        };
        for name in ["book.redb", "lanes.redb"] {
            if !file(name).exists() {
                return Err(missing(name));
            }
        }
        let agents = file("agents.redb");
        Ok(OwnStores {
            book: BookStore::open(Backend::File(file("book.redb")), genesis, REGISTRY)?,
            lanes: LaneStore::open(Backend::File(file("lanes.redb")), genesis.chain())?,
            agents: match agents.exists() {
                true => Some(open_file(Backend::File(agents), genesis.chain())?),
                false => None,
            },
        })
    }

    /// The same, lent.
    pub fn lent(&self) -> Stores<'_> {
        let OwnStores { book, lanes, agents } = self;
        Stores { book, lanes, agents: agents.as_ref() }
    }
}

/// Copies that wait to be written out; removed with this.
pub struct Taken {
    folder: PathBuf,
    /// What is in them.
    pub manifest: Manifest,
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Best effort: the next start or backup removes it too.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Taken {
    /// Writes everything into one archive.
    pub fn write(&self, into: &mut dyn Write) -> Result<(), Failure> {
        archive::write(&self.folder, &self.manifest, into)
    }
}

/// Copies the stores as they are now, and the files beside them.
pub fn take(home: &Path, stores: &Stores, with_wallets: bool) -> Result<Taken, Failure> {
    let folder = home.join(UNDERWAY);
    let io = |error: std::io::Error| Failure::io(&folder, &error);
    let _ = std::fs::remove_dir_all(&folder);
    space::need(home, size_of_stores(home).saturating_add(ROOM_BYTES))?;
    RealDisk.make_folder(&folder).map_err(io)?;
    let taken = fill(home, &folder, stores, with_wallets);
    taken.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))
}

fn size_of_stores(home: &Path) -> u64 {
    let files = ["book.redb", "lanes.redb", "agents.redb"];
    let sizes = files.iter().filter_map(|name| std::fs::metadata(home.join(name)).ok());
    sizes.fold(0, |sum, metadata| sum.saturating_add(metadata.len()))
}

fn fill(home: &Path, into: &Path, stores: &Stores, wallets: bool) -> Result<Taken, Failure> {
    // The order matters: see the module's page.
    let book = stores.book.snapshot()?;
    let lanes = stores.lanes.snapshot()?;
    let agents = stores.agents.map(ReadableDatabase::begin_read).transpose();
    let agents = agents.map_err(|error| Failure::fault(format!("the agents' store: {error}")))?;
    let head = Head::read(&book).ok_or_else(|| Failure::fault("the book has no head"))?;
    let root = match book.anchor(head.height)? {
        Some(record) => record.roots.state,
        None => {
            stores.book.genesis().state().map_err(|e| Failure::fault(e.to_string()))?.roots.state
        }
    };
    let mut sealed = Vec::new();
    for (zone, lane) in Lane::scan(&book, None, TIPS_MAX) {
        let height = lanes.sealed(zone, lane.term)?.unwrap_or(0);
        // A node that began with a snapshot has no blocks before it, and seals none of its own.
        let began_later = stores.book.lowest() > 1 && height == 0;
        if height < lane.height && !began_later {
            let words = "lanes.redb lacks blocks that book.redb names: such a copy would be unsafe";
            return Err(StoreFault::new(FaultKind::Damaged, words).into());
        }
        sealed.push(SealedLane { zone, term: lane.term, height });
    }
    if let Some(fault) = book.fault() {
        return Err(fault.into());
    }
    book.copy_to(&into.join("book.redb"))?;
    lanes.copy_to(&into.join("lanes.redb"))?;
    let mut names = vec!["book.redb".to_string(), "lanes.redb".to_string()];
    if let Some(agents) = &agents {
        let mut copier = Copier::begin(agents, &into.join("agents.redb"))?;
        copier.table(crate::running::REVEALS)?;
        copier.finish()?;
        names.push("agents.redb".to_string());
    }
    names.extend(copy_files(home, into, wallets)?);
    let entry = |name: String| {
        let (bytes, blake3) = copy::hash_file(&into.join(&name))?;
        Ok(FileEntry { name, bytes, blake3 })
    };
    let manifest = Manifest {
        version: Manifest::VERSION,
        release: crate::cli::VERSION.to_string(),
        layout: VERSION,
        network: stores.book.genesis().name.clone(),
        chain: stores.book.chain(),
        height: head.height,
        anchor: head.anchor,
        root,
        time_ms: crate::running::now(),
        lanes: sealed,
        files: names.into_iter().map(entry).collect::<Result<_, Failure>>()?,
    };
    Ok(Taken { folder: into.to_path_buf(), manifest })
}

/// Copies the small files; answers their names.
fn copy_files(home: &Path, into: &Path, wallets: bool) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = FILES.map(str::to_string).to_vec();
    if wallets {
        names.push(PASSWORD.to_string());
        names.extend(BESIDE_WALLETS.map(str::to_string));
        let keystore = home.join(KEYSTORE);
        let io = |error: std::io::Error| Failure::io(&keystore, &error);
        if keystore.exists() {
            RealDisk.make_folder(&into.join(KEYSTORE)).map_err(io)?;
            for entry in std::fs::read_dir(&keystore).map_err(io)? {
                let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
                // What begins with a dot is the keystore's own lock, or a file cut short.
                if !name.starts_with('.') {
                    names.push(format!("{KEYSTORE}/{name}"));
                }
            }
        }
    }
    names.retain(|name| home.join(name).is_file());
    for name in &names {
        let to = into.join(name);
        RealDisk.copy(&home.join(name), &to).map_err(|error| Failure::io(&to, &error))?;
    }
    Ok(names)
}
