//! Domains: public names under `.ddt`, bought by commit and reveal so that nobody can
//! snatch a name on seeing it asked for.
//!
//! Money flows: a commit escrows its price cap and the reveal's fee; the reveal moves the
//! price from there to the name and refunds the rest; when the contest is over the price
//! goes to the pool, or back to whoever lost to an older commit; a commit that is never
//! revealed is refunded whole by the ledger itself (spec DOM-1 … DOM-12).

mod audit;
mod commit;
mod expire;
mod name;
mod price;
mod record;
mod reveal;
mod settle;
mod show;
mod views;

pub use commit::Commit;
pub use name::DomainName;
pub use record::{CommitRow, DomainRow, commit_hash, domain_key, read_commit};
pub use reveal::Reveal;

use ddt_ledger::registry::{DeadlineRow, Programme};
use ddt_ledger::rows;
use ddt_ledger::table::{IndexInfo, TableInfo};
use ddt_ledger::view::view_row;

pub(crate) const EXPIRE: u16 = 301;
pub(crate) const SETTLE: u16 = 302;

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 3,
    name: "domains",
    purpose: "Public names under .ddt.",
    rows: rows! {
        301 => Commit,
        302 => Reveal,
    },
    views: &[
        view_row::<views::Record>(),
        view_row::<views::Price>(),
        view_row::<views::OfOwner>(),
        view_row::<views::Commits>(),
        view_row::<views::Search>(),
    ],
    tables: &[
        TableInfo {
            id: record::COMMITS_ID,
            name: "domains.commits",
            indexes: &[],
            show: show::commit,
        },
        TableInfo {
            id: record::DOMAINS_ID,
            name: "domains.names",
            indexes: &[IndexInfo { id: record::OWNER_INDEX, entries: record::owner_entries }],
            show: show::domain,
        },
    ],
    deadlines: &[
        DeadlineRow { tag: EXPIRE, name: "domains.expire", run: expire::run },
        DeadlineRow { tag: SETTLE, name: "domains.settle", run: settle::run },
    ],
    audit: audit::audit,
};
