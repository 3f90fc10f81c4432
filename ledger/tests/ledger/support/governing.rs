//! A programme with the right to change routers.

use ddt_ledger::context::Context;
use ddt_ledger::registry::{Programme, router_row};
use ddt_ledger::routers::{RouterEvent, Routers};
use ddt_ledger::system::Lane;
use ddt_ledger::{AccountId, Refusal, Zone, event};

use super::programme::NO;

event! {
    /// Closes a lane's term, whoever says so. Zone 0 breaks it.
    Close = "governing.close", Router, "Close the term of {zone}" { zone: Zone }
}

impl RouterEvent for Close {
    const REFUSALS: &'static [Refusal] = &[NO];
    const IS_FREE: bool = true;

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        assert!(self.zone != Zone(0), "on purpose");
        Lane::read(routers.book(), self.zone).ok_or(NO)?;
        routers.close_term(cx, self.zone);
        Ok(())
    }
}

event! {
    /// Puts a router out, without evidence.
    Punish = "governing.punish", Anyone, "Put {router} out" { router: AccountId }
}

impl RouterEvent for Punish {
    const REFUSALS: &'static [Refusal] = &[];

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let author = cx.origin()?.author;
        routers.punish(cx, self.router, author)
    }
}

/// The programme.
pub static GOVERNING: Programme = Programme {
    id: 4,
    name: "governing",
    purpose: "To change routers.",
    rows: &[router_row::<Close>(40), router_row::<Punish>(41)],
    views: &[],
    tables: &[],
    deadlines: &[],
    is_full: None,
    audit: |_| Vec::new(),
};
