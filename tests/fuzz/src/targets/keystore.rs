//! The wallet's vault: any bytes in the place of a wallet's file.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use ddt_wallet::Keystore;
use tempfile::TempDir;

use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "keystore",
    about: "Keystore::list and Keystore::open_file of changed wallet files.",
    run,
    seeds,
    bytes_max: 8 * 1024,
    tries: 2_500,
};

const PASSWORD: &str = "correct horse";

/// A wallet made once, at the cost that only tests may have: what one process keeps of it
/// another one must know again.
const WALLET: &[u8] = include_bytes!("../../corpus/keystore/wallet.json");

/// A folder for this process.
fn folder() -> &'static TempDir {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"))
}

fn run(bytes: &[u8]) -> End {
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    let path: PathBuf = folder().path().join(thread);
    let store = Keystore::open_dir(&path).expect("a folder");
    write(&path.join("alice.json"), bytes);
    let listing = store.list().expect("a folder that can be read");
    assert_eq!(listing.entries.len() + listing.problems.len(), 1);
    let end = match listing.problems.first() {
        Some(problem) => return end_of(strip(&problem.to_string())),
        None => end("listed"),
    };
    // A dearer hash would only make the search slow: its bounds have tests of their own.
    let is_cheap = |cost: &str| String::from_utf8_lossy(bytes).contains(cost);
    if !is_cheap("\"memory_kib\": 64,") {
        return end;
    }
    match Keystore::open_file(&path.join("alice.json"), PASSWORD) {
        Ok(unlocked) => {
            let known = serde_json::from_slice::<serde_json::Value>(WALLET).expect("JSON");
            let found = serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
            let folded = |json: serde_json::Value| json.to_string().to_ascii_lowercase();
            assert_eq!(folded(known), folded(found), "a changed wallet opened");
            end.wrapping_add(unlocked.keys().len() as u64)
        }
        Err(error) => end_of(strip(&error.to_string())),
    }
}

/// An error's words without the path of the temporary folder.
fn strip(words: &str) -> String {
    words.split_once(".json").map_or(words, |(_, after)| after).to_string()
}

#[cfg(unix)]
fn write(path: &std::path::Path, bytes: &[u8]) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(bytes)).expect("a file");
}

#[cfg(not(unix))]
fn write(path: &std::path::Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Keystore::open_dir(&folder.path().join("w")).expect("a folder");
    let account = ddt_tests::people::Person::named("bob").id();
    store.add_watch_only("alice", account).expect("a wallet");
    let watched = fs::read(folder.path().join("w/alice.json")).expect("its file");
    vec![WALLET.to_vec(), watched, include_bytes!("../../../vectors/keystore-v1.json").to_vec()]
}
