//! Damaged stores: `book.redb` and `lanes.redb` with changed bytes or a changed length open
//! with a fault, or are read, but never end the process.

use ddt_contracts::REGISTRY;
use ddt_ledger::audit::audit;
use ddt_ledger::state::StateReader;
use ddt_ledger::store::{BookStore, LaneStore};
use ddt_ledger::{Hash, Zone};
use ddt_tests::disk::Disk;

use crate::cursor::Cursor;
use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "stores",
    about: "BookStore::open and LaneStore::open of files with changed bytes, and reading them.",
    run,
    seeds,
    bytes_max: 512,
    tries: 500,
};

/// Which file, how long it is, and changes: where, how many bytes, which.
fn run(bytes: &[u8]) -> End {
    let mut cursor = Cursor::of(bytes);
    let is_book = cursor.byte().is_multiple_of(2);
    let mut file = if is_book { world().book.clone() } else { world().lanes.clone() };
    if cursor.byte() == 1 {
        file.truncate(cursor.number() as usize % (file.len() + 1));
    }
    for _ in 0..16 {
        if cursor.is_empty() || file.is_empty() {
            break;
        }
        let (at, first) = (cursor.number() as usize % file.len(), cursor.byte());
        let length = if first >= 0xf0 { 4_096 } else { 1 + usize::from(first) % 8 };
        let what = cursor.byte();
        for byte in file.iter_mut().skip(at).take(length) {
            *byte = if first >= 0xf0 { what } else { *byte ^ what };
        }
    }
    if is_book { book(file) } else { lanes(file) }
}

fn book(file: Vec<u8>) -> End {
    let disk = Disk::holding(file);
    let store = match BookStore::open(disk.backend(), &world().genesis, REGISTRY) {
        Ok(store) => store,
        Err(fault) => return end_of(fault),
    };
    let Ok(snapshot) = store.snapshot() else { return end("no snapshot") };
    let rows = snapshot.after(&[], &[], usize::MAX).map(|rows| rows.len()).unwrap_or_default();
    let _ = audit(&REGISTRY, &snapshot);
    let height = store.head().0.height.min(50);
    for height in 0..=height {
        let _ = snapshot.anchor(height);
        let _ = snapshot.receipts(height, 0, 100);
    }
    let _ = snapshot.handovers(height);
    end(("opened", rows == world().state.rows.len(), snapshot.fault().is_some()))
}

fn lanes(file: Vec<u8>) -> End {
    let disk = Disk::holding(file);
    let store = match LaneStore::open(disk.backend(), world().chain) {
        Ok(store) => store,
        Err(fault) => return end_of(fault),
    };
    let mut same = true;
    for (place, (zone, known)) in world().blocks.iter().enumerate() {
        let height = 1 + world().blocks[..place].iter().filter(|(z, _)| z == zone).count() as u64;
        same &= store.block(*zone, 1, height).is_ok_and(|block| block.as_ref() == Some(known));
        let _ = store.event((*zone, 1, height), 0, &Hash::ZERO);
    }
    let _ = store.blocks_after(Zone(1), 1, 0, 100);
    let _ = store.others_after(Zone(1), 1, 0, 100);
    let _ = store.proposals(1);
    end(("opened", same))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0; 2], vec![1, 0]];
    for file in 0..2u8 {
        for at in [0u64, 9, 64, 192, 4_096, 8_192, 65_536, 200_000] {
            seeds.push([&[file, 0], at.to_le_bytes().as_slice(), &[0, 1]].concat());
            seeds.push([&[file, 0], at.to_le_bytes().as_slice(), &[0xf0, 0]].concat());
            seeds.push([&[file, 1], at.to_le_bytes().as_slice()].concat());
        }
    }
    seeds
}
