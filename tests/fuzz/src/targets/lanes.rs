//! The lane store: whatever a block's bytes are, the same come out.

use ddt_ledger::codec::decode;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, LaneBlock};
use ddt_ledger::store::LaneStore;
use ddt_ledger::{Domain, Hash, Zone};
use ddt_tests::disk::Disk;

use crate::world::world;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "lanes",
    about: "LaneStore: any bytes as a block, cut into parts and put together again.",
    run,
    seeds,
    bytes_max: 128 * 1024,
    tries: 800,
};

fn run(bytes: &[u8]) -> End {
    let store = LaneStore::open(Disk::default().backend(), world().chain).expect("in memory");
    let zone = Zone(1);
    store.put_block(zone, 1, 1, bytes).expect("in memory");
    store.put_block(zone, 1, 2, bytes).expect("in memory");
    let back = store.block(zone, 1, 1).expect("in memory");
    assert_eq!(back.as_deref(), Some(bytes), "another block came out");
    let events = decode::<LaneBlock>(bytes, BLOCK_BYTES_MAX).ok();
    let events = events.as_ref().map_or(&[][..], |block| block.events.items());
    for place in 0..4 {
        let id = events.get(place as usize).map(|event| Domain::EVENT_ID.hash(&[event.as_slice()]));
        let event = store.event((zone, 1, 1), place, &id.unwrap_or(Hash::ZERO));
        if let Some(known) = events.get(place as usize) {
            let event = event.expect("in memory").expect("an event of the block");
            assert_eq!(event, known.as_slice(), "another event came out");
        }
    }
    assert_eq!(store.block(zone, 1, 3).expect("in memory"), None);
    end(events.len())
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = world().blocks.iter().map(|(_, bytes)| bytes.clone()).collect();
    seeds.push(vec![0; 70_000]);
    seeds
}
