//! Forgotten history: what is gone, what stays, and that nothing else changes.

use ddt_ledger::Zone;
use ddt_ledger::receipt::{Receipt, Subject};
use ddt_ledger::store::{LaneStore, Place, Pruning, Snapshot};

use crate::support::disk::Disk;
use crate::support::naming::call;
use crate::support::network::{Network, Person};

/// The programme whose names these are.
const TEST: u16 = 1;
const ANCHORS: u64 = 40;
const LOWEST: u64 = 15;
const NAMES: [&str; 3] = ["first", "second", "third"];

/// Two books with the same history; the second on a disk. Answers each event's id.
fn twins(disk: &Disk) -> (Network, Network, Vec<ddt_ledger::Hash>) {
    let (mut kept, mut pruned) = (Network::new(), Network::on(disk));
    let mut ids = Vec::new();
    // Void each time, for its author has nothing: it is found where it came last.
    let poor = kept.event(&Person::new(77), &call("fourth"));
    for at in 0..ANCHORS {
        let mut events: Vec<Vec<u8>> = NAMES
            .iter()
            .zip(1..)
            .map(|(name, person)| kept.event(&Person::new(person), &call(name)))
            .collect();
        if at == 3 || at == 30 {
            events.push(poor.clone());
        }
        ids.extend(events.iter().map(|event| kept.checked(event).id()));
        kept.run(events);
        repeat(&kept, &mut pruned);
    }
    assert_eq!(kept.roots(), pruned.roots());
    (kept, pruned, ids)
}

/// Takes the first one's last anchor into the second.
fn repeat(kept: &Network, pruned: &mut Network) {
    pruned.replay(kept.history.last().expect("an anchor").clone());
}

fn read(network: &Network) -> Snapshot {
    network.store.snapshot().expect("a snapshot")
}

/// A few receipts at a time; answers how many turns it took.
fn prune(network: &Network, lowest: u64) -> usize {
    let mut pruning = Pruning::before(lowest);
    (1..).find(|_| network.store.prune(&mut pruning, 5).expect("a disk")).expect("an end")
}

fn later(places: Vec<Place>, lowest: u64) -> Vec<Place> {
    places.into_iter().filter(|(height, _)| *height >= lowest).collect()
}

/// Everything that the first book finds from `lowest` on, and nothing earlier.
fn assert_same_since(kept: &Network, pruned: &Network, ids: &[ddt_ledger::Hash], lowest: u64) {
    assert_eq!(pruned.store.lowest(), lowest);
    assert_eq!((kept.head(), kept.roots()), (pruned.head(), pruned.roots()));
    assert_eq!(kept.rows(), pruned.rows());
    let (all, left) = (read(kept), read(pruned));
    for height in 1..=kept.head().height {
        let receipts = |of: &Snapshot| -> Vec<Receipt> { of.receipts(height, 0, 100).unwrap() };
        let anchor = |of: &Snapshot| of.anchor(height).unwrap();
        match height >= lowest {
            true => assert_eq!(receipts(&all), receipts(&left), "{height}"),
            false => assert_eq!(receipts(&left), [], "{height}"),
        }
        // What follows names the one before.
        let is_kept = height >= lowest - 1;
        assert_eq!(anchor(&left), anchor(&all).filter(|_| is_kept), "{height}");
        for receipt in receipts(&all) {
            let Subject::Event(event) = receipt.subject else { continue };
            let id = left.event_numbered(event.zone, event.number).unwrap();
            assert_eq!(id.is_some(), height >= lowest, "{height}");
        }
    }
    for id in ids {
        let place = all.event_place(id).unwrap().filter(|(height, _)| *height >= lowest);
        assert_eq!(left.event_place(id).unwrap(), place);
    }
    for person in [1, 2, 3, 77].map(|number| Person::new(number).id()) {
        let history = |of: &Snapshot| of.history(&person, None, 1_000).unwrap();
        assert_eq!(history(&left), later(history(&all), lowest));
    }
    for name in NAMES {
        let named = |of: &Snapshot| of.named(TEST, name, None, 1_000).unwrap();
        assert_eq!(named(&left), later(named(&all), lowest));
        assert!(!named(&left).is_empty());
    }
}

// Broken by: a row of forgotten history that stays, or one of later history that goes (by event,
// number, account or name); a state, a root or an anchor that changes by it; a lowest anchor
// that is not told after a restart.
#[test]
fn what_is_before_the_lowest_is_forgotten_and_nothing_else() {
    let disk = Disk::default();
    let (mut kept, mut pruned, mut ids) = twins(&disk);
    assert!(prune(&pruned, LOWEST) > 5, "in small turns");
    assert_same_since(&kept, &pruned, &ids, LOWEST);
    drop(pruned);
    pruned = Network::on(&disk);
    assert_same_since(&kept, &pruned, &ids, LOWEST);
    // It goes on as the other does.
    for _ in 0..3 {
        let event = kept.event(&Person::new(2), &call("second"));
        ids.push(kept.checked(&event).id());
        kept.run(vec![event]);
        repeat(&kept, &mut pruned);
    }
    assert_same_since(&kept, &pruned, &ids, LOWEST);
    // What is forgotten does not come back.
    prune(&pruned, LOWEST - 5);
    assert_same_since(&kept, &pruned, &ids, LOWEST);
}

// Broken by: a turn that counts as done what an end between two turns left undone.
#[test]
fn an_end_between_two_turns_leaves_nothing_behind() {
    let disk = Disk::default();
    let (kept, pruned, ids) = twins(&disk);
    let mut pruning = Pruning::before(LOWEST);
    for _ in 0..3 {
        assert!(!pruned.store.prune(&mut pruning, 5).expect("a disk"));
    }
    drop(pruned);
    let pruned = Network::on(&Disk::with(disk.bytes()));
    assert_eq!(pruned.store.lowest(), LOWEST, "nobody is promised what goes");
    prune(&pruned, LOWEST);
    assert_same_since(&kept, &pruned, &ids, LOWEST);
}

// Broken by: forgetting what the book reads when it is opened.
#[test]
fn what_the_book_works_with_stays() {
    let disk = Disk::default();
    let (kept, pruned, ids) = twins(&disk);
    prune(&pruned, 1_000);
    let lowest = pruned.store.lowest();
    assert_eq!(lowest, pruned.store.lowest_max());
    assert!(lowest < ANCHORS - 10, "{lowest}");
    drop(pruned);
    assert_same_since(&kept, &Network::on(&disk), &ids, lowest);
}

// Broken by: forgetting a block too few or too many, of the lane or of another one; blocks of
// earlier terms that stay.
#[test]
fn blocks_are_forgotten_up_to_a_place() {
    let network = Network::new();
    let disk = Disk::default();
    let store = LaneStore::open(disk.backend(), network.chain).expect("a store");
    let bytes = |zone: u32, term: u64, height: u64| format!("{zone}/{term}/{height}").into_bytes();
    let places = [1, 2].into_iter().flat_map(|zone| {
        [(1, 1), (1, 40), (2, 1)]
            .into_iter()
            .chain((2..40).map(|height| (2, height)))
            .map(move |(term, height)| (zone, term, height))
    });
    let places: Vec<(u32, u64, u64)> = places.collect();
    for (zone, term, height) in &places {
        let block = bytes(*zone, *term, *height);
        store.put_block(Zone(*zone), *term, *height, &block).expect("a disk");
        store.put_other((Zone(*zone), *term, *height), &[7; 32], &block).expect("a disk");
    }
    let turns = (1..).find(|_| store.forget(Zone(1), (2, 30)).expect("a disk"));
    assert!(turns > Some(1), "in small turns");
    for (zone, term, height) in places {
        let is_kept = zone == 2 || (term == 2 && height > 30);
        let block = is_kept.then(|| bytes(zone, term, height));
        assert_eq!(store.block(Zone(zone), term, height).expect("a disk"), block);
        let other = store.other((Zone(zone), term, height), &[7; 32]).expect("a disk");
        assert_eq!(other, block, "{zone}/{term}/{height}");
    }
}
