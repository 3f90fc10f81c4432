//! The routers' random function without the system's randomness, which no seed could repeat.
//! The ledger verifies what comes of it like any other proof.

use ddt_ledger::vrf::VrfOutput;
use ddt_ledger::{Domain, Hash};
use merlin::Transcript;
use rand_core06::{CryptoRng, Error, RngCore, impls};
use schnorrkel::context::{SigningTranscript, attach_rng, signing_context};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey};

use crate::random::Random;

struct Seeded(Random);

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.number()
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        impls::fill_bytes_via_next(self, out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for Seeded {}

/// A router's VRF key: that of [`ddt_tests::people::Router`].
pub struct SimVrf(Keypair);

impl SimVrf {
    /// The key of the router of this name.
    pub fn named(name: &str) -> SimVrf {
        let seed = Domain("ddt test vrf key").hash(&[name.as_bytes()]);
        let secret = MiniSecretKey::from_bytes(&seed.0).expect("any seed is a key");
        SimVrf(secret.expand_to_keypair(ExpansionMode::Uniform))
    }

    /// The output for the anchor of `height` after `previous`: the same every time.
    pub fn prove(&self, previous: &Hash, height: u64) -> VrfOutput {
        let mut transcript = signing_context(b"ddt v1 beacon vrf").bytes(&previous.0);
        SigningTranscript::commit_bytes(&mut transcript, b"height", &height.to_le_bytes());
        let extra = attach_rng(Transcript::new(b"VRF"), Seeded(Random::new(height)));
        let (inout, proof, _) = self.0.vrf_sign_extra(transcript, extra);
        VrfOutput { output: inout.to_preout().to_bytes(), proof: proof.to_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ddt_tests::people::Router;

    #[test]
    fn the_ledger_takes_what_is_proven_here() {
        let (vrf, router) = (SimVrf::named("router1"), Router::of_zone(1));
        let output = vrf.prove(&Hash::ZERO, 9);
        assert!(output.verifies(&router.vrf.public(), &Hash::ZERO, 9));
        assert_eq!(output, vrf.prove(&Hash::ZERO, 9));
    }
}
