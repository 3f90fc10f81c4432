//! Lists and their Merkle trees: every size, every place, and the traps of the crate below.

use ddt_ledger::Hash;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::hash::Domain;
use ddt_ledger::merkle::{DEPTH_MAX, ListProof, ListTree, list_root};

fn items(length: usize) -> Vec<Vec<u8>> {
    (0..length).map(|place| format!("item {place}").into_bytes()).collect()
}

/// The definition, written again: leaves, pairs (an odd one with itself), the length on top.
fn reference(items: &[Vec<u8>]) -> Hash {
    let mut level: Vec<Hash> = items.iter().map(|item| Domain::LIST_LEAF.hash(&[item])).collect();
    while level.len() > 1 {
        let pair = |pair: &[Hash]| {
            let (left, right) = (pair[0], pair[pair.len() - 1]);
            Domain::LIST_NODE.hash(&[&left.0, &right.0])
        };
        level = level.chunks(2).map(pair).collect();
    }
    let top = level.first().copied().unwrap_or(Hash::ZERO);
    Domain::LIST_ROOT.hash(&[&(items.len() as u64).to_le_bytes(), &top.0])
}

/// Broken by: panicking on 0 or 1 item, leaving the length out of the root, or any change
/// of the crate that builds the tree.
#[test]
fn roots_are_as_defined_for_every_size() {
    let mut roots = std::collections::BTreeSet::new();
    for length in 0..=40 {
        let items = items(length);
        assert_eq!(list_root(&items), reference(&items), "{length} items");
        assert!(roots.insert(list_root(&items)));
    }
}

/// Broken by: an index off by one, or a verification that ignores index or length.
#[test]
fn each_item_is_proven_at_its_place_and_nowhere_else() {
    for length in 0..=40usize {
        let items = items(length);
        let tree = ListTree::new(&items);
        let root = tree.root();
        assert_eq!(tree.prove(length as u64), None);
        assert_eq!(tree.prove(u64::MAX), None);
        for (index, item) in items.iter().enumerate() {
            let proof = tree.prove(index as u64).expect("a proof");
            assert!(proof.verify(&root, item), "{index} of {length}");
            assert_eq!(decode::<ListProof>(&encode(&proof), 4_096).ok(), Some(proof.clone()));
            for other in 0..=length as u64 + 2 {
                let moved = ListProof { index: other, ..proof.clone() };
                assert_eq!(moved.verify(&root, item), other == index as u64);
                let resized = ListProof { length: other, ..proof.clone() };
                assert_eq!(resized.verify(&root, item), other == length as u64);
            }
            let next = &items[(index + 1) % length];
            assert_eq!(proof.verify(&root, next), length == 1);
        }
    }
}

/// Broken by: accepting a path of another length, or with another neighbour.
#[test]
fn a_changed_path_proves_nothing() {
    for length in [1, 2, 3, 5, 8, 33] {
        let items = items(length);
        let tree = ListTree::new(&items);
        for (index, item) in items.iter().enumerate() {
            let proof = tree.prove(index as u64).expect("a proof");
            let mut longer = proof.clone();
            longer.siblings.push(Hash::ZERO);
            assert!(!longer.verify(&tree.root(), item));
            let mut shorter = proof.clone();
            if shorter.siblings.pop().is_some() {
                assert!(!shorter.verify(&tree.root(), item));
            }
            for at in 0..proof.siblings.len() {
                let mut wrong = proof.clone();
                wrong.siblings[at].0[31] ^= 1;
                assert!(!wrong.verify(&tree.root(), item));
            }
            for byte in 0..encode(&proof).len() {
                let mut bytes = encode(&proof);
                bytes[byte] ^= 0x10;
                let wrong = decode::<ListProof>(&bytes, 4_096);
                assert!(wrong.is_err() || !wrong.is_ok_and(|p| p.verify(&tree.root(), item)));
            }
            assert!(!proof.verify(&Hash::ZERO, item));
        }
    }
    let endless = ListProof { index: 0, length: 2, siblings: vec![Hash::ZERO; DEPTH_MAX + 1] };
    assert!(!endless.verify(&Hash::ZERO, b"x"));
}

/// Broken by: using the crate's own roots, in which an odd last item stands twice
/// (the flaw of CVE-2012-2459).
#[test]
fn a_repeated_last_item_is_another_list() {
    let list = |letters: &str| letters.bytes().map(|letter| vec![letter]).collect::<Vec<_>>();
    for (short, long) in
        [("abc", "abcc"), ("a", "aa"), ("abcdef", "abcdefef"), ("abcde", "abcdeeee")]
    {
        assert_ne!(list_root(list(short)), list_root(list(long)), "{short} and {long}");
    }
    let odd = ListTree::new(list("abc"));
    let mut ghost = odd.prove(2).expect("a proof");
    ghost.index = 3;
    assert!(!ghost.verify(&odd.root(), b"c"));
    ghost.length = 4;
    assert!(!ghost.verify(&odd.root(), b"c"));
}

/// Broken by: trusting a root that comes with the proof, or an inner node taken for an item.
#[test]
fn a_forged_tree_proves_nothing() {
    let honest = ListTree::new(items(8));
    let forged = ListTree::new(vec![b"forged".to_vec(), b"other".to_vec()]);
    let proof = forged.prove(0).expect("a proof");
    assert!(proof.verify(&forged.root(), b"forged"));
    assert!(!proof.verify(&honest.root(), b"forged"));
    let path = honest.prove(0).expect("a proof");
    let leaf = |text: &str| Domain::LIST_LEAF.hash(&[text.as_bytes()]);
    let inner = [leaf("item 0").0, leaf("item 1").0].concat();
    let shorter = ListProof { index: 0, length: 4, siblings: path.siblings[1..].to_vec() };
    assert!(!shorter.verify(&honest.root(), &inner));
    let shorter = ListProof { length: 8, ..shorter };
    assert!(!shorter.verify(&honest.root(), &inner));
}

/// Broken by: an odd end whose sibling is not demanded to be itself: then a proof could
/// carry any bytes there.
#[test]
fn there_is_one_proof_for_each_place() {
    let tree = ListTree::new(items(5));
    let proof = tree.prove(4).expect("a proof");
    let own = Domain::LIST_LEAF.hash(&[b"item 4"]);
    assert_eq!(proof.siblings.first(), Some(&own));
    assert_eq!(proof.siblings.len(), 3);
    // A root by a liar: four items under the length of three.
    let leaf = |letter: &str| Domain::LIST_LEAF.hash(&[letter.as_bytes()]);
    let node = |left: Hash, right: Hash| Domain::LIST_NODE.hash(&[&left.0, &right.0]);
    let pairs = (node(leaf("a"), leaf("b")), node(leaf("c"), leaf("d")));
    let top = node(pairs.0, pairs.1);
    let root = Domain::LIST_ROOT.hash(&[&3u64.to_le_bytes(), &top.0]);
    let hidden = ListProof { index: 2, length: 3, siblings: vec![leaf("d"), pairs.0] };
    assert!(!hidden.verify(&root, b"c"));
    let first = ListProof { index: 0, length: 3, siblings: vec![leaf("b"), pairs.1] };
    assert!(first.verify(&root, b"a"));
}
