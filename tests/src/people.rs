//! People with names: their keys are the same in every run.

use ddt_ledger::codec::encode;
use ddt_ledger::event::Draft;
use ddt_ledger::{AccountId, Domain, Hash, PublicKey, Signature};
use ed25519_dalek::{Signer, SigningKey};

use crate::vrf::TestVrf;

/// Somebody, or some machine, with an Ed25519 key.
#[derive(Clone, Debug)]
pub struct Person(SigningKey);

impl Person {
    /// The person of this name.
    pub fn named(name: &str) -> Person {
        let seed = Domain("ddt test key").hash(&[name.as_bytes()]);
        Person(SigningKey::from_bytes(&seed.0))
    }

    /// The public key.
    pub fn key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The account whose first key this is.
    pub fn id(&self) -> AccountId {
        AccountId::of(&self.key())
    }

    /// Signs a hash.
    pub fn sign(&self, digest: &Hash) -> Signature {
        Signature(self.0.sign(&digest.0).to_bytes())
    }

    /// The bytes of a draft signed by this person, whatever key the draft names.
    pub fn seal(&self, draft: Draft) -> Vec<u8> {
        let signature = self.sign(&draft.digest());
        encode(&draft.signed(signature))
    }
}

/// A zone's router.
pub struct Router {
    /// Its name: `router1` is zone 1's.
    pub name: String,
    /// Signs blocks, times and votes.
    pub person: Person,
    /// Makes the random value.
    pub vrf: TestVrf,
}

/// Routers that a test may have, with all their keys.
const ROUTERS_MAX: u32 = 104;

impl Router {
    /// Everybody who may be a router: those of zones 1, 2, …, and others.
    pub fn all() -> Vec<Router> {
        (1..=ROUTERS_MAX).map(Router::of_zone).collect()
    }

    /// The router of this zone.
    pub fn of_zone(zone: u32) -> Router {
        let name = format!("router{zone}");
        Router { person: Person::named(&name), vrf: TestVrf::named(&name), name }
    }
}
