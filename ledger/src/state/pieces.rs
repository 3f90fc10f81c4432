//! A state cut into pieces, each verified by itself before it is used (spec SNP-1 … SNP-6).
//!
//! A piece holds the rows whose places begin with the same bits: a subtree of the state tree.
//! The manifest lists the subtrees; combined as the tree combines them they must give the
//! certified root. So a piece that does not belong is known at once, and who sent it.

use borsh::{BorshDeserialize, BorshSerialize};

use super::tree::{Hasher, Leaf, Node, bucket_of, place_of, value_hash};
use crate::codec::{decode, encode};
use crate::hash::{Domain, Hash};
use crate::ids::ChainId;

/// The version of manifests and pieces that this code writes and reads.
pub const SNAPSHOT_VERSION: u8 = 1;
/// A state is cut into at most 2 to this many pieces.
pub const CUT_BITS_MAX: u32 = 14;
/// Bytes of rows that a piece should have, on average.
pub const PIECE_BYTES: u64 = 1024 * 1024;
/// Longest piece, in bytes.
pub const PIECE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What a manifest says of the rows of one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Subtree {
    /// There are none.
    Empty,
    /// There is one.
    Leaf {
        /// Where it stands.
        place: Hash,
        /// The hash of its value.
        value: Hash,
    },
    /// There are more: the subtree's hash.
    Inner(Hash),
}

impl Subtree {
    fn node(&self, hasher: &Hasher) -> Node {
        match *self {
            Subtree::Empty => Node::Empty,
            Subtree::Leaf { place, value } => Node::Leaf(hasher.leaf(&Leaf { place, value })),
            Subtree::Inner(hash) => Node::Inner(hash),
        }
    }

    fn of(leaves: &[Leaf], bits: u32, hasher: &Hasher) -> Subtree {
        match leaves {
            [] => Subtree::Empty,
            [Leaf { place, value }] => Subtree::Leaf { place: *place, value: *value },
            more => Subtree::Inner(hasher.subtree(more, bits).hash()),
        }
    }
}

/// The pieces that a state is cut into.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Manifest {
    /// [`SNAPSHOT_VERSION`].
    pub version: u8,
    /// The chain.
    pub chain: ChainId,
    /// The anchor after which the state holds.
    pub height: u64,
    /// There are 2 to this many pieces, at most [`CUT_BITS_MAX`].
    pub bits: u8,
    /// One for each piece, by ascending places.
    pub subtrees: Vec<Subtree>,
}

/// Why a manifest or a piece is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PieceError {
    /// The bytes do not decode, or are too long.
    #[error("its bytes are not of this format")]
    Malformed,
    /// Of another release.
    #[error("it has version {0}, this program knows 1: use a matching release")]
    Version(u8),
    /// For another chain, height, cut or place.
    #[error("it is another one than was asked for")]
    Other,
    /// A row stands where it does not belong, or rows are out of order.
    #[error("a row stands where it does not belong")]
    Place,
    /// It does not hash to what it must.
    #[error("it does not hash to what was certified")]
    Hash,
}

impl Manifest {
    /// Its canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// What it is asked for by: the hash of its canonical bytes.
    pub fn id_of(bytes: &[u8]) -> Hash {
        Domain::SNAPSHOT.hash(&[bytes])
    }

    /// Reads a manifest; whether it is true of a state, [`Manifest::check`] says.
    ///
    /// # Errors
    /// Bytes that are none, or with subtrees that cannot be.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, PieceError> {
        known(bytes)?;
        let manifest: Manifest =
            decode(bytes, MANIFEST_BYTES_MAX).map_err(|_| PieceError::Malformed)?;
        let bits = manifest.cut();
        if bits > CUT_BITS_MAX || manifest.subtrees.len() != manifest.pieces() {
            return Err(PieceError::Malformed);
        }
        for (index, subtree) in manifest.subtrees.iter().enumerate() {
            let fits = match subtree {
                Subtree::Empty => true,
                Subtree::Leaf { place, .. } => piece_of(place, bits) == index,
                Subtree::Inner(hash) => *hash != Hash::ZERO,
            };
            if !fits {
                return Err(PieceError::Place);
            }
        }
        Ok(manifest)
    }

    /// Whether it is the manifest of the state with this certified root.
    ///
    /// # Errors
    /// For any other state.
    pub fn check(&self, chain: ChainId, height: u64, root: &Hash) -> Result<(), PieceError> {
        if (self.chain, self.height) != (chain, height) {
            return Err(PieceError::Other);
        }
        if self.root() == *root { Ok(()) } else { Err(PieceError::Hash) }
    }

    fn cut(&self) -> u32 {
        u32::from(self.bits)
    }

    /// How many pieces there are.
    pub fn pieces(&self) -> usize {
        1usize << self.cut().min(CUT_BITS_MAX)
    }

    /// The root of the state whose subtrees these are.
    pub fn root(&self) -> Hash {
        let hasher = Hasher::new();
        let mut level: Vec<Node> = self.subtrees.iter().map(|part| part.node(&hasher)).collect();
        while level.len() > 1 {
            let pairs = level.chunks(2);
            level = pairs.map(|pair| join(&hasher, pair)).collect();
        }
        level.first().map_or(Hash::ZERO, |node| node.hash())
    }
}

fn join(hasher: &Hasher, pair: &[Node]) -> Node {
    match pair {
        [left, right] => hasher.join(*left, *right),
        [only] => *only,
        _ => Node::Empty,
    }
}

/// Which piece a place belongs to, when there are 2 to this many.
pub(crate) fn piece_of(place: &Hash, bits: u32) -> usize {
    bucket_of(place, bits)
}

/// Whether the first byte is a version that this program knows.
fn known(bytes: &[u8]) -> Result<(), PieceError> {
    match bytes.first() {
        Some(&SNAPSHOT_VERSION) => Ok(()),
        Some(&other) => Err(PieceError::Version(other)),
        None => Err(PieceError::Malformed),
    }
}

/// A full key and its value.
type Row = (Vec<u8>, Vec<u8>);

/// The rows of one subtree.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Piece {
    /// [`SNAPSHOT_VERSION`].
    pub version: u8,
    /// The chain.
    pub chain: ChainId,
    /// The anchor after which the state holds.
    pub height: u64,
    /// The manifest's.
    pub bits: u8,
    /// Which piece, from 0.
    pub index: u32,
    /// Full keys and values, by ascending places.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Piece {
    /// A piece with these rows, in whatever order they come, and what the manifest says of it.
    pub fn of(
        (chain, height, bits): (ChainId, u64, u8),
        index: u32,
        rows: Vec<(Vec<u8>, Vec<u8>)>,
    ) -> (Piece, Subtree) {
        let mut placed: Vec<(Hash, Row)> =
            rows.into_iter().map(|row| (place_of(&row.0), row)).collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        let leaves: Vec<Leaf> = placed
            .iter()
            .map(|(place, (_, value))| Leaf { place: *place, value: value_hash(value) })
            .collect();
        let subtree = Subtree::of(&leaves, u32::from(bits), &Hasher::new());
        let rows = placed.into_iter().map(|(_, row)| row).collect();
        (Piece { version: SNAPSHOT_VERSION, chain, height, bits, index, rows }, subtree)
    }

    /// Its canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads the piece with this index of a checked manifest: only rows that belong to the
    /// certified state come out, and all of them.
    ///
    /// # Errors
    /// Anything else, be it one bit.
    pub fn check(bytes: &[u8], manifest: &Manifest, index: u32) -> Result<Piece, PieceError> {
        known(bytes)?;
        let piece: Piece = decode(bytes, PIECE_BYTES_MAX).map_err(|_| PieceError::Malformed)?;
        let Manifest { chain, height, bits, .. } = *manifest;
        if (piece.chain, piece.height, piece.bits, piece.index) != (chain, height, bits, index) {
            return Err(PieceError::Other);
        }
        let own = usize::try_from(index).unwrap_or(usize::MAX);
        let subtree = manifest.subtrees.get(own).ok_or(PieceError::Other)?;
        let mut leaves: Vec<Leaf> = Vec::with_capacity(piece.rows.len());
        for (key, value) in &piece.rows {
            let leaf = Leaf { place: place_of(key), value: value_hash(value) };
            let follows = leaves.last().is_none_or(|last| last.place < leaf.place);
            if !follows || piece_of(&leaf.place, manifest.cut()) != own {
                return Err(PieceError::Place);
            }
            leaves.push(leaf);
        }
        let hasher = Hasher::new();
        let found = hasher.subtree(&leaves, manifest.cut());
        // By hash alone: a lone leaf and a subtree never have the same one.
        match found.hash() == subtree.node(&hasher).hash() {
            true => Ok(piece),
            false => Err(PieceError::Hash),
        }
    }
}
