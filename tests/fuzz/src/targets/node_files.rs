//! What the node's own commands read: payment requests, records, settings, backups.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::backup::archive;
use crate::backup::manifest::Manifest;
use crate::config::Settings;
use crate::failure::Failure;
use crate::node::record_lines::{Pattern, RecordLine, read_file};
use crate::node::uri::Request;
use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "node_files",
    about: "Payment requests, domain records, settings, manifests and whole backups.",
    run,
    seeds,
    bytes_max: 32 * 1024,
    tries: 6_000,
};

fn run(bytes: &[u8]) -> End {
    let Some((kind, input)) = bytes.split_first() else { return end("nothing") };
    let kind = kind % 6;
    let how = match (kind, std::str::from_utf8(input)) {
        (5, _) => backup(input),
        (_, Err(_)) => end("not text"),
        (0, Ok(text)) => request(text),
        (1, Ok(text)) => line(text),
        (2, _) => records(input),
        (3, Ok(text)) => manifest(text),
        _ => settings(input),
    };
    end((kind, how))
}

/// A folder of this thread.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let all = FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    let folder = all.path().join(thread);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A failure's code, and its words without the temporary folder.
fn failed(failure: &Failure) -> End {
    assert!(!failure.words.is_empty() && !failure.code.is_empty());
    let words = failure.words.rsplit(": ").next().unwrap_or_default().to_string();
    end((&failure.code, end_of(words)))
}

fn request(text: &str) -> End {
    match Request::read(text) {
        Ok(request) => {
            assert_eq!(Request::read(&request.to_string()), Ok(request.clone()), "{text}");
            end((request.amount.is_some(), request.memo.is_some(), request.expires.is_some()))
        }
        Err(error) => end(error.code),
    }
}

fn line(text: &str) -> End {
    let pattern = Pattern::read(text).is_ok();
    match RecordLine::read(text) {
        Ok(record) => {
            let again = RecordLine::read(&record.line());
            assert_eq!(again.ok().as_ref(), Some(&record), "{text:?}");
            let json = RecordLine::from_json(&record.to_json());
            assert_eq!(json.as_ref(), Some(&record), "{text:?}");
            end((record.kind, pattern))
        }
        Err(failure) => failed(&failure),
    }
}

fn records(bytes: &[u8]) -> End {
    let (plain, toml) = (folder().join("records.txt"), folder().join("records.toml"));
    fs::write(&plain, bytes).and_then(|()| fs::write(&toml, bytes)).expect("files");
    match (read_file(&plain), read_file(&toml)) {
        (Ok(records), _) | (_, Ok(records)) => end(records.len().min(4)),
        (Err(first), Err(second)) => end((failed(&first), failed(&second))),
    }
}

fn manifest(text: &str) -> End {
    match Manifest::from_text(text) {
        Some(manifest) => {
            let again = manifest.to_text().expect("a manifest has a text");
            assert_eq!(Manifest::from_text(&again), Some(manifest));
            end("read")
        }
        None => end("damaged"),
    }
}

fn settings(bytes: &[u8]) -> End {
    let path = folder().join("config.toml");
    fs::write(&path, bytes).expect("a file");
    match Settings::load(&Vec::new(), Some(&path)) {
        Ok(settings) => end(settings.config.limits().body_bytes_max),
        Err(failure) => failed(&failure),
    }
}

/// A backup is read as it is, or refused; nothing is written outside the folder.
fn backup(bytes: &[u8]) -> End {
    let (home, file) = (folder().join("home").join("inner"), folder().join("backup.tar"));
    let _ = fs::remove_dir_all(folder().join("home"));
    fs::create_dir_all(&home).and_then(|()| fs::write(&file, bytes)).expect("a folder");
    let read = archive::read(&file, Some(&home));
    let beside = fs::read_dir(folder().join("home")).expect("a folder").count();
    assert_eq!(beside, 1, "a backup wrote outside its folder");
    match read {
        Ok(manifest) => {
            for entry in &manifest.files {
                let mut found = Vec::new();
                let file = fs::File::open(home.join(&entry.name));
                file.and_then(|mut file| file.read_to_end(&mut found)).expect("a file");
                let hash = hash_of(&found);
                assert_eq!((found.len() as u64, hash), (entry.bytes, entry.blake3.clone()));
            }
            end(manifest.files.len())
        }
        Err(failure) => failed(&failure),
    }
}

fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A small backup of two files.
fn small_backup() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [("VERSION", b"2\n".to_vec()), ("genesis.toml", b"x = 1\n".to_vec())];
    let entry = |(name, bytes): &(&str, Vec<u8>)| {
        fs::write(folder.path().join(name), bytes).expect("a file");
        let blake3 = hash_of(bytes);
        crate::backup::manifest::FileEntry {
            name: name.to_string(),
            bytes: bytes.len() as u64,
            blake3,
        }
    };
    let manifest = Manifest {
        version: Manifest::VERSION,
        release: "test".to_string(),
        layout: crate::data_folder::VERSION,
        network: "in-memory".to_string(),
        chain: world().chain,
        height: 1,
        anchor: ddt_ledger::Hash::ZERO,
        root: ddt_ledger::Hash::ZERO,
        time_ms: ddt_ledger::Millis(1),
        lanes: Vec::new(),
        files: files.iter().map(entry).collect(),
    };
    let mut bytes = Vec::new();
    archive::write(folder.path(), &manifest, &mut bytes).expect("a backup");
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    let alice = ddt_tests::people::Person::named("alice").id();
    let chain = world().chain;
    let request = format!("ddt:{alice}?amount=1.5&memo=for%20tea&expires=170&chain={chain}");
    let backup = small_backup();
    let manifest = "{\"version\":1}\n0\n";
    let texts: [(u8, &[u8]); 10] = [
        (0, request.as_bytes()),
        (1, b"www 300 IN A 192.0.2.1"),
        (1, b"@ TXT \"v=spf1 \\\"-all\\\"\" 60"),
        (1, b"_sip._tcp SRV 10 5 5060 sip.example.org. 60"),
        (2, b"@ A 192.0.2.1 ; one\n# two\nwww CNAME host.example.org 60\n"),
        (2, b"[[record]]\nlabel = \"@\"\nkind = \"a\"\nttl = 60\nvalue = \"192.0.2.1\"\n"),
        (3, manifest.as_bytes()),
        (4, b"[limits]\nrequests_max = 9\n[log]\nlevel = \"info\"\n"),
        (4, b"home = \"here\"\n"),
        (5, &backup),
    ];
    texts.iter().map(|(kind, text)| [&[*kind], *text].concat()).collect()
}
