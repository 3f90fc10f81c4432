//! Backups that are not what they were.

use std::fs;
use std::path::Path;

use crate::backups::restore;
use crate::support::cli;
use crate::support::network::{Network, folder};

/// Each file of the archive: name, and where its bytes begin and end.
fn entries(bytes: &[u8]) -> Vec<(String, usize, usize)> {
    let mut archive = tar::Archive::new(bytes);
    let read = archive.entries().unwrap();
    read.map(|entry| {
        let entry = entry.unwrap();
        let start = entry.raw_file_position() as usize;
        let name = entry.path().unwrap().to_str().unwrap().to_string();
        (name, start, start + entry.size() as usize)
    })
    .collect()
}

fn refused(home: &Path, backup: &Path, words: &str) {
    let ending = restore(home, backup, &[]);
    assert_eq!(ending.refusal().0, 1, "{ending:#?}");
    let told = ending.words();
    assert!(told.contains(words), "{words}: {told}");
    assert!(told.contains(backup.to_str().unwrap()), "{told}");
    assert!(!home.exists(), "nothing is left of it");
    let left = fs::read_dir(home.parent().unwrap()).unwrap();
    let mut left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.all(|name| !name.starts_with(".ddt-restore-")), "nothing is left beside it");
}

// Broken by: not comparing a hash, a length, or the manifest itself; leaving what was
// unpacked so far.
#[test]
fn a_damaged_backup_is_refused_by_the_files_name() {
    let folder = folder();
    let (home, file) = (folder.path().join("state"), folder.path().join("copy.backup"));
    let network = Network::start(&home);
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    network.ddt(&["backup", file.to_str().unwrap(), "--with-wallets"]).data();
    assert_eq!(network.interrupt(), Some(0));
    let whole = fs::read(&file).unwrap();
    let entries = entries(&whole);
    let names: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
    assert_eq!(&names[..3], ["book.redb", "lanes.redb", "agents.redb"]);
    assert_eq!(names.last(), Some(&"manifest.json"));

    let (wrong, target) = (folder.path().join("wrong.backup"), folder.path().join("target"));
    for (name, start, end) in &entries {
        let mut bytes = whole.clone();
        bytes[(start + end) / 2] ^= 1;
        fs::write(&wrong, bytes).unwrap();
        refused(&target, &wrong, name);
        fs::write(&wrong, &whole[..(start + end) / 2]).unwrap();
        refused(&target, &wrong, name);
    }
    // Cut off between two files: what is missing is named.
    let (_, start, _) = entries.last().unwrap();
    fs::write(&wrong, &whole[..start - 512]).unwrap();
    refused(&target, &wrong, "manifest.json");
    // A header.
    let mut bytes = whole.clone();
    bytes[0] ^= 1;
    fs::write(&wrong, bytes).unwrap();
    refused(&target, &wrong, "damaged or cut short");
    // Another name, with a right checksum: nothing is written outside of the folder.
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.as_gnu_mut().unwrap().name[..7].copy_from_slice(b"../evil");
    header.set_cksum();
    archive.append(&header, &b"x"[..]).unwrap();
    fs::write(&wrong, archive.into_inner().unwrap()).unwrap();
    refused(&target, &wrong, "does not belong");
    assert!(!folder.path().join("evil").exists());
    fs::write(&wrong, "no archive").unwrap();
    refused(&target, &wrong, "cut short");
    restore(&target, &file, &["--verify"]).data();
}

// Broken by: a router that seals with lanes older than its book, or than the backup's.
#[test]
fn lanes_of_another_moment_seal_nothing() {
    let folder = folder();
    let home = folder.path().join("state");
    let backup = |name: &str| {
        let network = Network::start(&home);
        network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
        assert_eq!(network.interrupt(), Some(0));
        let file = folder.path().join(name);
        cli::ddt(&home, &["backup", file.to_str().unwrap()]).data();
        let target = folder.path().join(format!("{name}-restored"));
        restore(&target, &file, &[]).data();
        target
    };
    let (older, newer) = (backup("one"), backup("two"));
    fs::copy(older.join("lanes.redb"), newer.join("lanes.redb")).unwrap();
    let ending = Network::try_start_with(&newer, &["--continue-restored"]).err().unwrap();
    assert_eq!(ending.refusal(), (1, "restored.lanes".to_string()), "{ending:#?}");
    assert!(ending.words().contains("promised"), "{ending:#?}");
    // The other way round they are only ahead: every block that the book names is there.
    let network = Network::try_start_with(&older, &["--continue-restored"]).unwrap();
    assert_eq!(network.json("/v1/status")["events"], 1);
}
