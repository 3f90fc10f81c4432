//! The authenticated state: a collapsed binary sparse Merkle tree over all rows.
//!
//! A row stands at the place H(full key); a subtree with one row is that row's leaf, an
//! empty one is zero. So the root depends on the rows alone. In memory the first `bits`
//! levels are a flat array and each of its ends holds a short sorted list of leaves; how
//! many there are is a local choice (spec STA-1 … STA-5).

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

use crate::hash::{Domain, Hash};

use super::Changes;

const BITS_MIN: u32 = 10;
const BITS_MAX: u32 = 22;
/// Buckets double when they hold more than this many leaves on average.
const BUCKET_LEAVES_MAX: usize = 4;

/// Where a row stands in the tree.
pub fn place_of(full_key: &[u8]) -> Hash {
    Domain::STATE_KEY.hash(&[full_key])
}

/// What the tree commits to of a row's value.
pub fn value_hash(value: &[u8]) -> Hash {
    Domain::STATE_VALUE.hash(&[value])
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Empty,
    Leaf(Hash),
    Inner(Hash),
}

impl Node {
    pub(super) fn hash(self) -> Hash {
        match self {
            Node::Empty => Hash::ZERO,
            Node::Leaf(hash) | Node::Inner(hash) => hash,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Leaf {
    pub(super) place: Hash,
    pub(super) value: Hash,
}

pub(super) struct Hasher {
    leaf: [u8; 32],
    node: [u8; 32],
}

impl Hasher {
    pub(super) fn new() -> Hasher {
        Hasher { leaf: Domain::STATE_LEAF.key(), node: Domain::STATE_NODE.key() }
    }

    fn pair(key: &[u8; 32], left: &Hash, right: &Hash) -> Hash {
        let mut bytes = [0; 64];
        let (first, second) = bytes.split_at_mut(32);
        first.copy_from_slice(&left.0);
        second.copy_from_slice(&right.0);
        Hash(*blake3::keyed_hash(key, &bytes).as_bytes())
    }

    pub(super) fn leaf(&self, leaf: &Leaf) -> Hash {
        Hasher::pair(&self.leaf, &leaf.place, &leaf.value)
    }

    fn inner(&self, left: &Hash, right: &Hash) -> Hash {
        Hasher::pair(&self.node, left, right)
    }

    pub(super) fn join(&self, left: Node, right: Node) -> Node {
        match (left, right) {
            (Node::Empty, other) | (other, Node::Empty) if !matches!(other, Node::Inner(_)) => {
                other
            }
            _ => Node::Inner(self.inner(&left.hash(), &right.hash())),
        }
    }

    /// The subtree over sorted `leaves` that agree on their first `depth` bits.
    pub(super) fn subtree(&self, leaves: &[Leaf], depth: u32) -> Node {
        match leaves {
            [] => Node::Empty,
            [only] => Node::Leaf(self.leaf(only)),
            _ => {
                let (left, right) = split(leaves, depth);
                let below = depth.saturating_add(1);
                self.join(self.subtree(left, below), self.subtree(right, below))
            }
        }
    }
}

fn split(leaves: &[Leaf], depth: u32) -> (&[Leaf], &[Leaf]) {
    let middle = leaves.partition_point(|leaf| !bit(&leaf.place, depth));
    leaves.split_at_checked(middle).unwrap_or((leaves, &[]))
}

fn bit(place: &Hash, depth: u32) -> bool {
    let byte = place.0.get((depth / 8) as usize).copied().unwrap_or_default();
    byte & (0x80u8 >> (depth % 8)) != 0
}

pub(super) fn bucket_of(place: &Hash, bits: u32) -> usize {
    let [a, b, c, d, ..] = place.0;
    let bucket = u32::from_be_bytes([a, b, c, d]).checked_shr(32u32.saturating_sub(bits));
    bucket.unwrap_or_default() as usize
}

/// The tree in memory, and enough of the version before the last change to prove that too:
/// a root is certified one anchor after its state.
pub struct StateTree {
    bits: u32,
    /// Heap order: the root at 1, the children of i at 2i and 2i + 1.
    nodes: Vec<Node>,
    buckets: Vec<Vec<Leaf>>,
    count: usize,
    hasher: Hasher,
    before: Before,
}

/// What the last change replaced. Both lists are in the order of the work: buckets ascend, nodes
/// do so level by level, from the lowest level up.
#[derive(Default)]
struct Before {
    nodes: Vec<(usize, Node)>,
    buckets: Vec<(usize, Vec<Leaf>)>,
    /// The whole tree, where the change made it grow.
    whole: Option<Box<StateTree>>,
}

impl Before {
    /// Where a node's level comes among the levels, and then its index.
    fn order(index: usize) -> (u32, usize) {
        (index.leading_zeros(), index)
    }

    fn node(&self, index: usize) -> Option<Node> {
        let wanted = Before::order(index);
        let at = self.nodes.binary_search_by_key(&wanted, |(index, _)| Before::order(*index));
        at.ok().and_then(|at| self.nodes.get(at)).map(|(_, node)| *node)
    }

    fn bucket(&self, bucket: usize) -> Option<&Vec<Leaf>> {
        let at = self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket);
        at.ok().and_then(|at| self.buckets.get(at)).map(|(_, leaves)| leaves)
    }
}

/// Which version of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// After the last change.
    Now,
    /// Before it.
    Before,
}

impl Default for StateTree {
    fn default() -> StateTree {
        StateTree::empty(BITS_MIN)
    }
}

impl StateTree {
    fn empty(bits: u32) -> StateTree {
        let buckets = 1usize << bits.min(BITS_MAX);
        StateTree {
            bits,
            nodes: vec![Node::Empty; buckets.saturating_mul(2)],
            buckets: vec![Vec::new(); buckets],
            count: 0,
            hasher: Hasher::new(),
            before: Before::default(),
        }
    }

    /// The tree over these rows (full key, value).
    pub fn build(rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> StateTree {
        let mut tree = StateTree::default();
        let mut changes = Changes::new();
        for (key, value) in rows {
            changes.insert(key, Some(value));
            if changes.len() >= 50_000 {
                tree.apply(&std::mem::take(&mut changes));
            }
        }
        tree.apply(&changes);
        tree
    }

    /// Commits to every row.
    pub fn root(&self) -> Hash {
        self.node(1).hash()
    }

    /// The root of a version.
    pub fn root_of(&self, version: Version) -> Hash {
        match (version, &self.before.whole) {
            (Version::Before, Some(whole)) => whole.root(),
            _ => self.node_of(1, version).hash(),
        }
    }

    /// Rows in the tree.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn node(&self, index: usize) -> Node {
        self.nodes.get(index).copied().unwrap_or(Node::Empty)
    }

    fn node_of(&self, index: usize, version: Version) -> Node {
        let old = (version == Version::Before).then(|| self.before.node(index)).flatten();
        old.unwrap_or_else(|| self.node(index))
    }

    fn bucket(&self, bucket: usize, version: Version) -> &[Leaf] {
        let old = (version == Version::Before).then(|| self.before.bucket(bucket)).flatten();
        old.or_else(|| self.buckets.get(bucket)).map_or(&[], Vec::as_slice)
    }

    fn put_node(&mut self, index: usize, node: Node) {
        if let Some(slot) = self.nodes.get_mut(index) {
            self.before.nodes.push((index, *slot));
            *slot = node;
        }
    }

    /// Writes and removes rows.
    pub fn apply(&mut self, changes: &Changes) {
        self.before = Before::default();
        let mut updates: Vec<(Hash, Option<Hash>)> = changes
            .iter()
            .map(|(key, value)| (place_of(key), value.as_deref().map(value_hash)))
            .collect();
        updates.sort_unstable();
        let mut touched: Vec<usize> = Vec::with_capacity(updates.len());
        for (place, value) in updates {
            let bucket = bucket_of(&place, self.bits);
            self.set(bucket, place, value);
            if touched.last() != Some(&bucket) {
                touched.push(bucket);
            }
        }
        self.rehash(touched);
        let is_crowded = self.count > self.buckets.len().saturating_mul(BUCKET_LEAVES_MAX);
        if is_crowded && self.bits < BITS_MAX {
            self.grow();
        }
    }

    fn set(&mut self, bucket: usize, place: Hash, value: Option<Hash>) {
        let Some(leaves) = self.buckets.get_mut(bucket) else { return };
        if self.before.buckets.last().is_none_or(|(last, _)| *last != bucket) {
            self.before.buckets.push((bucket, leaves.clone()));
        }
        match (leaves.binary_search_by(|leaf| leaf.place.cmp(&place)), value) {
            (Ok(at), Some(value)) => {
                if let Some(leaf) = leaves.get_mut(at) {
                    leaf.value = value;
                }
            }
            (Ok(at), None) => {
                leaves.remove(at);
                self.count = self.count.saturating_sub(1);
            }
            (Err(at), Some(value)) => {
                // Room for what comes one day would be a third of the tree's memory.
                leaves.reserve_exact(1);
                leaves.insert(at, Leaf { place, value });
                self.count = self.count.saturating_add(1);
            }
            (Err(_), None) => {}
        }
    }

    fn grow(&mut self) {
        let mut bits = self.bits;
        while bits < BITS_MAX && self.count > (1usize << bits).saturating_mul(BUCKET_LEAVES_MAX) {
            bits = bits.saturating_add(1);
        }
        let mut larger = StateTree::empty(bits);
        for leaf in self.buckets.iter().flatten() {
            if let Some(bucket) = larger.buckets.get_mut(bucket_of(&leaf.place, bits)) {
                bucket.push(*leaf);
            }
        }
        larger.count = self.count;
        larger.rehash((0..larger.buckets.len()).collect());
        larger.before = Before::default();
        self.roll_back();
        let smaller = std::mem::replace(self, larger);
        self.before.whole = Some(Box::new(smaller));
    }

    /// Returns to the version before the last change.
    fn roll_back(&mut self) {
        let before = std::mem::take(&mut self.before);
        for (index, node) in before.nodes {
            if let Some(slot) = self.nodes.get_mut(index) {
                *slot = node;
            }
        }
        for (bucket, leaves) in before.buckets {
            if let Some(slot) = self.buckets.get_mut(bucket) {
                *slot = leaves;
            }
        }
    }

    /// Recomputes the given buckets (ascending) and everything above them.
    fn rehash(&mut self, touched: Vec<usize>) {
        let first = self.buckets.len();
        let mut indexes = touched;
        for index in &mut indexes {
            let node = self.hasher.subtree(self.bucket(*index, Version::Now), self.bits);
            *index = index.saturating_add(first);
            self.put_node(*index, node);
        }
        while indexes.first().is_some_and(|index| *index > 1) {
            for index in &mut indexes {
                *index >>= 1;
            }
            indexes.dedup();
            for index in &indexes {
                let left = index.saturating_mul(2);
                let node = self.hasher.join(self.node(left), self.node(left.saturating_add(1)));
                self.put_node(*index, node);
            }
        }
    }

    /// A proof of the row with this full key, or of its absence, in a version of the tree.
    pub fn prove(&self, full_key: &[u8], version: Version) -> TreeProof {
        match (version, &self.before.whole) {
            (Version::Before, Some(whole)) => whole.path(full_key, Version::Now),
            _ => self.path(full_key, version),
        }
    }

    fn path(&self, full_key: &[u8], version: Version) -> TreeProof {
        let place = place_of(full_key);
        let mut siblings = Vec::new();
        let (mut index, mut depth) = (1usize, 0u32);
        while depth < self.bits && matches!(self.node_of(index, version), Node::Inner(_)) {
            let left = index.saturating_mul(2);
            let right = left.saturating_add(1);
            let (own, other) = if bit(&place, depth) { (right, left) } else { (left, right) };
            siblings.push(self.node_of(other, version).hash());
            index = own;
            depth = depth.saturating_add(1);
        }
        let end = if depth < self.bits {
            self.only_leaf_below(index, depth, version)
        } else {
            let leaves = self.bucket(bucket_of(&place, self.bits), version);
            self.descend(leaves, &place, depth, &mut siblings)
        };
        TreeProof { siblings, end: end.map(|leaf| (leaf.place, leaf.value)) }
    }

    fn only_leaf_below(&self, index: usize, depth: u32, version: Version) -> Option<Leaf> {
        if self.node_of(index, version) == Node::Empty {
            return None;
        }
        let below = self.bits.saturating_sub(depth);
        let first = (index << below).saturating_sub(self.buckets.len());
        let end = first.saturating_add(1usize << below);
        (first..end).find_map(|bucket| self.bucket(bucket, version).first().copied())
    }

    fn descend(
        &self,
        mut leaves: &[Leaf],
        place: &Hash,
        mut depth: u32,
        siblings: &mut Vec<Hash>,
    ) -> Option<Leaf> {
        while leaves.len() > 1 {
            let (left, right) = split(leaves, depth);
            let (own, other) = if bit(place, depth) { (right, left) } else { (left, right) };
            depth = depth.saturating_add(1);
            siblings.push(self.hasher.subtree(other, depth).hash());
            leaves = own;
        }
        leaves.first().copied()
    }
}

/// That a row has a value, or that there is no such row.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct TreeProof {
    /// From the root's child down, at most 256.
    pub siblings: Vec<Hash>,
    /// The leaf (place, value hash) where the path ends; `None` where it ends in nothing.
    pub end: Option<(Hash, Hash)>,
}

impl TreeProof {
    /// Whether the state with this `root` has `value` (or nothing) under `full_key`.
    pub fn verify(&self, root: &Hash, full_key: &[u8], value: Option<&[u8]>) -> bool {
        let place = place_of(full_key);
        let Ok(depth) = u32::try_from(self.siblings.len()) else { return false };
        if depth > 256 {
            return false;
        }
        let hasher = Hasher::new();
        let fits = match (value, self.end) {
            (Some(value), Some((end, hash))) => end == place && hash == value_hash(value),
            (Some(_), None) => false,
            (None, Some((end, _))) => {
                end != place && (0..depth).all(|at| bit(&end, at) == bit(&place, at))
            }
            (None, None) => true,
        };
        let leaf = |(place, value)| hasher.leaf(&Leaf { place, value });
        let mut hash = self.end.map_or(Hash::ZERO, leaf);
        for (at, sibling) in (0..depth).zip(&self.siblings).rev() {
            hash = if bit(&place, at) {
                hasher.inner(sibling, &hash)
            } else {
                hasher.inner(&hash, sibling)
            };
        }
        fits && hash == *root
    }
}
