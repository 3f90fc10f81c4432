//! Ceasing to be a router.

use ddt_ledger::context::Context;
use ddt_ledger::routers::{RouterEvent, Routers};
use ddt_ledger::{Refusal, event, refusals};

use super::bond::LEAVING;

event! {
    /// Begins to leave: the bond comes back once nothing that was signed counts any more.
    Unbond = "zones.unbond", Owner, "Stop being a router and get the bond back later" {}
}

refusals! {
    NO_ROUTER = "zones.no_router", "The account is no router; put a bond down first.";
}

impl RouterEvent for Unbond {
    const REFUSALS: &'static [Refusal] = &[NO_ROUTER, LEAVING];
    const WORK: u32 = 4;

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        let router = routers.router(&author).ok_or(NO_ROUTER)?;
        if !router.is_staying() {
            return Err(LEAVING);
        }
        routers.leave(cx, author);
        Ok(())
    }
}
