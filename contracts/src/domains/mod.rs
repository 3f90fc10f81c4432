//! Domains: public names under `.ddt`, bought by commit and reveal so that nobody can
//! snatch a name on seeing it asked for.
//!
//! Money flows: a commit escrows its price cap and the reveal's fee; the reveal moves the
//! price from there to the name and refunds the rest; when the contest is over the price
//! goes to the pool, or back to whoever lost to an older commit; a commit that is never
//! revealed is refunded whole by the ledger itself. A renewal's price goes to the pool, at
//! once or out of what the owner put aside for it, which comes back when the name ends or
//! changes hands. A sale's price goes from buyer to seller (spec DOM-1 … DOM-28).

mod accept;
mod audit;
mod cancel;
mod commit;
mod expire;
mod name;
mod offer;
mod ownership;
mod prepay_renewal;
mod price;
mod purchase;
mod record;
mod record_form;
mod records;
mod renew;
mod renew_prepaid;
mod renewal;
mod reveal;
mod sell;
mod set_records;
mod set_site;
mod settle;
mod show;
mod stop_renewal;
mod transfer;
mod views;

pub use accept::Accept;
pub use cancel::Cancel;
pub use commit::Commit;
pub use name::DomainName;
pub use offer::{OfferRow, offer_key};
pub use prepay_renewal::PrepayRenewal;
pub use purchase::Purchase;
pub use record::{CommitRow, DomainRow, Status, commit_hash, domain_key, read_commit};
pub use records::{RECORDS_BYTES_MAX, RECORDS_MAX, Record, RecordKind, RecordsRow, records_key};
pub use renew::Renew;
pub use renew_prepaid::RenewPrepaid;
pub use renewal::RenewalRow;
pub use reveal::Reveal;
pub use sell::Sell;
pub use set_records::SetRecords;
pub use set_site::SetSite;
pub use stop_renewal::StopRenewal;
pub use transfer::Transfer;

use ddt_ledger::registry::{DeadlineRow, Programme};
use ddt_ledger::rows;
use ddt_ledger::table::{IndexInfo, TableInfo};
use ddt_ledger::view::view_row;

pub(crate) const EXPIRE: u16 = 301;
pub(crate) const SETTLE: u16 = 302;
pub(crate) const LAPSE: u16 = 303;

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 3,
    name: "domains",
    purpose: "Public names under .ddt.",
    rows: rows! {
        301 => Commit,
        302 => Reveal,
        303 => Renew,
        304 => PrepayRenewal,
        305 => RenewPrepaid,
        306 => StopRenewal,
        307 => Transfer,
        308 => Accept,
        309 => Cancel,
        310 => Sell,
        311 => Purchase,
        312 => SetRecords,
        313 => SetSite,
    },
    views: &[
        view_row::<views::Record>(),
        view_row::<views::Price>(),
        view_row::<views::OfOwner>(),
        view_row::<views::Commits>(),
        view_row::<views::Search>(),
        view_row::<views::Records>(),
        view_row::<views::Offer>(),
        view_row::<views::ForSale>(),
        view_row::<views::OfferedTo>(),
        view_row::<views::Prepaid>(),
        view_row::<views::RenewalsDue>(),
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
        TableInfo {
            id: offer::OFFERS_ID,
            name: "domains.offers",
            indexes: &[
                IndexInfo { id: offer::OPEN_INDEX, entries: offer::open_entries },
                IndexInfo { id: offer::OFFERED_INDEX, entries: offer::offered_entries },
            ],
            show: show::offer,
        },
        TableInfo {
            id: renewal::RENEWALS_ID,
            name: "domains.renewals",
            indexes: &[IndexInfo { id: renewal::DUE_INDEX, entries: renewal::due_entries }],
            show: show::renewal,
        },
        TableInfo {
            id: records::RECORDS_ID,
            name: "domains.records",
            indexes: &[],
            show: show::records,
        },
    ],
    deadlines: &[
        DeadlineRow { tag: EXPIRE, name: "domains.expire", run: expire::run },
        DeadlineRow { tag: SETTLE, name: "domains.settle", run: settle::run },
        DeadlineRow { tag: LAPSE, name: "domains.lapse", run: renewal::lapse },
    ],
    is_full: None,
    audit: audit::audit,
};
