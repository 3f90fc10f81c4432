//! Usernames: rows that only whoever knows a name can find and read.
//!
//! The ledger never sees a name. A row's key is a slow hash of it, its value is ciphertext
//! under another key from the same hash, and its events are signed by one-time keys and
//! carried by stamps. So nothing here leads from an account to a name, or from a row to an
//! account, and no money moves (spec USR-1 … USR-12).

mod audit;
mod claim;
mod commit;
mod expire;
mod record;
mod release;
mod renew;
mod rotate;
mod show;
mod views;

pub use claim::Claim;
pub use commit::Commit;
pub use record::{
    CIPHERTEXT_BYTES, CommitRow, UsernameRow, claim_hash, possession_digest, username_key,
};
pub use release::Release;
pub use renew::Renew;
pub use rotate::Rotate;

use ddt_ledger::registry::{DeadlineRow, Programme};
use ddt_ledger::table::TableInfo;
use ddt_ledger::view::view_row;
use ddt_ledger::{refusals, rows};

pub(crate) const EXPIRE_COMMIT: u16 = 501;
pub(crate) const EXPIRE_ROW: u16 = 502;

refusals! {
    NO_STAMP = "usernames.no_stamp",
        "A username's event needs a stamp: a fee would tell whose it is.";
}

/// The programme. It declares no index: its tables have no way in but a row's own key.
pub static PROGRAMME: Programme = Programme {
    id: 5,
    name: "usernames",
    purpose: "Rows that only whoever knows a name can find and read.",
    rows: rows! {
        501 => Commit,
        502 => Claim,
        503 => Rotate,
        504 => Renew,
        505 => Release,
    },
    views: &[view_row::<views::Row>(), view_row::<views::Commits>()],
    tables: &[
        TableInfo {
            id: record::COMMITS_ID,
            name: "usernames.commits",
            indexes: &[],
            show: show::commit,
        },
        TableInfo {
            id: record::USERNAMES_ID,
            name: "usernames.rows",
            indexes: &[],
            show: show::username,
        },
        TableInfo { id: record::KEYS_ID, name: "usernames.keys", indexes: &[], show: show::key },
    ],
    deadlines: &[
        DeadlineRow { tag: EXPIRE_COMMIT, name: "usernames.expire_commit", run: expire::commit },
        DeadlineRow { tag: EXPIRE_ROW, name: "usernames.expire_row", run: expire::row },
    ],
    is_full: None,
    audit: audit::audit,
};
