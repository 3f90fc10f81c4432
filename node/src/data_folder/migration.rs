//! From an older layout to this one: first a verified copy, then step by step, and the
//! version last.
//!
//! Whatever moment the process is killed at, the next start goes on. Until the copy is whole
//! nothing else is touched. From the first change on, `VERSION` names the copy, so that no
//! older release opens a folder that is half changed.

use std::io;
use std::path::Path;

use super::{VERSION, copy};
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// The genesis version of ledgers that these rules cannot continue.
const OLD_GENESIS: i64 = 1;
/// What belongs to a ledger, and to nothing else; the genesis file goes last.
const LEDGER: [&str; 6] =
    ["book.redb", "lanes.redb", "agents.redb", "consensus", "token", "genesis.toml"];
/// The flag with which [`OldLedger::SetAside`] is said.
pub const FLAG: &str = "--set-old-ledger-aside";

/// What to do with a ledger that these rules cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldLedger {
    /// Refuse, and change nothing.
    Refuse,
    /// Keep it in the copy alone, so that a new one may start.
    SetAside,
}

/// The layout of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// None yet.
    New,
    /// This release's.
    Now,
    /// An older one's.
    Older(u32),
    /// Half way from an older one; its copy is in this folder.
    Underway(u32, String),
}

impl Layout {
    /// Reads `VERSION`; refuses a newer one.
    pub fn read(home: &Path) -> Result<Layout, Failure> {
        let path = home.join("VERSION");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Layout::New),
            Err(error) => return Err(Failure::io(&path, &error)),
        };
        let damaged = || {
            let words = format!("is damaged: it should hold the number {VERSION}");
            Failure::fault(format!("{} {words}", path.display()))
        };
        if let Some((from, rest)) = text.trim().split_once(" -> ") {
            let from = from.parse().map_err(|_| damaged())?;
            let (to, name) = rest.split_once(' ').ok_or_else(damaged)?;
            let is_ours = to.parse() == Ok(VERSION) && name.starts_with(copy::PREFIX);
            let is_plain = !name.contains(['/', '\\']);
            return (is_ours && is_plain)
                .then(|| Layout::Underway(from, name.to_string()))
                .ok_or_else(damaged);
        }
        match text.trim().parse::<u32>() {
            Ok(VERSION) => Ok(Layout::Now),
            Ok(version) if version > VERSION => Err(Failure::fault(format!(
                "{} was written by a newer release (layout {version}, this one knows \
                 {VERSION}): use that release, or another folder",
                home.display()
            ))),
            Ok(version) if version > 0 => Ok(Layout::Older(version)),
            _ => Err(damaged()),
        }
    }
}

/// What a migration does to a disk, one operation at a time; each is whole or not at all.
pub trait Disk {
    /// Makes a folder that only its owner can look into.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// Copies a file, durably, with its mode.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Writes a small file, durably.
    fn write(&self, path: &Path, text: &str) -> io::Result<()>;
    /// Gives a folder its name, durably.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file or an empty folder.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The disk of this machine.
pub struct RealDisk;

fn sync(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync)
}

impl Disk for RealDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::copy(from, to)?;
        sync(to)
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        secret_file::replace(path, text).map_err(io::Error::other)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        sync(from)?;
        std::fs::rename(from, to)?;
        sync_parent(to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match path.is_dir() {
            true => std::fs::remove_dir(path),
            false => std::fs::remove_file(path),
        }?;
        sync_parent(path)
    }
}

/// A step from one layout to the next. It may be cut short and begun again.
struct Step<D> {
    from: u32,
    apply: fn(&D, home: &Path, copy: &Path) -> Result<(), Failure>,
}

fn steps<D: Disk>() -> [Step<D>; 1] {
    [Step { from: 1, apply: one_to_two }]
}

/// The version in a genesis file, if it can be made out.
fn genesis_version(text: &str) -> Option<i64> {
    toml::from_str::<toml::Table>(text).ok()?.get("version")?.as_integer()
}

/// Says clearly that a genesis file is an older release's.
pub fn refuse_old_genesis(path: &Path, text: &str) -> Result<(), Failure> {
    if genesis_version(text) != Some(OLD_GENESIS) {
        return Ok(());
    }
    let words = format!(
        "{} is the genesis of a ledger of release 0.1 (version 1), which this release's rules \
         cannot continue: use release 0.1; to start a new ledger in its folder, run ddt dev with \
         {FLAG}",
        path.display()
    );
    Err(Failure::new(FailureKind::Fault, "folder.old_ledger", words))
}

fn old_ledger(home: &Path) -> Failure {
    let words = format!(
        "{} holds a ledger of release 0.1 (genesis version 1), which this release's rules cannot \
         continue. Nothing was changed. Go on with release 0.1; or start ddt dev once with \
         {FLAG}: the old ledger is then kept whole in {}1 there, wallets and keys stay, and a \
         new ledger starts from nothing",
        home.display(),
        copy::PREFIX,
    );
    Failure::new(FailureKind::Fault, "folder.old_ledger", words)
}

fn holds_old_ledger(folder: &Path) -> Result<bool, Failure> {
    let path = folder.join("genesis.toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(genesis_version(&text) == Some(OLD_GENESIS)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::io(&path, &error)),
    }
}

/// Layout 2 has no ledger of genesis version 1. Wallets, the node's key and settings stay.
fn one_to_two<D: Disk>(disk: &D, home: &Path, copy: &Path) -> Result<(), Failure> {
    // The copy tells, for of the folder itself a part may be gone already.
    if !holds_old_ledger(copy)? {
        return Ok(());
    }
    LEDGER.iter().try_for_each(|name| copy::remove(disk, &home.join(name)))
}

/// A whole copy of the folder as it is now: an earlier one that is the same, or a new one.
fn copied(disk: &impl Disk, home: &Path, from: u32) -> Result<String, Failure> {
    let contents = copy::contents(home)?;
    let mut number = 1u32;
    loop {
        let name = match number {
            1 => format!("{}{from}", copy::PREFIX),
            number => format!("{}{from}-{number}", copy::PREFIX),
        };
        let path = home.join(&name);
        if !path.exists() {
            copy::make(disk, home, &path, &contents)?;
            return Ok(name);
        }
        if copy::is_copy(&path, &contents)? {
            return Ok(name);
        }
        number = number.saturating_add(1);
    }
}

/// Brings a folder that this process holds to the present layout.
///
/// # Errors
/// `folder.old_ledger` when it holds a ledger that cannot be continued and nobody said to
/// set it aside; nothing was changed then.
pub fn migrate(
    disk: &impl Disk,
    home: &Path,
    layout: Layout,
    old: OldLedger,
    notes: &mut dyn FnMut(String),
) -> Result<(), Failure> {
    let version = home.join("VERSION");
    let write =
        |text: String| disk.write(&version, &text).map_err(|error| Failure::io(&version, &error));
    let (from, name) = match layout {
        Layout::New | Layout::Now => return Ok(()),
        Layout::Underway(from, name) => (from, name),
        Layout::Older(from) => {
            if old == OldLedger::Refuse && holds_old_ledger(home)? {
                return Err(old_ledger(home));
            }
            let name = copied(disk, home, from)?;
            write(format!("{from} -> {VERSION} {name}\n"))?;
            (from, name)
        }
    };
    let copy = home.join(&name);
    if !copy::is_whole(&copy)? {
        return Err(Failure::fault(format!(
            "{} is not the whole copy that was made before the folder was changed: put it back, \
             nothing more was changed",
            copy.display()
        )));
    }
    for step in steps().iter().filter(|step| step.from >= from) {
        (step.apply)(disk, home, &copy)?;
    }
    if holds_old_ledger(&copy)? {
        notes(format!(
            "A NEW LEDGER STARTS: the old one is kept whole in {}, and nothing of it counts \
             here. Wallets and the node's key stay.",
            copy.display()
        ));
    }
    notes(format!("The folder has layout {VERSION} now; as it was, it is in {}.", copy.display()));
    write(format!("{VERSION}\n"))
}

#[cfg(test)]
mod tests;
