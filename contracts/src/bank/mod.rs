//! Bank: moving coins.
//!
//! Money flows: from the author's balance to another's, which opens with it if it is new
//! (spec BNK-1 … BNK-3); or into a lock, and from there once: to the receiver when somebody
//! shows the secret, less the fee of showing it, else back to the payer (BNK-4 … BNK-11).

mod audit;
mod batch;
mod claim;
mod end;
mod give_back;
mod lock;
mod record;
mod show;
mod transfer;
mod views;

pub use batch::{Batch, PAYMENTS_MAX, Payment};
pub use claim::{CLAIM_BYTES, Claim};
pub use give_back::GiveBack;
pub use lock::{LOCK_MS_MAX, Lock};
pub use record::{LockRow, LockState, LockStatus, lock_hash};
pub use transfer::Transfer;
pub use views::LockInfo;

use ddt_ledger::registry::{DeadlineRow, Programme};
use ddt_ledger::rows;
use ddt_ledger::table::{IndexInfo, TableInfo};
use ddt_ledger::view::view_row;

pub(crate) const REFUND: u16 = 201;
pub(crate) const FORGET: u16 = 202;

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 2,
    name: "bank",
    purpose: "Moving coins.",
    rows: rows! {
        201 => Transfer,
        202 => Batch,
        203 => Lock,
        204 => Claim,
        205 => GiveBack,
    },
    views: &[
        view_row::<views::LockRecord>(),
        view_row::<views::LocksOf>(),
        view_row::<views::LocksByHash>(),
    ],
    tables: &[TableInfo {
        id: record::LOCKS_ID,
        name: "bank.locks",
        indexes: &[
            IndexInfo { id: record::ACCOUNT_INDEX, entries: record::account_entries },
            IndexInfo { id: record::HASH_INDEX, entries: record::hash_entries },
        ],
        show: show::lock,
    }],
    deadlines: &[
        DeadlineRow { tag: REFUND, name: "bank.refund", run: end::refund },
        DeadlineRow { tag: FORGET, name: "bank.forget", run: end::forget },
    ],
    is_full: None,
    audit: audit::audit,
};
