//! The state tree against its definition: the root depends on the rows alone, and every row
//! or its absence has a proof.

use std::collections::BTreeMap;

use ddt_ledger::Hash;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::hash::Domain;
use ddt_ledger::state::{Changes, StateTree, TreeProof, Version, place_of, value_hash};
use proptest::prelude::*;

use crate::support::disk::Random;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// The definition: a subtree with one row is its leaf, an empty one is zero.
fn reference(rows: &Rows) -> Hash {
    let mut leaves: Vec<(Hash, Hash)> =
        rows.iter().map(|(key, value)| (place_of(key), value_hash(value))).collect();
    leaves.sort_unstable();
    subtree(&leaves, 0)
}

fn subtree(leaves: &[(Hash, Hash)], depth: usize) -> Hash {
    match leaves {
        [] => Hash::ZERO,
        [(place, value)] => keyed(Domain::STATE_LEAF, place, value),
        _ => {
            let is_right = |place: &Hash| place.0[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let left: Vec<_> = leaves.iter().copied().filter(|(p, _)| !is_right(p)).collect();
            let right: Vec<_> = leaves.iter().copied().filter(|(p, _)| is_right(p)).collect();
            let (left, right) = (subtree(&left, depth + 1), subtree(&right, depth + 1));
            keyed(Domain::STATE_NODE, &left, &right)
        }
    }
}

fn keyed(domain: Domain, first: &Hash, second: &Hash) -> Hash {
    let bytes = [first.0, second.0].concat();
    Hash(*blake3::keyed_hash(&domain.key(), &bytes).as_bytes())
}

fn key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn apply(rows: &mut Rows, changes: &Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => rows.insert(key.clone(), value.clone()),
            None => rows.remove(key),
        };
    }
}

/// Demands the right proofs for `key` in a version of the tree whose rows are `rows`.
fn demand_proof(tree: &StateTree, version: Version, rows: &Rows, key: &[u8]) -> TreeProof {
    let (root, proof) = (tree.root_of(version), tree.prove(key, version));
    let value = rows.get(key).map(Vec::as_slice);
    assert!(proof.verify(&root, key, value), "{version:?} {key:?}");
    assert!(!proof.verify(&root, key, Some(b"another value")));
    let opposite = if value.is_some() { None } else { Some(&[][..]) };
    assert!(!proof.verify(&root, key, opposite), "{version:?} {key:?}: the opposite");
    assert!(!proof.verify(&Hash([1; 32]), key, value));
    proof
}

/// Broken by: a root that depends on the growth of the tree; a `Before` version lost in it.
#[test]
fn growing_keeps_root_and_proofs() {
    let mut random = Random(3);
    let (mut rows, mut tree) = (Rows::new(), StateTree::default());
    for size in [4_000u64, 90, 6, 1, 1, 4_100, 8_500, 1] {
        let before = rows.clone();
        let changes: Changes =
            (0..size).map(|_| (key(random.next() % 1_000_000), Some(vec![1]))).collect();
        apply(&mut rows, &changes);
        tree.apply(&changes);
        assert_eq!(tree.len(), rows.len());
        assert_eq!(tree.root(), reference(&rows));
        assert_eq!(tree.root_of(Version::Before), reference(&before));
        let some = rows.keys().step_by(997).chain(before.keys().step_by(499)).cloned();
        for key in some.chain([key(u64::MAX)]) {
            demand_proof(&tree, Version::Now, &rows, &key);
            demand_proof(&tree, Version::Before, &before, &key);
        }
    }
    assert!(rows.len() > 16_384 && !tree.is_empty(), "the tree grew more than once");
    let all: Changes = rows.keys().map(|key| (key.clone(), None)).collect();
    tree.apply(&all);
    assert_eq!((tree.root(), tree.len(), tree.is_empty()), (Hash::ZERO, 0, true));
    assert_eq!(tree.root_of(Version::Before), reference(&rows));
}

/// Broken by: any dependence on order or batches.
#[test]
fn the_root_depends_on_the_rows_alone() {
    let mut random = Random(4);
    let rows: Rows = (0..5_000).map(|n| (key(n), vec![(n % 251) as u8])).collect();
    let whole = StateTree::build(rows.clone());
    let mut order: Vec<_> = rows.clone().into_iter().collect();
    for place in (1..order.len()).rev() {
        order.swap(place, random.below(place + 1));
    }
    let mut pieces = StateTree::default();
    for batch in order.chunks(617) {
        let gone = (key(1 << 40), Some(vec![0]));
        pieces.apply(&batch.iter().cloned().map(|(k, v)| (k, Some(v))).chain([gone]).collect());
        pieces.apply(&[(key(1 << 40), None)].into());
    }
    assert_eq!(whole.root(), pieces.root());
    assert_eq!(whole.root(), reference(&rows));
    assert_eq!(StateTree::build(Rows::new()).root(), Hash::ZERO);
}

/// Broken by: any part of a proof that verification does not look at.
#[test]
fn a_changed_proof_proves_nothing() {
    let rows: Rows = (0..40).map(|n| (key(n), key(n * 7))).collect();
    let tree = StateTree::build(rows.clone());
    let mut kinds = std::collections::BTreeSet::new();
    for number in 0..80 {
        let own = key(number);
        let proof = demand_proof(&tree, Version::Now, &rows, &own);
        let value = rows.get(&own).map(Vec::as_slice);
        kinds.insert((value.is_some(), proof.end.is_some()));
        let bytes = encode(&proof);
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            if let Ok(wrong) = decode::<TreeProof>(&wrong, bytes.len()) {
                assert!(!wrong.verify(&tree.root(), &own, value), "{number}, byte {at}");
            }
        }
        let mut longer = proof.clone();
        longer.siblings.push(Hash::ZERO);
        assert!(!longer.verify(&tree.root(), &own, value));
        let mut shorter = proof.clone();
        shorter.siblings.pop();
        assert!(!shorter.verify(&tree.root(), &own, value));
        let empty = TreeProof { end: None, ..proof.clone() };
        assert_eq!(empty.verify(&tree.root(), &own, None), proof.end.is_none());
        // A proof of absence may show the leaf in the way: that one it does prove.
        let in_the_way = proof.end.map(|(place, _)| place);
        for other in (0..40).map(key).filter(|key| Some(place_of(key)) != in_the_way) {
            let there = rows.get(&other).map(Vec::as_slice);
            assert!(!proof.verify(&tree.root(), &other, there));
        }
    }
    assert_eq!(kinds.len(), 3, "present, absent beside a leaf, absent in the empty");
    let endless = TreeProof { siblings: vec![Hash::ZERO; 257], end: None };
    assert!(!endless.verify(&tree.root(), &key(0), None));
}

/// Broken by: an absence shown with a leaf that does not lie on the key's path.
#[test]
fn a_stranger_leaf_shows_no_absence() {
    let rows: Rows = (0..40).map(|n| (key(n), vec![])).collect();
    let tree = StateTree::build(rows.clone());
    for number in 0..40 {
        for other in (0..40).filter(|other| *other != number) {
            let proof = tree.prove(&key(other), Version::Now);
            assert!(!proof.verify(&tree.root(), &key(number), None));
        }
    }
}

/// The root that a path leads to, whoever made it.
fn root_over(siblings: &[Hash], end: (Hash, Hash), own: &[u8]) -> Hash {
    let place = place_of(own);
    let leaf = keyed(Domain::STATE_LEAF, &end.0, &end.1);
    siblings.iter().enumerate().rev().fold(leaf, |hash, (at, sibling)| {
        let byte = place.0.get(at / 8).copied().unwrap_or_default();
        match byte >> (7 - at % 8) & 1 {
            0 => keyed(Domain::STATE_NODE, &hash, sibling),
            _ => keyed(Domain::STATE_NODE, sibling, &hash),
        }
    })
}

/// Broken by: trusting that whoever made the root put each leaf on its own path, no deeper
/// than a place has bits.
#[test]
fn a_root_made_by_a_liar_proves_no_more() {
    let own = key(1);
    let place = place_of(&own);
    let mut far = place;
    far.0[0] ^= 0x80;
    let mut near = place;
    near.0[0] ^= 0x40;
    for (end, is_absent) in [(near, true), (far, false)] {
        let proof = TreeProof { siblings: vec![Hash([1; 32])], end: Some((end, Hash::ZERO)) };
        let root = root_over(&proof.siblings, (end, Hash::ZERO), &own);
        assert_eq!(proof.verify(&root, &own, None), is_absent);
    }
    for (depth, is_there) in [(256, true), (257, false)] {
        let end = (place, value_hash(b"x"));
        let proof = TreeProof { siblings: vec![Hash([1; 32]); depth], end: Some(end) };
        let root = root_over(&proof.siblings, end, &own);
        assert_eq!(proof.verify(&root, &own, Some(b"x")), is_there, "{depth}");
    }
}

/// Broken by: a leaf that could stand for a node, or a key's hash for a value's.
#[test]
fn places_and_values_have_their_own_domains() {
    assert_ne!(place_of(b"x"), value_hash(b"x"));
    let one = StateTree::build([(vec![1], vec![2])]);
    assert_eq!(one.root(), keyed(Domain::STATE_LEAF, &place_of(&[1]), &value_hash(&[2])));
    let empty = StateTree::default().prove(&[1], Version::Now);
    assert!(empty.verify(&Hash::ZERO, &[1], None));
    assert!(!empty.verify(&one.root(), &[1], None));
}

type Batch = Vec<(u64, Option<u8>)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None,
        ..ProptestConfig::default() })]

    /// Broken by: a node not rehashed, a removal that leaves a hollow node, a `Before`
    /// version that changes with a later batch.
    #[test]
    fn any_history_has_the_root_and_proofs_of_its_rows(
        batches in proptest::collection::vec(
            proptest::collection::vec((0u64..60, any::<Option<u8>>()), 0..40), 1..8)
    ) {
        let (mut rows, mut tree) = (Rows::new(), StateTree::default());
        for batch in batches as Vec<Batch> {
            let before = rows.clone();
            let changes: Changes =
                batch.into_iter().map(|(n, v)| (key(n), v.map(|v| vec![v]))).collect();
            apply(&mut rows, &changes);
            tree.apply(&changes);
            prop_assert_eq!(tree.root(), reference(&rows));
            prop_assert_eq!(tree.len(), rows.len());
            prop_assert_eq!(tree.root_of(Version::Before), reference(&before));
            for number in (0..66).step_by(3) {
                demand_proof(&tree, Version::Now, &rows, &key(number));
                demand_proof(&tree, Version::Before, &before, &key(number));
            }
        }
    }
}
