//! Data folders that must not be opened.

use std::fs;
use std::path::Path;

use redb::TableDefinition;

use crate::support::cli::{self, Ending};
use crate::support::network::{Network, folder};

/// Refuses to start; says these words; leaves the file as it is.
fn expect_refusal(home: &Path, file: &str, words: &[&str]) {
    let before = fs::read(home.join(file)).ok();
    let ending = Network::try_start(home).err().expect("this folder must not be opened");
    assert_eq!(ending.refusal().0, 1, "{file}: {ending:#?}");
    let told: Ending = ending;
    for word in words {
        assert!(told.words().contains(word), "{word}: {told:#?}");
    }
    assert!(fs::read(home.join(file)).ok() == before, "{file} was touched");
    assert!(!home.join("run.json").exists(), "nothing runs here");
}

fn rewrite(path: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    fs::write(path, change(fs::read(path).unwrap())).unwrap();
}

// Broken by: reading what a newer release wrote, starting anew over a damaged book, or
// going on with another genesis.
#[test]
fn a_folder_that_is_not_right_is_left_alone() {
    let folder = folder();
    let home = folder.path().join("state");
    let network = Network::start(&home);
    network.ddt(&["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"]).data();
    let events = network.json("/v1/events")["rows"].clone();
    assert_eq!(network.interrupt(), Some(0));
    let keep = |file: &str| fs::read(home.join(file)).unwrap();
    let (version, genesis) = (keep("VERSION"), keep("genesis.toml"));
    let (book, lanes, key) = (keep("book.redb"), keep("lanes.redb"), keep("node.key"));
    let put_back = |file: &str, bytes: &[u8]| fs::write(home.join(file), bytes).unwrap();

    put_back("VERSION", b"3\n");
    expect_refusal(&home, "VERSION", &["newer release"]);
    put_back("VERSION", b"one\n");
    expect_refusal(&home, "VERSION", &["damaged"]);
    put_back("VERSION", &version);

    write_format(&home.join("book.redb"), 2);
    expect_refusal(&home, "VERSION", &["newer release", "book.redb"]);
    put_back("book.redb", &book);
    put_back("book.redb", &[0x5a; 4096]);
    expect_refusal(&home, "book.redb", &["book.redb"]);
    put_back("book.redb", &book[..book.len() / 2]);
    expect_refusal(&home, "VERSION", &["book.redb"]);
    put_back("book.redb", &book);
    put_back("lanes.redb", &[0x5a; 4096]);
    expect_refusal(&home, "lanes.redb", &["lanes.redb"]);
    fs::remove_file(home.join("lanes.redb")).unwrap();
    expect_refusal(&home, "VERSION", &["lanes.redb", "promised"]);
    put_back("lanes.redb", &lanes);

    let edited = String::from_utf8(genesis.clone()).unwrap();
    put_back("genesis.toml", edited.replacen("\"1000000\"", "\"2000000\"", 1).as_bytes());
    expect_refusal(&home, "genesis.toml", &["another network"]);
    put_back("genesis.toml", b"version = 1\n");
    expect_refusal(&home, "genesis.toml", &["genesis"]);
    put_back("genesis.toml", &genesis);
    rewrite(&home.join("node.key"), |text| text[1..].to_vec());
    expect_refusal(&home, "node.key", &["node.key", "backup"]);
    put_back("node.key", &key);

    let network = Network::start(&home);
    assert_eq!(network.json("/v1/events")["rows"], events, "put back, it goes on");
}

/// Marks a store as written in another format.
fn write_format(path: &Path, version: u32) {
    const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
    let store = redb::Database::open(path).unwrap();
    let write = store.begin_write().unwrap();
    let known = {
        let mut meta = write.open_table(META).unwrap();
        meta.insert("version", version.to_le_bytes().as_slice()).unwrap().is_some()
    };
    assert!(known, "the format stands there");
    write.commit().unwrap();
}

// Broken by: sealing blocks anew at heights that an older copy of the lanes does not know.
#[test]
fn older_lanes_seal_nothing() {
    let folder = folder();
    let home = folder.path().join("state");
    let lanes = home.join("lanes.redb");
    let live = || {
        let network = Network::start(&home);
        let pay = ["wallet", "send", "5", "bob", "--from", "alice", "--wait", "proven"];
        network.ddt(&pay).data();
        assert_eq!(network.interrupt(), Some(0));
        fs::read(&lanes).unwrap()
    };
    let (older, newer) = (live(), live());
    fs::write(&lanes, older).unwrap();
    expect_refusal(&home, "VERSION", &["lanes.redb", "promised"]);
    fs::write(&lanes, newer).unwrap();
    assert_eq!(Network::start(&home).json("/v1/status")["events"], 2);
}

// Broken by: a panic, or words that do not say which folder, where nothing can be written.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let dev = |home: &Path| cli::ddt(home, &["dev", "--state", home.to_str().unwrap()]);
    let ending = dev(&file.join("state"));
    assert_eq!(ending.refusal().0, 1);
    assert!(ending.words().contains("file/state"), "{ending:#?}");

    let home = folder.path().join("closed").join("state");
    fs::create_dir_all(home.parent().unwrap()).unwrap();
    let closed = fs::Permissions::from_mode(0o500);
    fs::set_permissions(home.parent().unwrap(), closed).unwrap();
    if fs::write(home.with_extension("test"), "").is_ok() {
        println!("skipped: permissions do not bind this user (root)");
        return;
    }
    let ending = dev(&home);
    assert_eq!(ending.refusal().0, 1);
    assert!(ending.words().contains("owner and permissions"), "{ending:#?}");
}
