//! Messages of consensus: the codec of its mesh and its log.

use ddt_consensus::fuzz;

use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "messages",
    about: "Votes, proposals, parts, sync and liveness messages through the engine's codec.",
    run,
    seeds,
    bytes_max: 16 * 1024,
    tries: 20_000,
};

/// Which message, and its bytes.
fn run(bytes: &[u8]) -> End {
    let Some((kind, message)) = bytes.split_first() else { return end("nothing") };
    match fuzz::message(*kind, message) {
        Ok(again) => {
            assert_eq!(again, message, "another encoding of the same message");
            end((kind % fuzz::KINDS, "read"))
        }
        Err(words) => end((kind % fuzz::KINDS, end_of(words))),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    // Each message is a fixed frame around hashes and numbers: zeros of the right length, and
    // the tags that choose its parts.
    let mut seeds = Vec::new();
    for kind in 0..fuzz::KINDS {
        for length in [40, 90, 117, 118, 122, 150, 163, 220, 300] {
            for tag in 0..3 {
                let mut message = vec![kind, 1, tag];
                message.resize(length, 0);
                seeds.push(message);
            }
        }
    }
    seeds
}
