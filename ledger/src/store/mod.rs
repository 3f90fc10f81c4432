//! The store: two redb files.
//!
//! `book.redb` holds everything that follows from the agreed history: one transaction per
//! anchor with its rows, roots, receipts and indexes, made durable before anybody hears of
//! it. `lanes.redb` holds what a router must never forget: its sealed blocks, made durable
//! before their soft receipts leave, and consensus proposals. They are apart so that sealing
//! a block does not wait for an anchor's commit (spec STO-1 … STO-6).

mod book;
mod commit;
mod copy;
mod current;
mod cutting;
mod history;
mod lanes;
mod open;
mod opening;
mod parts;
mod pruning;
mod recent;
mod restoring;
mod row_file;
mod snapshot;
mod sorting;

pub use book::{AnchorRecord, BookStore, Certified};
pub use copy::{Copier, LaneSnapshot};
pub use cutting::{MANIFEST_FILE, Pause, Spread, piece_file};
pub use lanes::{LaneStore, PROPOSALS_MAX};
pub use open::{Backend, STORE_VERSION, begin_write, open as open_file};
pub use pruning::Pruning;
pub use restoring::{Restoring, Standing};
pub use row_file::{sync_folder, write_whole};
pub use snapshot::{Place, Snapshot};
