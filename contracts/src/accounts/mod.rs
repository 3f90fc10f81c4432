//! Accounts: who owns what, and which keys act for them.
//!
//! An account opens with its first payment; its id is the hash of its first owner key and
//! stays when the key is replaced. Money flows: a balance prepays the allowance of a node
//! key, and gets back what is left when the key is revoked (spec ACC-1 … ACC-6).

mod grant_node_key;
mod reserve_tickets;
mod revoke_node_key;
mod rotate_key;
mod top_up_node_key;
mod views;

pub use grant_node_key::{GrantNodeKey, NodeRole};
pub use reserve_tickets::ReserveTickets;
pub use revoke_node_key::RevokeNodeKey;
pub use rotate_key::{RotateKey, possession_digest};
pub use top_up_node_key::TopUpNodeKey;

use ddt_ledger::registry::Programme;
use ddt_ledger::rows;
use ddt_ledger::view::view_row;

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 1,
    name: "accounts",
    purpose: "Who owns what, and which keys act for them.",
    rows: rows! {
        101 => RotateKey,
        102 => GrantNodeKey,
        103 => TopUpNodeKey,
        104 => RevokeNodeKey,
        105 => ReserveTickets,
    },
    views: &[
        view_row::<views::Account>(),
        view_row::<views::NodeKeys>(),
        view_row::<views::Tickets>(),
    ],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};
