//! The verifiable random function behind the beacon: schnorrkel's, non-malleable.
//!
//! A validator's output for an anchor is one value, fixed by its key and the anchor before;
//! only the proof is randomised. The key is derived separately from the validator's Ed25519
//! key: an expansion that shared the scalar would tie the two together.

use schnorrkel::context::{SigningTranscript, signing_context};
use schnorrkel::vrf::{VRFPreOut, VRFProof};
use schnorrkel::{ExpansionMode, MiniSecretKey};

use crate::hash::Hash;
use crate::key::PublicKey;

const CONTEXT: &[u8] = b"ddt v1 beacon vrf";

fn transcript(previous: &Hash, height: u64) -> impl SigningTranscript {
    let mut transcript = signing_context(CONTEXT).bytes(&previous.0);
    transcript.append_u64(b"height", height);
    transcript
}

/// A validator's VRF output and its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
pub struct VrfOutput {
    /// The output, 32 bytes.
    pub output: [u8; 32],
    /// That it is the key's for this input.
    pub proof: [u8; 64],
}

/// The secret half, from a 32-byte seed. Wiped from memory when dropped.
pub struct VrfKey(schnorrkel::Keypair);

impl VrfKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Option<VrfKey> {
        let secret = MiniSecretKey::from_bytes(seed).ok()?;
        Some(VrfKey(secret.expand_to_keypair(ExpansionMode::Uniform)))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public.to_bytes())
    }

    /// The output for the anchor of `height` after the anchor `previous`.
    pub fn prove(&self, previous: &Hash, height: u64) -> VrfOutput {
        let (inout, proof, _) = self.0.vrf_sign(transcript(previous, height));
        VrfOutput { output: inout.to_preout().to_bytes(), proof: proof.to_bytes() }
    }
}

/// Whether these bytes are a public VRF key.
pub fn is_vrf_key(key: &PublicKey) -> bool {
    schnorrkel::PublicKey::from_bytes(&key.0).is_ok()
}

impl VrfOutput {
    /// Whether this is the output of `key` for the anchor of `height` after `previous`.
    pub fn verifies(&self, key: &PublicKey, previous: &Hash, height: u64) -> bool {
        let Ok(key) = schnorrkel::PublicKey::from_bytes(&key.0) else { return false };
        let Ok(output) = VRFPreOut::from_bytes(&self.output) else { return false };
        let Ok(proof) = VRFProof::from_bytes(&self.proof) else { return false };
        key.vrf_verify(transcript(previous, height), &output, &proof).is_ok()
    }
}
