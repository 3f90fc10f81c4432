//! Anchor bodies.

use ddt_contracts::REGISTRY;
use ddt_ledger::Millis;
use ddt_ledger::anchor::{ANCHOR_BYTES_MAX, AnchorBody, check_anchor};
use ddt_ledger::codec::encode;
use ddt_ledger::state::Overlay;

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "anchors",
    about: "AnchorBody::decode, its time and its random value, and check_anchor on a state.",
    run,
    seeds,
    bytes_max: ANCHOR_BYTES_MAX,
    tries: 8_000,
};

fn run(bytes: &[u8]) -> End {
    let body = match AnchorBody::decode(bytes) {
        Ok(body) => body,
        Err(error) => return end_of(error),
    };
    assert_eq!(encode(&body), bytes, "another encoding of the same anchor");
    assert_eq!(body.id(), AnchorBody::id_of(bytes));
    assert!(body.time(Millis(5)) > Millis(5), "time does not advance");
    let rows = Overlay::new(&world().state);
    let checked = check_anchor(&rows, world().chain, &world().roots, &body, &[], &REGISTRY);
    assert!(rows.fault().is_none());
    match checked {
        Ok(()) => end("next"),
        Err(error) => end_of(error),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        world().anchors.iter().map(|anchor| anchor.body.0.clone()).collect();
    seeds.push(world().next_anchor.clone());
    seeds
}
