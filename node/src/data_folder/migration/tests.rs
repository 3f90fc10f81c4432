//! A migration that is cut off between any two operations, and begun again.

use std::cell::Cell;
use std::fs;

use super::*;

/// A disk that dies after so many operations.
struct Mortal {
    left: Cell<u32>,
}

impl Mortal {
    fn breathe(&self) -> io::Result<()> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| io::Error::other("dead"))?;
        self.left.set(left);
        Ok(())
    }
}

impl Disk for Mortal {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.breathe().and_then(|()| RealDisk.make_folder(path))
    }
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        // Killed within a copy: half of the file is there.
        if self.left.get() == 0 {
            let bytes = fs::read(from)?;
            fs::write(to, bytes.get(..bytes.len() / 2).unwrap_or_default())?;
        }
        self.breathe().and_then(|()| RealDisk.copy(from, to))
    }
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        self.breathe().and_then(|()| RealDisk.write(path, text))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.breathe().and_then(|()| RealDisk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.breathe().and_then(|()| RealDisk.remove(path))
    }
}

const USERS: [(&str, &str); 4] = [
    ("keystore/alice.json", "sealed"),
    ("node.key", "seed"),
    ("password", "secret"),
    ("config.toml", "listen = \"127.0.0.1:1\"\n"),
];
const OLD: [(&str, &str); 5] = [
    ("book.redb", "the book"),
    ("lanes.redb", "the lanes"),
    ("agents.redb", "tasks"),
    ("consensus/consensus.wal", "votes"),
    ("genesis.toml", "version = 1\nname = \"dev\"\n"),
];

fn old_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in USERS.iter().chain(&OLD).chain(&[("VERSION", "1\n"), ("LOCK", "7\n")]) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn run(disk: &impl Disk, home: &Path, old: OldLedger) -> Result<(), Failure> {
    let layout = Layout::read(home)?;
    migrate(disk, home, layout, old, &mut |_| {})
}

fn text(home: &Path, name: &str) -> Option<String> {
    fs::read_to_string(home.join(name)).ok()
}

/// Nothing is lost: each file of the user is in place, and each of the ledger in its place or
/// in the copy.
fn check_kept(home: &Path) {
    for (name, wanted) in USERS {
        assert_eq!(text(home, name).as_deref(), Some(wanted), "{name}");
    }
    let copy = home.join("before-migration-1");
    for (name, wanted) in OLD {
        let places = [text(home, name), text(&copy, name)];
        assert!(places.iter().flatten().any(|found| found == wanted), "{name}");
    }
    if !OLD.iter().all(|(name, _)| home.join(name).exists()) {
        assert!(copy::is_whole(&copy).unwrap(), "changed before the copy was whole");
        assert_ne!(text(home, "VERSION").as_deref(), Some("1\n"), "an old release would open it");
    }
}

// Broken by: changing before the copy has its name; writing VERSION before the last step;
// deciding by what is left of the folder; leaving the marker out.
#[test]
fn a_migration_may_be_cut_off_anywhere() {
    let mut operations = 0;
    for lives in 0.. {
        let folder = old_folder();
        let home = folder.path();
        let mortal = Mortal { left: Cell::new(lives) };
        let is_done = run(&mortal, home, OldLedger::SetAside).is_ok();
        check_kept(home);
        // Begun again, also by somebody who does not say the flag a second time, once the
        // first change was made.
        let again = match Layout::read(home).unwrap() {
            Layout::Older(_) => OldLedger::SetAside,
            _ => OldLedger::Refuse,
        };
        run(&RealDisk, home, again).unwrap();
        check_kept(home);
        assert_eq!(Layout::read(home).unwrap(), Layout::Now);
        for (name, _) in OLD {
            assert!(!home.join(name).exists(), "{name} belongs to the old ledger");
        }
        assert!(!home.join("before-migration-1-2").exists(), "one copy is enough");
        if is_done {
            operations = lives;
            break;
        }
    }
    assert!(operations > 20, "each file was an operation: {operations}");
}

// Broken by: migrating without being told to, or touching anything before refusing.
#[test]
fn an_old_ledger_is_not_set_aside_unasked() {
    let folder = old_folder();
    let before = copy::contents(folder.path()).unwrap();
    let failure = run(&RealDisk, folder.path(), OldLedger::Refuse).unwrap_err();
    assert_eq!(failure.code, "folder.old_ledger");
    assert!(failure.words.contains(FLAG) && failure.words.contains("release 0.1"));
    assert_eq!(copy::contents(folder.path()).unwrap(), before);
    assert!(!folder.path().join("before-migration-1").exists());
}

// Broken by: taking an older copy for one of the folder as it is now.
#[test]
fn a_stale_copy_is_not_relied_on() {
    let folder = old_folder();
    let home = folder.path();
    let contents = copy::contents(home).unwrap();
    copy::make(&RealDisk, home, &home.join("before-migration-1"), &contents).unwrap();
    fs::write(home.join("book.redb"), "the book, a day later").unwrap();
    run(&RealDisk, home, OldLedger::SetAside).unwrap();
    let kept = text(&home.join("before-migration-1-2"), "book.redb");
    assert_eq!(kept.as_deref(), Some("the book, a day later"));
}

// Broken by: going on when the copy was lost half way.
#[test]
fn without_its_copy_a_half_changed_folder_waits() {
    let folder = old_folder();
    let home = folder.path();
    fs::write(home.join("VERSION"), "1 -> 2 before-migration-1\n").unwrap();
    let before = copy::contents(home).unwrap();
    assert!(run(&RealDisk, home, OldLedger::SetAside).is_err());
    assert_eq!(copy::contents(home).unwrap(), before);
}

// Broken by: a ledger of the present genesis being set aside with the layout.
#[test]
fn a_ledger_that_can_go_on_goes_on() {
    let folder = old_folder();
    let home = folder.path();
    fs::write(home.join("genesis.toml"), "version = 2\n").unwrap();
    run(&RealDisk, home, OldLedger::Refuse).unwrap();
    assert_eq!(text(home, "book.redb").as_deref(), Some("the book"));
    assert_eq!(Layout::read(home).unwrap(), Layout::Now);
    assert!(copy::is_whole(&home.join("before-migration-1")).unwrap());
}

// Broken by: opening what a newer release wrote, or what nobody wrote.
#[test]
fn other_versions_are_refused() {
    let folder = old_folder();
    for (wrong, words) in [
        ("3\n", "newer release"),
        ("0\n", "damaged"),
        ("one\n", "damaged"),
        ("1 -> 2 ../x\n", "damaged"),
        ("1 -> 3 before-migration-1\n", "damaged"),
    ] {
        fs::write(folder.path().join("VERSION"), wrong).unwrap();
        let failure = Layout::read(folder.path()).unwrap_err();
        assert!(failure.words.contains(words), "{wrong}: {failure}");
    }
}
