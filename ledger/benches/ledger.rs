//! What the ledger's stages are made of, one by one: `cargo bench -p ddt-ledger`.

use ddt_ledger::key::all_verify;
use ddt_ledger::merkle::list_root;
use ddt_ledger::state::{Changes, StateTree, Version};
use ddt_ledger::{Hash, PublicKey, Signature};
use divan::Bencher;
use divan::counter::ItemsCount;
use ed25519_dalek::{Signer, SigningKey};

fn main() {
    divan::main();
}

fn number(context: &str, number: u64) -> [u8; 32] {
    blake3::derive_key(context, &number.to_le_bytes())
}

/// One core. The batch's size is what a follower chooses by its blocks.
#[divan::bench(args = [1, 16, 64, 256, 1_024, 4_096])]
fn signatures(bencher: Bencher, batch: u64) {
    let signed = |index: u64| {
        let key = SigningKey::from_bytes(&number("ddt v1 bench key", index));
        let digest = Hash(number("ddt v1 bench digest", index));
        let signature = Signature(key.sign(&digest.0).to_bytes());
        (PublicKey(key.verifying_key().to_bytes()), digest, signature)
    };
    let items: Vec<_> = (0..batch).map(signed).collect();
    bencher.counter(ItemsCount::new(items.len())).bench_local(|| all_verify(&items));
}

/// The root over an anchor's receipts: 10,000 of 300 bytes.
#[divan::bench]
fn root_of_a_list(bencher: Bencher) {
    let item = |index| number("ddt v1 bench item", index).repeat(10);
    let items: Vec<Vec<u8>> = (0..10_000).map(item).collect();
    bencher.counter(ItemsCount::new(items.len())).bench_local(|| list_root(&items));
}

fn row(index: u64) -> (Vec<u8>, Vec<u8>) {
    (number("ddt v1 bench row", index).to_vec(), vec![7; 64])
}

fn tree(rows: u64) -> StateTree {
    StateTree::build((0..rows).map(row))
}

/// The state's root after an anchor that wrote 10,000 of its rows.
#[divan::bench(args = [100_000, 1_000_000], sample_count = 20)]
fn state_root(bencher: Bencher, rows: u64) {
    let (mut tree, mut round) = (tree(rows), 0u64);
    let changes = |round: u64| -> Changes {
        let index = move |place: u64| (round * 10_000 + place) * 7_919 % rows;
        (0..10_000).map(|place| (row(index(place)).0, Some(vec![round as u8; 64]))).collect()
    };
    bencher
        .counter(ItemsCount::new(10_000u64))
        .with_inputs(|| {
            round += 1;
            changes(round)
        })
        .bench_local_values(|changes| {
            tree.apply(&changes);
            tree.root()
        });
}

/// The path of a row to the root.
#[divan::bench(args = [100_000, 1_000_000], sample_count = 20)]
fn proof_of_a_row(bencher: Bencher, rows: u64) {
    let (tree, mut index) = (tree(rows), 0);
    bencher.bench_local(|| {
        index = (index + 7_919) % rows;
        tree.prove(&row(index).0, Version::Now)
    });
}
