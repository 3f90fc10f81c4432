//! Merkle trees over lists: event ids of a lane block, receipts of an anchor.
//!
//! `merkle_light` builds the tree. Used bare it duplicates odd nodes, panics on short lists
//! and trusts the root inside a proof, so this wrapper gives leaves, nodes and roots their
//! own hash domains, commits to the length, answers for 0 and 1 leaf itself, and verifies
//! from (root, index, length, leaf) alone (spec MRK-1 … MRK-4).

use std::hash::Hasher;

use borsh::{BorshDeserialize, BorshSerialize};
use merkle_light::hash::Algorithm;
use merkle_light::merkle::MerkleTree;
use serde::{Deserialize, Serialize};

use crate::hash::{Domain, Hash};

/// Deepest proof: lists of up to 2³² items.
pub const DEPTH_MAX: usize = 32;

#[derive(Clone, Default)]
struct Blake3(Vec<u8>);

impl Hasher for Blake3 {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

impl Algorithm<[u8; 32]> for Blake3 {
    fn hash(&mut self) -> [u8; 32] {
        Domain::LIST_NODE.hash(&[&self.0]).0
    }

    fn reset(&mut self) {
        self.0.clear();
    }

    fn leaf(&mut self, leaf: [u8; 32]) -> [u8; 32] {
        leaf
    }

    fn node(&mut self, left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
        node(&left, &right)
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Domain::LIST_NODE.hash(&[left, right]).0
}

fn leaf(item: &[u8]) -> [u8; 32] {
    Domain::LIST_LEAF.hash(&[item]).0
}

fn committed(length: u64, top: &[u8; 32]) -> Hash {
    Domain::LIST_ROOT.hash(&[&length.to_le_bytes(), top])
}

/// A Merkle tree over a list of byte strings.
pub struct ListTree {
    length: u64,
    top: [u8; 32],
    tree: Option<MerkleTree<[u8; 32], Blake3>>,
}

impl ListTree {
    /// The tree over `items`, in order.
    pub fn new<I: AsRef<[u8]>>(items: impl IntoIterator<Item = I>) -> ListTree {
        let leaves: Vec<[u8; 32]> = items.into_iter().map(|item| leaf(item.as_ref())).collect();
        let length = leaves.len() as u64;
        match leaves.as_slice() {
            [] => ListTree { length, top: [0; 32], tree: None },
            [only] => ListTree { length, top: *only, tree: None },
            _ => {
                let tree = MerkleTree::new(leaves);
                ListTree { length, top: tree.root(), tree: Some(tree) }
            }
        }
    }

    /// The committed root: it binds the length too.
    pub fn root(&self) -> Hash {
        committed(self.length, &self.top)
    }

    /// A proof that the item at `index` is in the list; `None` past the end.
    pub fn prove(&self, index: u64) -> Option<ListProof> {
        if index >= self.length {
            return None;
        }
        let siblings = match &self.tree {
            None => Vec::new(),
            Some(tree) => {
                let proof = tree.gen_proof(usize::try_from(index).ok()?);
                let lemma = proof.lemma();
                let end = lemma.len().saturating_sub(1);
                lemma.get(1..end)?.iter().map(|sibling| Hash(*sibling)).collect()
            }
        };
        Some(ListProof { index, length: self.length, siblings })
    }
}

/// The root over `items`, in order.
pub fn list_root<I: AsRef<[u8]>>(items: impl IntoIterator<Item = I>) -> Hash {
    ListTree::new(items).root()
}

/// That one item stands at one place of a list of known length.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct ListProof {
    /// Place in the list, from 0.
    pub index: u64,
    /// Items in the list.
    pub length: u64,
    /// From the leaf's neighbour up.
    pub siblings: Vec<Hash>,
}

impl ListProof {
    /// Whether `item` stands at `index` of the list with this `root`.
    pub fn verify(&self, root: &Hash, item: &[u8]) -> bool {
        if self.index >= self.length || self.siblings.len() > DEPTH_MAX {
            return false;
        }
        let (mut place, mut width, mut hash) = (self.index, self.length, leaf(item));
        for sibling in &self.siblings {
            if width <= 1 {
                return false;
            }
            let is_left = place & 1 == 0;
            let is_odd_end = is_left && place.saturating_add(1) == width;
            if is_odd_end && sibling.0 != hash {
                return false;
            }
            hash = if is_left { node(&hash, &sibling.0) } else { node(&sibling.0, &hash) };
            place >>= 1;
            width = width.div_ceil(2);
        }
        width == 1 && committed(self.length, &hash) == *root
    }
}
