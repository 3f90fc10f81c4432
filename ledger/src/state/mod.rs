//! The state: rows, changes not yet committed, and the authenticated tree over them.

mod overlay;
mod pieces;
mod tree;

pub(crate) use overlay::start_of;
pub use overlay::{Change, Changes, MemoryState, Overlay, Page, StateReader};
pub(crate) use pieces::piece_of;
pub use pieces::{
    CUT_BITS_MAX, MANIFEST_BYTES_MAX, Manifest, PIECE_BYTES, PIECE_BYTES_MAX, Piece, PieceError,
    SNAPSHOT_VERSION, Subtree,
};
pub use tree::{StateTree, TreeProof, Version, place_of, value_hash};
