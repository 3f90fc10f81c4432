//! Zones: who is a member of which, and under which address.
//!
//! A newcomer has no coins, so joining costs work instead of a fee. The address is drawn from
//! the beacon of the anchor after the sign-up's, so nobody can choose it, and is leased while
//! the member is heard of. No money flows here (spec ZON-1 … ZON-9).

mod audit;
mod draw;
mod heartbeat;
mod lease;
mod leave;
mod record;
mod show;
mod sign_up;
mod views;

pub use heartbeat::Heartbeat;
pub use leave::Leave;
pub use record::{MemberRow, Standing, draw_address, members_of_key, read_member};
pub use sign_up::SignUp;

use ddt_ledger::registry::{DeadlineRow, Programme};
use ddt_ledger::rows;
use ddt_ledger::table::{IndexInfo, TableInfo};
use ddt_ledger::view::view_row;

pub(crate) const DRAW: u16 = 401;
pub(crate) const LEASE: u16 = 402;

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 4,
    name: "zones",
    purpose: "Members of zones and their addresses.",
    rows: rows! {
        401 => SignUp,
        402 => Heartbeat,
        403 => Leave,
    },
    views: &[
        view_row::<views::Member>(),
        view_row::<views::Address>(),
        view_row::<views::Members>(),
        view_row::<views::Seats>(),
        view_row::<views::Stamp>(),
    ],
    tables: &[
        TableInfo {
            id: record::MEMBERS_ID,
            name: "zones.members",
            indexes: &[
                IndexInfo { id: record::ZONE_INDEX, entries: record::zone_entries },
                IndexInfo { id: record::NODE_INDEX, entries: record::node_entries },
            ],
            show: show::member,
        },
        TableInfo {
            id: record::ADDRESSES_ID,
            name: "zones.addresses",
            indexes: &[],
            show: show::address,
        },
        TableInfo { id: record::SEATS_ID, name: "zones.seats", indexes: &[], show: show::seats },
    ],
    deadlines: &[
        DeadlineRow { tag: DRAW, name: "zones.draw", run: draw::run },
        DeadlineRow { tag: LEASE, name: "zones.lease", run: lease::run },
    ],
    audit: audit::audit,
};
