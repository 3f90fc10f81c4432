//! Lane blocks: as they come, and sealed by their router over whatever events the input has.

use ddt_contracts::REGISTRY;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::Signed;
use ddt_ledger::lane::{BLOCK_BYTES_MAX, BLOCK_VERSION, BlockHeader, CheckedBlock, LaneBlock};
use ddt_ledger::merkle::list_root;
use ddt_tests::people::Router;

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "blocks",
    about: "LaneBlock and CheckedBlock::check, unsigned and signed by the lane's key.",
    run,
    seeds,
    bytes_max: 64 * 1024,
    tries: 1_500,
};

fn run(bytes: &[u8]) -> End {
    let key = Router::of_zone(1).person.key();
    if let Ok(block) = CheckedBlock::check(bytes, world().chain, &key, &REGISTRY) {
        assert_eq!(block.size(), bytes.len());
        let is_known = world().blocks.iter().any(|(_, known)| known == bytes);
        assert!(is_known, "a forged block");
    }
    let Ok(block) = decode::<LaneBlock>(bytes, BLOCK_BYTES_MAX) else { return end("no block") };
    assert_eq!(encode(&block), bytes, "another encoding of the same block");
    let sealed = resealed(block);
    let block = match CheckedBlock::check(&sealed, world().chain, &key, &REGISTRY) {
        Ok(block) => block,
        Err(error) => return end_of(error),
    };
    assert_eq!(block.events().len() as u32, block.header().count);
    for event in block.events() {
        assert!(Signed::decode(event.bytes()).is_ok_and(|signed| signed.id() == event.id()));
    }
    end(block.events().len())
}

/// The same events under a header that is right about them, signed by the lane's key.
fn resealed(block: LaneBlock) -> Vec<u8> {
    let ids = block
        .events
        .items()
        .iter()
        .filter_map(|event| Signed::decode(event.as_slice()).ok().map(|signed| signed.id().0));
    let header = BlockHeader {
        version: BLOCK_VERSION,
        chain: world().chain,
        count: block.events.items().len() as u32,
        events_root: list_root(ids),
        ..block.header
    };
    let signature = Router::of_zone(1).person.sign(&header.id());
    encode(&LaneBlock { header, signature, events: block.events })
}

fn seeds() -> Vec<Vec<u8>> {
    world().blocks.iter().map(|(_, bytes)| bytes.clone()).collect()
}
