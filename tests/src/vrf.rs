//! A router's random function for tests: the ledger's, but its proof is the same in every run
//! too, so that anchors, and all that follows from them, can be repeated from a seed.

use ddt_ledger::vrf::VrfOutput;
use ddt_ledger::{Domain, Hash, PublicKey};
use merlin::Transcript;
use rand_core06::{CryptoRng, Error, RngCore};
use schnorrkel::context::{attach_rng, signing_context};
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey};

/// The secret half.
pub struct TestVrf(Keypair);

/// Nothing at random: a proof's nonce still depends on key and input.
struct Zeros;

impl CryptoRng for Zeros {}

impl RngCore for Zeros {
    fn next_u32(&mut self) -> u32 {
        0
    }

    fn next_u64(&mut self) -> u64 {
        0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl TestVrf {
    /// The key of the router of this name.
    pub fn named(name: &str) -> TestVrf {
        let seed = Domain("ddt test vrf key").hash(&[name.as_bytes()]);
        let secret = MiniSecretKey::from_bytes(&seed.0).expect("any seed is a VRF key");
        TestVrf(secret.expand_to_keypair(ExpansionMode::Uniform))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public.to_bytes())
    }

    /// The output for the anchor of `height` after the anchor `previous` (spec ANC-6).
    pub fn prove(&self, previous: &Hash, height: u64) -> VrfOutput {
        let mut transcript = signing_context(b"ddt v1 beacon vrf").bytes(&previous.0);
        transcript.append_u64(b"height", height);
        // The first transcript makes the output, the second the proof.
        let extra = attach_rng(Transcript::new(b"VRF"), Zeros);
        let (inout, proof, _) = self.0.vrf_sign_extra(transcript, extra);
        VrfOutput { output: inout.to_preout().to_bytes(), proof: proof.to_bytes() }
    }
}
