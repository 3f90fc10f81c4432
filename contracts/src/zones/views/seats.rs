//! How full zones are.

use ddt_ledger::context::Context;
use ddt_ledger::system::Lane;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{CURSOR, Found, Page, View};
use ddt_ledger::{Refusal, Zone, view};

use crate::zones::record::{SEATS, newcomer_seats};

view! {
    Seats = "zones.seats", "How many seats of each zone are taken."
    query {}
    row SeatsRow {
        /// The zone.
        zone: Zone,
        /// Members.
        members: u32,
        /// Of them newcomers.
        newcomers: u32,
        /// Most members.
        seats: u32,
        /// Most newcomers.
        newcomer_seats: u32,
        /// Whether it has a router; without one it takes no members.
        is_governed: bool,
    }
}

impl View for Seats {
    fn run(&self, cx: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<SeatsRow>, Refusal> {
        let after = match page.after.as_deref().map(<[u8; 4]>::try_from) {
            Some(Ok(zone)) => Some(Zone(u32::from_be_bytes(zone))),
            Some(Err(_)) => return Err(CURSOR),
            None => None,
        };
        let lanes = Lane::scan(rows, after, page.limit);
        let last = lanes.last().filter(|_| lanes.len() >= page.limit);
        let next = last.map(|(zone, _)| zone.0.to_be_bytes().to_vec());
        let seats = cx.params.zone_seats;
        let row = |(zone, lane): &(Zone, Lane)| {
            let taken = SEATS.get(rows, zone).unwrap_or_default();
            SeatsRow {
                zone: *zone,
                members: taken.members,
                newcomers: taken.newcomers,
                seats,
                newcomer_seats: newcomer_seats(&cx.params),
                is_governed: lane.is_governed,
            }
        };
        Ok(Found { rows: lanes.iter().map(row).collect(), next })
    }
}
