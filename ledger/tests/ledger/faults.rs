//! Faults of the disk and of the data: each is named for what to do, and loses nothing.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ddt_ledger::Zone;
use ddt_ledger::audit::audit;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::execute::execute;
use ddt_ledger::fault::{FaultKind, StoreFault};
use ddt_ledger::genesis::Genesis;
use ddt_ledger::state::Changes;
use ddt_ledger::store::{Backend, BookStore, LaneStore, PROPOSALS_MAX, STORE_VERSION};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::replay::history;
use crate::support::disk::{Disk, Random, Step};
use crate::support::network::{Decided, Network, genesis};
use crate::support::programme::REGISTRY;

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const STATE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("state");
const JOURNAL: TableDefinition<u64, &[u8]> = TableDefinition::new("journal");

fn open(disk: &Disk) -> Result<BookStore, StoreFault> {
    BookStore::open(disk.backend(), &genesis(), REGISTRY)
}

fn fault_of(disk: &Disk) -> FaultKind {
    open(disk).err().expect("a fault").kind
}

/// A book of some anchors, closed.
fn closed_book() -> Disk {
    let disk = Disk::default();
    let mut network = Network::on(&disk);
    history(&mut network, 51, 4);
    disk
}

/// The file opened without the ledger.
fn raw(disk: &Disk, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::builder().create_with_backend(disk.clone()).expect("a file");
    let write = database.begin_write().expect("a transaction");
    change(&write);
    write.commit().expect("a commit");
}

/// Broken by: opening a file of another format or another network and writing into it.
#[test]
fn another_format_or_network_is_refused_and_left_alone() {
    let disk = closed_book();
    raw(&disk, |write| {
        let mut meta = write.open_table(META).expect("a table");
        meta.insert("version", (STORE_VERSION + 1).to_le_bytes().as_slice()).expect("a write");
    });
    let bytes = disk.bytes();
    assert_eq!(fault_of(&disk), FaultKind::Newer);
    let lanes = LaneStore::open(disk.backend(), genesis().chain());
    assert_eq!(lanes.err().expect("a fault").kind, FaultKind::Newer);
    let disk = Disk::with(bytes);
    raw(&disk, |write| {
        let mut meta = write.open_table(META).expect("a table");
        meta.insert("version", STORE_VERSION.to_le_bytes().as_slice()).expect("a write");
    });
    assert!(open(&disk).is_ok(), "the refusal changed nothing");
    let other = Genesis { name: "other-net".to_string(), ..genesis() };
    let opened = BookStore::open(disk.backend(), &other, REGISTRY);
    assert_eq!(opened.err().expect("a fault").kind, FaultKind::WrongChain);
    let opened = LaneStore::open(disk.backend(), other.chain());
    assert_eq!(opened.err().expect("a fault").kind, FaultKind::WrongChain);
    assert!(open(&disk).is_ok());
}

/// Broken by: making the missing table, and taking what an earlier release wrote for the state.
#[test]
fn a_book_of_an_earlier_release_is_refused_and_left_alone() {
    for (anchors, is_refused) in [(1, true), (0, false)] {
        let disk = Disk::default();
        let mut network = Network::on(&disk);
        (0..anchors).for_each(|_| drop(network.run(vec![])));
        drop(network);
        raw(&disk, |write| assert!(write.delete_table(JOURNAL).expect("a table")));
        for _ in 0..2 {
            let fault = open(&disk).err();
            let is_older = fault.as_ref().map(|fault| fault.kind == FaultKind::Older);
            assert_eq!(is_older, is_refused.then_some(true));
            assert!(fault.is_none_or(|fault| fault.context.contains("another data folder")));
        }
    }
}

/// Broken by: an open that believes what is left of the journals.
#[test]
fn a_lost_or_changed_journal_is_refused_at_open() {
    let image = closed_book().bytes();
    for lost in 1..=4 {
        let disk = Disk::with(image.clone());
        raw(&disk, |write| {
            let mut table = write.open_table(JOURNAL).expect("a table");
            table.remove(lost).expect("a write").expect("a journal");
        });
        assert_eq!(fault_of(&disk), FaultKind::Damaged, "journal {lost}");
    }
    let disk = Disk::with(image);
    raw(&disk, |write| {
        let mut table = write.open_table(JOURNAL).expect("a table");
        let mut last = table.get(4).expect("a read").expect("a journal").value().to_vec();
        *last.last_mut().expect("a byte") ^= 1;
        table.insert(4, last.as_slice()).expect("a write");
    });
    assert_eq!(fault_of(&disk), FaultKind::Damaged);
}

/// Full keys of the rows that the journals name: what the tables hold of them is not read.
fn waiting(disk: &Disk) -> BTreeSet<Vec<u8>> {
    let database = Database::builder().create_with_backend(disk.clone()).expect("a file");
    let read = database.begin_read().expect("a transaction");
    let table = read.open_table(JOURNAL).expect("a table");
    let journals = table.iter().expect("journals").map(|entry| entry.expect("a journal"));
    let changes = journals.map(|(_, bytes)| decode::<Changes>(bytes.value(), 1 << 20));
    changes.flat_map(|changes| changes.expect("rows").into_keys()).collect()
}

/// Broken by: an open that does not hash the rows.
#[test]
fn a_changed_lost_or_added_row_is_refused_at_open() {
    type Change = fn(&mut redb::Table<&[u8], &[u8]>, &[u8], Vec<u8>);
    let changes: [Change; 3] = [
        |table, key, mut value| {
            *value.last_mut().expect("a byte") ^= 1;
            table.insert(key, value.as_slice()).expect("a write");
        },
        |table, key, _| drop(table.remove(key).expect("a write")),
        |table, key, value| {
            let more = [key, &[0]].concat();
            table.insert(more.as_slice(), value.as_slice()).expect("a write");
        },
    ];
    let image = closed_book().bytes();
    let waiting = waiting(&Disk::with(image.clone()));
    for change in changes {
        for place in 0..4 {
            let disk = Disk::with(image.clone());
            raw(&disk, |write| {
                let mut table = write.open_table(STATE).expect("a table");
                let rows = table.iter().expect("rows").map(|entry| entry.expect("a row"));
                let rows = rows.map(|(key, value)| (key.value().to_vec(), value.value().to_vec()));
                let mut rows = rows.filter(|(key, _)| !waiting.contains(key));
                let (key, value) = rows.nth(place).expect("a row");
                drop(rows);
                change(&mut table, &key, value);
            });
            assert_eq!(fault_of(&disk), FaultKind::Damaged, "row {place}");
        }
    }
}

/// Broken by: a panic, or a book opened with other rows than were agreed, after a bit of the
/// file flipped.
#[test]
fn a_flipped_bit_is_found_or_harmless() {
    let disk = closed_book();
    let (roots, image) = (open(&disk).expect("a book").head().1, disk.bytes());
    let used: Vec<usize> = (0..image.len()).filter(|at| image[*at] != 0).collect();
    let mut random = Random(52);
    let (mut found, mut harmless) = (0, 0);
    for _ in 0..150 {
        let mut bytes = image.clone();
        bytes[used[random.below(used.len())]] ^= 1 << random.below(8);
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let store = open(&Disk::with(bytes))?;
            let snapshot = store.snapshot()?;
            let broken = audit(&REGISTRY, &snapshot);
            assert!(snapshot.fault().is_some() || broken.is_empty(), "{broken:?}");
            Ok::<_, StoreFault>(store.head().1)
        }));
        match opened {
            Ok(Ok(same)) => {
                assert_eq!(same, roots);
                harmless += 1;
            }
            Ok(Err(_)) => found += 1,
            Err(_) => panic!("a flipped bit made the store panic"),
        }
    }
    assert!(found > 0 && harmless > 0, "{found} found, {harmless} harmless");
}

/// Broken by: commits in one step (`set_two_phase_commit(false)`), which a flipped bit takes back.
#[test]
fn every_commit_is_synced_in_two_steps() {
    let syncs = |disk: &Disk| disk.steps().iter().filter(|step| **step == Step::Sync).count();
    let disk = Disk::default();
    let lanes = LaneStore::open(disk.backend(), genesis().chain()).expect("a store");
    let before = syncs(&disk);
    lanes.put_block(Zone(1), 1, 1, &[1; 300]).expect("a write");
    assert_eq!(syncs(&disk) - before, 2);
    lanes.put_proposal(1, 0, &[1; 32], &[1; 300]).expect("a write");
    assert_eq!(syncs(&disk) - before, 4);
    let disk = Disk::default();
    let mut network = Network::on(&disk);
    let before = syncs(&disk);
    network.run(vec![]);
    assert_eq!(syncs(&disk) - before, 2, "an anchor");
}

/// Broken by: opening what does not verify as if it did.
#[test]
fn a_bit_that_flips_after_a_kill_takes_no_block_away() {
    let disk = Disk::default();
    let store = LaneStore::open(disk.backend(), genesis().chain()).expect("a store");
    let mut before = Vec::new();
    for height in 1..=5 {
        before = disk.bytes();
        store.put_block(Zone(1), 1, height, &[height as u8; 300]).expect("a write");
    }
    // As a kill leaves it: the store is still open.
    let image = disk.bytes();
    let is_new = |at: &usize| before.get(*at) != image.get(*at);
    let written: Vec<usize> = (0..image.len()).filter(is_new).collect();
    let mut random = Random(54);
    let (mut found, mut harmless) = (0, 0);
    for _ in 0..400 {
        let mut bytes = image.clone();
        bytes[written[random.below(written.len())]] ^= 1 << random.below(8);
        match LaneStore::open(Disk::with(bytes).backend(), genesis().chain()) {
            Err(fault) => {
                assert_eq!(fault.kind, FaultKind::Damaged, "{fault}");
                found += 1;
            }
            Ok(store) => {
                let blocks = store.blocks_after(Zone(1), 1, 0, 10).expect("blocks");
                let expected: Vec<Vec<u8>> = (1..=5).map(|height| vec![height; 300]).collect();
                assert_eq!(blocks, expected);
                harmless += 1;
            }
        }
    }
    assert!(found > harmless, "{found} found, {harmless} harmless");
}

/// Broken by: opening what is no store at all, or only the start of one.
#[test]
fn a_file_that_is_no_store_is_damaged() {
    for bytes in [vec![7; 10_000], b"hello".to_vec()] {
        assert_eq!(fault_of(&Disk::with(bytes)), FaultKind::Damaged);
    }
    let image = closed_book().bytes();
    for part in [image.len() / 2, 5_000, 300] {
        let cut = image[..part].to_vec();
        let opened = catch_unwind(AssertUnwindSafe(|| open(&Disk::with(cut)).err()));
        let fault = opened.expect("no panic").expect("a fault");
        assert_eq!(fault.kind, FaultKind::Damaged, "cut at {part}: {fault}");
    }
}

/// One more anchor on a disk that fails from its `number`-th change on.
fn commit_on_failing(
    image: &[u8],
    anchor: &Decided,
    number: usize,
    kind: ErrorKind,
) -> (Disk, Result<(), StoreFault>) {
    let disk = Disk::with(image.to_vec());
    let network = Network::with(genesis(), open(&disk).expect("a book"));
    disk.fail_from(disk.changes() + number, kind);
    let snapshot = network.store.snapshot().expect("a snapshot");
    let executed = execute(&REGISTRY, &snapshot, &anchor.body, &anchor.spans).expect("execution");
    drop(snapshot);
    let result = network.store.commit(&executed, &encode(&anchor.body), &anchor.certificate);
    (disk, result.map(drop))
}

/// Broken by: a commit that answers well although a write failed, a fault of another kind,
/// or one that damages what was there.
#[test]
fn a_disk_that_fails_is_named_and_loses_no_anchor() {
    let image = closed_book().bytes();
    let mut next = Network::with(genesis(), open(&Disk::with(image.clone())).expect("a book"));
    let before = next.store.head();
    history(&mut next, 53, 1);
    let (after, anchor) = (next.store.head(), next.history[0].clone());
    for (kind, expected) in [
        (ErrorKind::StorageFull, FaultKind::Full),
        (ErrorKind::QuotaExceeded, FaultKind::Full),
        (ErrorKind::PermissionDenied, FaultKind::ReadOnly),
        (ErrorKind::ReadOnlyFilesystem, FaultKind::ReadOnly),
        (ErrorKind::Other, FaultKind::Disk),
    ] {
        let mut failures = 0;
        for number in 1.. {
            let (disk, result) = commit_on_failing(&image, &anchor, number, kind);
            let reopened = open(&Disk::with(disk.bytes())).expect("a book");
            let Err(fault) = result else {
                assert_eq!(reopened.head(), after);
                break;
            };
            failures += 1;
            assert_eq!(fault.kind, expected, "{kind:?} at {number}: {fault}");
            let head = reopened.head();
            assert!(head == before || head == after, "{kind:?} at {number}");
        }
        assert!(failures > 3, "{failures} failures");
    }
}

/// Broken by: believing an opening whose writes failed.
#[test]
fn a_disk_that_fails_at_the_first_start_is_named() {
    for number in 1.. {
        let disk = Disk::default();
        disk.fail_from(number, ErrorKind::StorageFull);
        match open(&disk) {
            Err(fault) => assert_eq!(fault.kind, FaultKind::Full, "at {number}: {fault}"),
            Ok(_) => {
                assert!(number > 5, "the first start writes");
                break;
            }
        }
    }
}

/// Broken by: replacing a block, which is what a router is slashed for.
#[test]
fn a_block_is_never_replaced() {
    let disk = Disk::default();
    let store = LaneStore::open(disk.backend(), genesis().chain()).expect("a store");
    store.put_block(Zone(1), 1, 5, b"first").expect("a write");
    store.put_block(Zone(1), 1, 5, b"first").expect("the same again");
    let fault = store.put_block(Zone(1), 1, 5, b"second").expect_err("another block");
    assert_eq!(fault.kind, FaultKind::Damaged);
    assert_eq!(store.block(Zone(1), 1, 5).expect("a read"), Some(b"first".to_vec()));
    store.put_block(Zone(2), 1, 5, b"other zone").expect("a write");
    store.put_block(Zone(1), 2, 5, b"other term").expect("a write");
    store.put_block(Zone(1), 1, 6, b"next").expect("a write");
    let lane = store.blocks_after(Zone(1), 1, 0, 10).expect("blocks");
    assert_eq!(lane, [b"first".to_vec(), b"next".to_vec()]);
    assert_eq!(store.blocks_after(Zone(1), 1, 5, 10).expect("blocks"), [b"next".to_vec()]);
    assert!(store.blocks_after(Zone(1), 1, u64::MAX, 10).expect("blocks").is_empty());
    assert_eq!(store.block(Zone(3), 1, 5).expect("a read"), None);
}

/// Broken by: a second block of a place that takes the first one's, or is lost: a router
/// signed two, and an anchor may name either.
#[test]
fn a_second_block_stands_beside_the_first() {
    let store = LaneStore::open(Disk::default().backend(), genesis().chain()).expect("a store");
    store.put_block(Zone(1), 1, 5, b"first").expect("a write");
    store.put_other((Zone(1), 1, 5), &[2; 32], b"second").expect("a write");
    store.put_other((Zone(1), 1, 6), &[3; 32], b"third").expect("a write");
    assert_eq!(store.block(Zone(1), 1, 5).expect("a read"), Some(b"first".to_vec()));
    let other = store.other((Zone(1), 1, 5), &[2; 32]).expect("a read");
    assert_eq!(other, Some(b"second".to_vec()));
    assert_eq!(store.other((Zone(1), 1, 5), &[9; 32]).expect("a read"), None);
    let after = |height| store.others_after(Zone(1), 1, height, 10).expect("blocks");
    assert_eq!((after(4).len(), after(5), after(6).len()), (2, vec![b"third".to_vec()], 0));
}

/// Broken by: proposals kept for ever, without limit, or lost before their height passed.
#[test]
fn proposals_are_kept_while_they_matter() {
    let store = LaneStore::open(Disk::default().backend(), genesis().chain()).expect("a store");
    for height in 1..=5 {
        for round in 0..3u8 {
            let (id, bytes) = ([round; 32], [height as u8, round]);
            store.put_proposal(height, u32::from(round), &id, &bytes).expect("a write");
        }
    }
    let kept = |height| store.proposals(height).expect("proposals").len();
    assert_eq!([1, 2, 3, 4, 5].map(kept), [0, 0, 3, 3, 3]);
    let id = |number: usize| *blake3::hash(&number.to_le_bytes()).as_bytes();
    for number in 0..PROPOSALS_MAX {
        store.put_proposal(6, 0, &id(number), b"body").expect("a write");
    }
    // What is there may come again; one more is refused aloud, not dropped.
    store.put_proposal(6, 0, &id(0), b"body").expect("a write");
    let fault = store.put_proposal(6, u32::MAX, &[0xff; 32], &[0]).expect_err("too many");
    assert_eq!(fault.kind, FaultKind::Full);
    assert_eq!(kept(6), PROPOSALS_MAX);
}

/// Broken by: opening a file that another store has open, or a file that may not be made.
#[test]
fn files_are_opened_once() {
    let name = concat!("open-once-", env!("CARGO_PKG_NAME"), ".redb");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_file(&path));
    let backend = || Backend::File(path.clone());
    let first = BookStore::open(backend(), &genesis(), REGISTRY).expect("a book");
    let second = BookStore::open(backend(), &genesis(), REGISTRY);
    let fault = second.err().expect("a fault");
    assert_eq!(fault.kind, FaultKind::Busy);
    assert!(fault.context.contains(name), "{fault}");
    drop(first);
    assert!(BookStore::open(backend(), &genesis(), REGISTRY).is_ok());
    drop(std::fs::remove_file(&path));
}
