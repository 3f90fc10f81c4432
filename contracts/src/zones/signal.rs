//! A router's word that it is ready for an upgrade.

use ddt_ledger::context::Context;
use ddt_ledger::routers::{RouterEvent, Routers};
use ddt_ledger::{Refusal, event, refusals};

use super::unbond::NO_ROUTER;

event! {
    /// Says up to which version of the rules the author's router can execute.
    Signal = "zones.signal", Router,
    "Say that this router is ready for protocol version {version}"
    {
        /// The version.
        version: u32,
    }
}

refusals! {
    SIGNAL_EARLY = "zones.signal_early",
        "The router signalled lately; wait, then signal again.";
}

impl RouterEvent for Signal {
    const REFUSALS: &'static [Refusal] = &[NO_ROUTER, SIGNAL_EARLY];
    const IS_FREE: bool = true;

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        let router = routers.router(&author).ok_or(NO_ROUTER)?;
        if cx.clock < router.signalled.plus(cx.params.router_alive_ms) {
            return Err(SIGNAL_EARLY);
        }
        routers.signal(cx, author, self.version);
        Ok(())
    }
}
