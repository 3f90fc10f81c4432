//! A router's word that it is there.

use ddt_ledger::context::Context;
use ddt_ledger::routers::{RouterEvent, Routers};
use ddt_ledger::system::Lane;
use ddt_ledger::{Refusal, event, refusals};

use super::unbond::NO_ROUTER;

event! {
    /// Says that the author's router is there, though it has nothing to seal or no lane.
    Alive = "zones.alive", Router, "Say that this router is there" {}
}

refusals! {
    ALIVE_EARLY = "zones.alive_early",
        "The router was heard of lately; wait, then say it again.";
}

impl RouterEvent for Alive {
    const REFUSALS: &'static [Refusal] = &[NO_ROUTER, ALIVE_EARLY];
    const IS_FREE: bool = true;

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        let router = routers.router(&author).ok_or(NO_ROUTER)?;
        let lane = router.zone.and_then(|zone| Lane::read(routers.book(), zone));
        let heard = lane.map_or(router.heard, |lane| lane.heard);
        if cx.clock < heard.plus(cx.params.router_alive_ms) {
            return Err(ALIVE_EARLY);
        }
        routers.hear(cx, author);
        Ok(())
    }
}
