//! Zones: who is a member of which, and under which address.
//!
//! A newcomer has no coins, so joining costs work instead of a fee. The address is drawn from
//! the beacon of the anchor after the sign-up's, so nobody can choose it, and is leased while
//! the member is heard of (spec ZON-1 … ZON-11). Routers put bonds down, which the ledger
//! holds; it says who governs and who validates (spec RTR-1 … RTR-22).

mod alive;
mod audit;
mod bond;
mod close_term;
mod draw;
mod evidence;
mod heartbeat;
mod lease;
mod leave;
mod move_keys;
mod record;
mod show;
mod sign_up;
mod signal;
mod unbond;
mod views;

pub use alive::Alive;
pub use bond::{Bond, router_digest};
pub use close_term::CloseTerm;
pub use evidence::Evidence;
pub use heartbeat::Heartbeat;
pub use leave::Leave;
pub use move_keys::Move;
pub use record::{MemberRow, Standing, draw_address, members_of_key, read_member};
pub use sign_up::SignUp;
pub use signal::Signal;
pub use unbond::Unbond;

use ddt_ledger::registry::{DeadlineRow, Programme, Row, ascending, router_row, row};
use ddt_ledger::table::{IndexInfo, TableInfo};
use ddt_ledger::view::view_row;

pub(crate) const DRAW: u16 = 401;
pub(crate) const LEASE: u16 = 402;

/// A tag is for ever.
const ROWS: &[Row] = ascending(&[
    row::<SignUp>(401),
    row::<Heartbeat>(402),
    row::<Leave>(403),
    router_row::<Bond>(404),
    router_row::<Unbond>(405),
    router_row::<CloseTerm>(406),
    router_row::<Move>(407),
    router_row::<Evidence>(408),
    router_row::<Alive>(409),
    router_row::<Signal>(410),
]);

/// The programme.
pub static PROGRAMME: Programme = Programme {
    id: 4,
    name: "zones",
    purpose: "Members of zones, their addresses, and the routers that govern them.",
    rows: ROWS,
    views: &[
        view_row::<views::Member>(),
        view_row::<views::Address>(),
        view_row::<views::Members>(),
        view_row::<views::Seats>(),
        view_row::<views::Router>(),
        view_row::<views::Routers>(),
        view_row::<views::Validators>(),
        view_row::<views::Upgrade>(),
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
    is_full: Some(record::is_full),
    audit: audit::audit,
};
