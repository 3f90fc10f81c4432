//! Genesis files.

use ddt_ledger::codec::{decode, encode};
use ddt_ledger::genesis::{GENESIS_BYTES_MAX, Genesis};

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "genesis",
    about: "Genesis::from_toml and its bytes; the state that it makes.",
    run,
    seeds,
    bytes_max: 16 * 1024,
    tries: 2_000,
};

fn run(bytes: &[u8]) -> End {
    if let Ok(genesis) = decode::<Genesis>(bytes, GENESIS_BYTES_MAX) {
        assert_eq!(encode(&genesis), bytes, "another encoding of the same genesis");
        return started(&genesis);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return end("not text") };
    match Genesis::from_toml(text) {
        Ok(genesis) => {
            let text = genesis.to_toml().expect("a genesis has a file");
            assert_eq!(Genesis::from_toml(&text).expect("its own file"), genesis);
            started(&genesis)
        }
        Err(error) => end_of(error),
    }
}

fn started(genesis: &Genesis) -> End {
    match (genesis.state(), genesis.state()) {
        (Ok(first), Ok(second)) => {
            assert_eq!((first.chain, first.roots), (second.chain, second.roots));
            end("started")
        }
        (Err(error), Err(_)) => end_of(error),
        _ => panic!("a genesis that starts at times"),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let genesis = &world().genesis;
    let file = include_bytes!("../../../vectors/genesis-v2.toml").to_vec();
    vec![file, genesis.to_toml().expect("a file").into_bytes(), encode(genesis)]
}
