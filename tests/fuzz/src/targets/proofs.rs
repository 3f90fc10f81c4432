//! Proofs: bytes, JSON, and what they prove.

use ddt_ledger::codec::{decode, encode};
use ddt_ledger::hash::Hash;
use ddt_ledger::merkle::ListProof;
use ddt_ledger::proof::{Claim, Proof};
use ddt_ledger::state::TreeProof;

use crate::world::world;
use crate::{End, Target, end, end_of};

/// Longest proof that is read.
const PROOF_BYTES_MAX: usize = 64 * 1024;

pub const TARGET: Target = Target {
    name: "proofs",
    about: "Proof::verify of bytes and JSON: what verifies is what is so.",
    run,
    seeds,
    bytes_max: PROOF_BYTES_MAX,
    tries: 5_000,
};

fn run(bytes: &[u8]) -> End {
    let Some(proof) = read(bytes) else { return end("no proof") };
    let again = serde_json::to_string(&proof).expect("a proof has JSON");
    assert_eq!(serde_json::from_str::<Proof>(&again).expect("its own JSON"), proof);
    alone(&proof.claim);
    match proof.verify(&world().genesis) {
        Ok(verified) => {
            assert_eq!((verified.chain, verified.height), (world().chain, proof.height));
            truth(&proof);
            end("verified")
        }
        Err(error) => end_of(error),
    }
}

fn read(bytes: &[u8]) -> Option<Proof> {
    if let Ok(proof) = decode::<Proof>(bytes, PROOF_BYTES_MAX) {
        assert_eq!(encode(&proof), bytes, "another encoding of the same proof");
        return Some(proof);
    }
    serde_json::from_slice(bytes).ok()
}

/// What is proven is so.
fn truth(proof: &Proof) {
    match &proof.claim {
        Claim::Row { key, value, .. } => {
            let rows = world().rows_at(proof.height).expect("only certified rows are proven");
            let value = value.as_ref().map(|value| &value.0);
            assert_eq!(rows.get(&key.0), value, "a wrong row was proven");
        }
        Claim::Receipt { receipt, .. } => {
            let known = world().receipts.iter().filter(|known| known.height == proof.height);
            let is_known = known.map(encode).any(|known| known == receipt.0);
            assert!(is_known, "a wrong receipt was proven");
        }
    }
}

/// Paths for themselves: the right root or no panic.
fn alone(claim: &Claim) {
    match claim {
        Claim::Row { key, value, path } => {
            let path: &TreeProof = path;
            path.verify(&Hash::ZERO, &key.0, value.as_ref().map(|value| value.0.as_slice()));
        }
        Claim::Receipt { receipt, path } => {
            let path: &ListProof = path;
            path.verify(&Hash::ZERO, &receipt.0);
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let some = || world().proofs.iter().step_by(5);
    let json = some().map(|proof| serde_json::to_vec(proof).expect("JSON"));
    json.chain(some().map(encode)).collect()
}
