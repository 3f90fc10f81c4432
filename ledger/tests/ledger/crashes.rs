//! Nothing lost: what the store promised is there after a power cut at any moment.

use ddt_ledger::Zone;
use ddt_ledger::anchor::Roots;
use ddt_ledger::audit::audit;
use ddt_ledger::fault::FaultKind;
use ddt_ledger::state::StateReader;
use ddt_ledger::store::{BookStore, LaneStore};

use crate::replay::history;
use crate::support::disk::{Cut, Disk, Random, Step, cut};
use crate::support::network::{Network, genesis};
use crate::support::programme::REGISTRY;

const ANCHORS: usize = 6;

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// What was done to the disk of a book, and the book after each anchor.
struct Recorded {
    steps: Vec<Step>,
    roots: Vec<Roots>,
    rows: Vec<Rows>,
}

fn rows(store: &BookStore) -> Rows {
    let snapshot = store.snapshot().expect("a snapshot");
    snapshot.after(&[], &[], 100_000).expect("rows")
}

/// Every `commit` that returned is a promise, and so is the first opening.
fn record() -> Recorded {
    let disk = Disk::default();
    let mut network = Network::on(&disk);
    disk.promise(0);
    let mut recorded = Recorded {
        steps: Vec::new(),
        roots: vec![network.roots()],
        rows: vec![rows(&network.store)],
    };
    for height in 1..=ANCHORS {
        history(&mut network, height as u64, 1);
        disk.promise(height as u64);
        recorded.roots.push(network.roots());
        recorded.rows.push(rows(&network.store));
    }
    recorded.steps = disk.steps();
    recorded
}

/// Opens what a power cut left; says what is lost or wrong.
fn survives(recorded: &Recorded, at: usize, how: Cut, lies: bool) -> Result<(), String> {
    let (bytes, promised) = cut(&recorded.steps, at, how, lies);
    let opened = BookStore::open(Disk::with(bytes).backend(), &genesis(), REGISTRY);
    let store = match (opened, promised) {
        (Ok(store), _) => store,
        // Nothing was promised yet: a new store is made.
        (Err(_), None) => return Ok(()),
        (Err(fault), Some(promised)) => {
            return Err(format!("anchor {promised} was promised, but: {fault}"));
        }
    };
    let (head, roots) = store.head();
    if Some(head.height) < promised {
        return Err(format!("at {} although {promised:?} was promised", head.height));
    }
    let height = head.height as usize;
    if roots != recorded.roots[height] || rows(&store) != recorded.rows[height] {
        return Err(format!("the book is not that of anchor {height}"));
    }
    let broken = audit(&REGISTRY, &store.snapshot().map_err(|fault| fault.to_string())?);
    if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
}

/// Broken by: a commit that returns before its bytes are durable, rows and head in two
/// transactions, or an open that trusts whatever it finds.
#[test]
fn a_book_survives_a_power_cut_at_any_moment() {
    let recorded = record();
    let mut random = Random(31);
    for at in 0..=recorded.steps.len() {
        assert_eq!(survives(&recorded, at, Cut::Lost, false), Ok(()), "lost at {at}");
        let torn = Cut::Torn(random.next());
        assert_eq!(survives(&recorded, at, torn, false), Ok(()), "{torn:?} at {at}");
    }
}

/// The test above would find a missing fsync: on a disk whose `sync_data` does nothing it
/// does. Broken by: a check that cannot fail.
#[test]
fn a_disk_that_lies_about_syncing_is_found_out() {
    let recorded = record();
    let last = recorded.steps.len();
    assert!(survives(&recorded, last, Cut::Lost, true).is_err());
    let mut random = Random(32);
    let torn = |random: &mut Random| Cut::Torn(random.next());
    let found = (0..20).filter(|_| survives(&recorded, last, torn(&mut random), true).is_err());
    assert!(found.count() > 10);
}

/// Broken by: a book that cannot go on after a cut.
#[test]
fn a_book_goes_on_after_a_power_cut() {
    let recorded = record();
    let mut random = Random(33);
    for _ in 0..8 {
        let at = recorded.steps.len() - random.below(recorded.steps.len() / 2);
        let (bytes, promised) = cut(&recorded.steps, at, Cut::Torn(random.next()), false);
        let disk = Disk::with(bytes);
        let mut network = Network::on(&disk);
        let height = network.head().height;
        assert!(Some(height) >= promised);
        history(&mut network, 40, 2);
        let expected = network.roots();
        drop(network);
        let network = Network::on(&disk);
        assert_eq!((network.head().height, network.roots()), (height + 2, expected));
    }
}

fn block(number: u64) -> Vec<u8> {
    let mut random = Random(number);
    (0..200 + random.below(9_000)).map(|_| random.next() as u8).collect()
}

/// Broken by: acknowledging a block before its fsync: its router would seal another in its
/// place after a power cut, and lose its bond.
#[test]
fn an_acknowledged_block_survives_a_power_cut_at_any_moment() {
    let disk = Disk::default();
    let chain = genesis().chain();
    let store = LaneStore::open(disk.backend(), chain).expect("a store");
    disk.promise(0);
    for height in 1..=12 {
        store.put_block(Zone(1), 1, height, &block(height)).expect("a write");
        disk.promise(height);
    }
    drop(store);
    let steps = disk.steps();
    let lost = |at: usize, how: Cut, lies: bool| -> bool {
        let (bytes, promised) = cut(&steps, at, how, lies);
        let opened = LaneStore::open(Disk::with(bytes).backend(), chain);
        let Ok(store) = opened else { return promised.is_some() };
        let found = store.blocks_after(Zone(1), 1, 0, 100).expect("blocks");
        let expected: Vec<_> = (1..=found.len() as u64).map(block).collect();
        assert_eq!(found, expected, "blocks in order, each whole");
        found.len() < promised.unwrap_or(0) as usize
    };
    let mut random = Random(34);
    for at in 0..=steps.len() {
        assert!(!lost(at, Cut::Lost, false), "lost at {at}");
        assert!(!lost(at, Cut::Torn(random.next()), false), "torn at {at}");
    }
    assert!(lost(steps.len(), Cut::Lost, true), "a lying disk is found out");
}

/// The database writes its magic number last; until then nothing was stored or promised, and
/// the file is refused as no store. Broken by: a first start that cannot be repeated later.
#[test]
fn a_first_start_may_be_cut_and_repeated() {
    let recorded = record();
    let promise = recorded.steps.iter().position(|step| *step == Step::Promise(0));
    let mut refused = 0;
    for at in 0..=promise.expect("a promise") {
        for how in [Cut::Lost, Cut::Torn(at as u64)] {
            let (bytes, _) = cut(&recorded.steps, at, how, false);
            let has_magic = bytes.starts_with(b"redb");
            match BookStore::open(Disk::with(bytes).backend(), &genesis(), REGISTRY) {
                Ok(store) => assert_eq!(store.head().1, recorded.roots[0], "{how:?} at {at}"),
                Err(fault) => {
                    assert_eq!((fault.kind, has_magic), (FaultKind::Damaged, false), "{at}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused < 8, "{refused} moments of {promise:?}");
}
