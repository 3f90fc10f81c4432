//! New keys for a router.

use ddt_ledger::book::DUTY_EXISTS;
use ddt_ledger::context::Context;
use ddt_ledger::routers::{RouterEvent, RouterKey, Routers};
use ddt_ledger::schema::Bytes;
use ddt_ledger::{PublicKey, Refusal, event, refusals};

use super::bond::{KEY_USED, LEAVING, PROOF, VRF_KEY, check_keys};
use super::unbond::NO_ROUTER;

event! {
    /// Gives the author's router new keys, at once for its lane, two anchors later for votes.
    Move = "zones.move", Owner,
    "Move this account's router to the key {key}; the old key signs nothing new any more"
    {
        /// The new router key.
        key: PublicKey,
        /// The new VRF key.
        vrf_key: PublicKey,
        /// The new router key's signature over the chain, the account and the new VRF key.
        proof: Bytes<64>,
    }
}

refusals! {
    MOVE_EARLY = "zones.move_early",
        "The router changed its keys less than an epoch ago; wait, or let it leave.";
}

impl RouterEvent for Move {
    const REFUSALS: &'static [Refusal] =
        &[NO_ROUTER, LEAVING, MOVE_EARLY, PROOF, VRF_KEY, KEY_USED, DUTY_EXISTS];
    const WORK: u32 = 4;

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let router = routers.router(&origin.author).ok_or(NO_ROUTER)?;
        if !router.is_staying() {
            return Err(LEAVING);
        }
        // Each new key of a validator is a handover that is kept for ever.
        if router.moved.is_some_and(|moved| cx.clock < moved.plus(cx.params.epoch_ms)) {
            return Err(MOVE_EARLY);
        }
        check_keys(origin, (&self.key, &self.vrf_key), &self.proof)?;
        if RouterKey::read(routers.book(), &self.key).is_some() {
            return Err(KEY_USED);
        }
        routers.change_keys(cx, (self.key, self.vrf_key))
    }
}
