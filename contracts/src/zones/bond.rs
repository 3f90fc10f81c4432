//! Becoming a router, or a larger one.

use ddt_ledger::book::{DUTY_EXISTS, INSUFFICIENT};
use ddt_ledger::context::{Context, Origin};
use ddt_ledger::routers::{RouterEvent, RouterKey, Routers};
use ddt_ledger::schema::Bytes;
use ddt_ledger::vrf::is_vrf_key;
use ddt_ledger::{
    AccountId, Amount, ChainId, Domain, Hash, PublicKey, Refusal, Signature, event, refusals,
};

event! {
    /// Makes the author a router that waits for a lane, or adds to the bond of one.
    Bond = "zones.bond", Owner,
    "Put {amount} APT down as the bond of a router with the key {key}; cheating loses it"
    {
        /// The router's key: signs blocks and votes.
        key: PublicKey,
        /// The router's VRF key.
        vrf_key: PublicKey,
        /// How much is added to the bond.
        amount: Amount,
        /// The router key's signature over the chain, the account and the VRF key.
        proof: Bytes<64>,
    }
}

refusals! {
    NOTHING = "zones.bond_nothing", "A bond of nothing changes nothing; name an amount.";
    SMALL = "zones.bond_small", "A router's bond is larger than this; put more down.";
    KEY_USED = "zones.router_key",
        "The key is, or was lately, a router's; a router's key is used once, make a new one.";
    OTHER_KEYS = "zones.other_keys",
        "The account is a router with other keys; name those, or change them with zones.move.";
    PROOF = "zones.router_proof",
        "The router key has not signed for this account and VRF key on this chain.";
    VRF_KEY = "zones.vrf_key", "The VRF key is none; make one with a matching release.";
    LEAVING = "zones.leaving",
        "The router is leaving or out; when its bond is paid out the account may bond again.";
}

/// What a router key signs to show that somebody holds it for an account.
pub fn router_digest(chain: &ChainId, account: &AccountId, vrf_key: &PublicKey) -> Hash {
    Domain("ddt v1 router proof").hash(&[&chain.0.0, &account.0, &vrf_key.0])
}

/// Whether the keys may be a router's and the router key signed for them.
pub(super) fn check_keys(
    origin: &Origin,
    (key, vrf_key): (&PublicKey, &PublicKey),
    proof: &Bytes<64>,
) -> Result<(), Refusal> {
    if !is_vrf_key(vrf_key) {
        return Err(VRF_KEY);
    }
    let signature: [u8; 64] = proof.as_slice().try_into().map_err(|_| PROOF)?;
    let digest = router_digest(&origin.chain, &origin.author, vrf_key);
    match key.verifies(&digest, &Signature(signature)) {
        true => Ok(()),
        false => Err(PROOF),
    }
}

impl RouterEvent for Bond {
    const REFUSALS: &'static [Refusal] =
        &[NOTHING, SMALL, KEY_USED, OTHER_KEYS, PROOF, VRF_KEY, LEAVING, INSUFFICIENT, DUTY_EXISTS];
    const WORK: u32 = 4;

    fn check(&self) -> Result<(), Refusal> {
        if self.amount.is_zero() { Err(NOTHING) } else { Ok(()) }
    }

    fn apply(&self, cx: &Context, routers: &mut Routers) -> Result<(), Refusal> {
        let origin = cx.origin()?;
        let known = routers.router(&origin.author);
        if known.as_ref().is_some_and(|router| !router.is_staying()) {
            return Err(LEAVING);
        }
        check_keys(origin, (&self.key, &self.vrf_key), &self.proof)?;
        if let Some(router) = known {
            let is_same = router.key == self.key && router.vrf_key == self.vrf_key;
            return if is_same { routers.add_bond(self.amount) } else { Err(OTHER_KEYS) };
        }
        if self.amount < cx.params.router_bond_min() {
            return Err(SMALL);
        }
        if RouterKey::read(routers.book(), &self.key).is_some() {
            return Err(KEY_USED);
        }
        routers.join(cx, (self.key, self.vrf_key), self.amount)
    }
}
