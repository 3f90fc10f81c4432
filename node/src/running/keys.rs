//! A node's hot keys: one secret seed, one derived key for each duty.

use std::path::Path;

use ddt_ledger::vrf::VrfKey;
use ddt_ledger::{Hash, PublicKey, Signature};
use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use super::records;
use crate::failure::Failure;
use crate::secret_file;

/// Signs for a running node. None of these keys can move anybody's coins.
pub struct NodeKeys {
    seed: Zeroizing<[u8; 32]>,
    router: SigningKey,
    node: SigningKey,
}

impl NodeKeys {
    /// Reads the keys of a node that has run before.
    pub fn read(path: &Path) -> Result<NodeKeys, Failure> {
        let advice = "restore it from a backup; a new key would be another router";
        let text = secret_file::read(path)?;
        let missing = || Failure::fault(format!("{} is missing: {advice}", path.display()));
        let text = text.ok_or_else(missing)?;
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut seed[..])
            .map_err(|_| Failure::fault(format!("{} is damaged: {advice}", path.display())))?;
        Ok(NodeKeys::from_seed(seed))
    }

    /// Keys for a new node, kept in a file that its owner alone can read; those that are
    /// there already from a start that was cut short.
    pub fn make(path: &Path) -> Result<NodeKeys, Failure> {
        if secret_file::read(path)?.is_none() {
            let seed = secret_file::random()?;
            let home = path.parent().unwrap_or(Path::new("."));
            records::born(home, &NodeKeys::from_seed(seed.clone()).router_public())?;
            secret_file::create(path, &Zeroizing::new(hex::encode(&seed[..])))?;
        }
        NodeKeys::read(path)
    }

    fn from_seed(seed: Zeroizing<[u8; 32]>) -> NodeKeys {
        let derived = |context| Zeroizing::new(blake3::derive_key(context, &seed[..]));
        let router = SigningKey::from_bytes(&derived("ddt v1 router key"));
        let node = SigningKey::from_bytes(&derived("ddt v1 node key"));
        NodeKeys { seed, router, node }
    }

    /// The seed of the router's Ed25519 key.
    pub fn router_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.router.to_bytes())
    }

    /// The seed of the router's transport identity.
    pub fn transport_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key("ddt v1 router transport key", &self.seed[..]))
    }

    /// The seed of the node's identity on the network.
    pub fn network_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key("ddt v1 node network key", &self.seed[..]))
    }

    /// The public key of the node's identity on the network.
    pub fn network_public(&self) -> PublicKey {
        PublicKey(SigningKey::from_bytes(&self.network_seed()).verifying_key().to_bytes())
    }

    /// Signs as the node's identity on the network.
    pub fn sign_as_network(&self, digest: &Hash) -> Signature {
        Signature(SigningKey::from_bytes(&self.network_seed()).sign(&digest.0).to_bytes())
    }

    /// The router's VRF key.
    pub fn vrf(&self) -> Result<VrfKey, Failure> {
        let seed = Zeroizing::new(blake3::derive_key("ddt v1 router vrf key", &self.seed[..]));
        VrfKey::from_seed(&seed).ok_or_else(|| Failure::fault("the VRF key cannot be derived"))
    }

    /// The router's public key.
    pub fn router_public(&self) -> PublicKey {
        PublicKey(self.router.verifying_key().to_bytes())
    }

    /// Signs as the router.
    pub fn sign_as_router(&self, digest: &Hash) -> Signature {
        Signature(self.router.sign(&digest.0).to_bytes())
    }

    /// The public key of the node's duties.
    pub fn node_public(&self) -> PublicKey {
        PublicKey(self.node.verifying_key().to_bytes())
    }

    /// Signs a node's duty.
    pub fn sign_as_node(&self, digest: &Hash) -> Signature {
        Signature(self.node.sign(&digest.0).to_bytes())
    }
}
