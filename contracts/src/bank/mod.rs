//! Bank: moving coins.
//!
//! Money flows: from the author's balance to another's, which opens with it if it is new
//! (spec BNK-1, BNK-2).

mod batch;
mod transfer;

pub use batch::{Batch, Payment};
pub use transfer::Transfer;

use ddt_ledger::registry::Programme;
use ddt_ledger::rows;

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 2,
    name: "bank",
    purpose: "Moving coins.",
    rows: rows! {
        201 => Transfer,
        202 => Batch,
    },
    views: &[],
    tables: &[],
    deadlines: &[],
    audit: |_| Vec::new(),
};
