//! The state: rows, changes not yet committed, and the authenticated tree over them.

mod overlay;
mod tree;

pub(crate) use overlay::start_of;
pub use overlay::{Change, Changes, MemoryState, Overlay, Page, StateReader};
pub use tree::{StateTree, TreeProof, Version, place_of, value_hash};
