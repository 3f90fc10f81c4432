//! What peers send to a node that joins: manifests and pieces of a snapshot.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ddt_ledger::Hash;
use ddt_ledger::state::{Manifest, Piece, SNAPSHOT_VERSION, StateTree, place_of};

use crate::world::world;
use crate::{End, Target, end, end_of};

pub const TARGET: Target = Target {
    name: "snapshots",
    about: "Manifest and Piece: only the certified state comes out, whatever goes in.",
    run,
    seeds,
    bytes_max: 256 * 1024,
    tries: 2_000,
};

const BITS: u8 = 3;

struct Taken {
    root: Hash,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    manifest: Manifest,
    pieces: Vec<Vec<u8>>,
}

/// The state that the world proves rows of, in eight pieces.
fn taken() -> &'static Taken {
    static TAKEN: OnceLock<Taken> = OnceLock::new();
    TAKEN.get_or_init(|| {
        let (height, rows) = world().before.clone();
        let chain = world().chain;
        let root = StateTree::build(rows.clone()).root();
        let mut parts = vec![Vec::new(); 1 << BITS];
        for (key, value) in rows.clone() {
            parts[usize::from(place_of(&key).0[0] >> (8 - BITS))].push((key, value));
        }
        let about = (chain, height, BITS);
        let made = (0u32..).zip(parts).map(|(index, rows)| Piece::of(about, index, rows));
        let (pieces, subtrees): (Vec<_>, Vec<_>) =
            made.map(|(piece, subtree)| (piece.encode(), subtree)).unzip();
        let version = SNAPSHOT_VERSION;
        let manifest = Manifest { version, chain, height, bits: BITS, subtrees };
        manifest.check(chain, height, &root).expect("the state's own manifest");
        Taken { root, rows, manifest, pieces }
    })
}

fn run(bytes: &[u8]) -> End {
    let taken = taken();
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(manifest.encode(), bytes, "another encoding");
        let Manifest { chain, height, .. } = taken.manifest;
        return match manifest.check(chain, height, &taken.root) {
            Ok(()) => {
                assert_eq!(manifest.root(), taken.root);
                end("a manifest")
            }
            Err(error) => end_of(error),
        };
    }
    let mut why = None;
    for index in 0..1 << BITS {
        match Piece::check(bytes, &taken.manifest, index) {
            Ok(piece) => {
                assert_eq!(bytes, taken.pieces[index as usize], "a forged piece");
                let is_known = |(key, value)| taken.rows.get(key) == Some(value);
                assert!(piece.rows.iter().all(|(key, value)| is_known((key, value))));
                return end(("a piece", piece.rows.len().min(1)));
            }
            Err(error) => why = Some(error),
        }
    }
    why.map_or_else(|| end("nothing"), end_of)
}

fn seeds() -> Vec<Vec<u8>> {
    let taken = taken();
    std::iter::once(taken.manifest.encode()).chain(taken.pieces.iter().cloned()).collect()
}
