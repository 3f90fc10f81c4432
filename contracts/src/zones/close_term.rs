//! Closing a lane's term.

use ddt_ledger::context::Context;
use ddt_ledger::event::Role;
use ddt_ledger::routers::{ClosedTerm, RouterEvent, Routers};
use ddt_ledger::system::Lane;
use ddt_ledger::{Refusal, Zone, event, refusals};

use super::sign_up::NO_ZONE;

event! {
    /// Closes the present term of the author's lane: what is not anchored lapses, and the next
    /// term goes on with the next number. A router that lost its data asks for it.
    CloseTerm = "zones.close_term", Router,
    "Close term {term} of zone {zone}: its blocks that are not anchored lapse"
    {
        /// The zone.
        zone: Zone,
        /// The term to close: the present one.
        term: u64,
    }
}

refusals! {
    OTHER_ROUTER = "zones.other_router", "The author does not govern that zone.";
    OTHER_TERM = "zones.other_term", "The lane is in another term; look it up.";
    TERM_YOUNG = "zones.term_young",
        "The term began lately; wait, then close it. For a fee the owner's key closes one again \
         sooner than the router's.";
}

impl RouterEvent for CloseTerm {
    const REFUSALS: &'static [Refusal] = &[NO_ZONE, OTHER_ROUTER, OTHER_TERM, TERM_YOUNG];
    const IS_FREE: bool = true;

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let author = origin.author;
        let lane = Lane::read(routers.book(), self.zone).ok_or(NO_ZONE)?;
        if !lane.is_governed || lane.router != author {
            return Err(OTHER_ROUTER);
        }
        if lane.term != self.term {
            return Err(OTHER_TERM);
        }
        // Each closing leaves a row for weeks. One costs nothing; those that follow it closely do.
        let before = lane.term.checked_sub(1);
        let before = before.and_then(|term| ClosedTerm::read(routers.book(), self.zone, term));
        let is_next = origin.role == Role::Router && before.is_some_and(|one| one.key == lane.key);
        let least = match is_next {
            true => cx.params.term_ms_min.max(cx.params.router_alive_ms),
            false => cx.params.term_ms_min,
        };
        if cx.clock < lane.opened.plus(least) {
            return Err(TERM_YOUNG);
        }
        routers.close_term(cx, self.zone);
        Ok(())
    }
}
