//! Transport keys and peer ids: one and the same, written in two ways.

use ddt_ledger::PublicKey;
use libp2p::identity::{self, Keypair, ed25519};
use libp2p::multihash::Multihash;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use zeroize::Zeroizing;

/// What stands before the key in the identity multihash of an Ed25519 peer id: the multihash of
/// 36 bytes as they are, then libp2p's own key format with 32 bytes of Ed25519.
const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The key pair of a seed.
pub(crate) fn pair(seed: &Zeroizing<[u8; 32]>) -> Option<Keypair> {
    let mut bytes = Zeroizing::new(**seed);
    let secret = ed25519::SecretKey::try_from_bytes(&mut *bytes).ok()?;
    Some(Keypair::from(ed25519::Keypair::from(secret)))
}

/// The public key of a pair made by [`pair`].
pub(crate) fn public(pair: &Keypair) -> Option<PublicKey> {
    key_of(&identity::PublicKey::to_peer_id(&pair.public()))
}

/// The key that a peer id holds; `None` for keys of other kinds.
pub fn key_of(peer: &PeerId) -> Option<PublicKey> {
    let bytes = peer.to_bytes();
    let key = bytes.strip_prefix(&PREFIX)?;
    key.try_into().ok().map(PublicKey)
}

/// The peer id of a key, whether it is a valid point or not.
pub fn peer_of(key: &PublicKey) -> Option<PeerId> {
    let mut bytes = PREFIX[2..].to_vec();
    bytes.extend(key.0);
    PeerId::from_multihash(Multihash::wrap(0, &bytes).ok()?).ok()
}

/// The address without its last `/p2p/…`, and who it names.
pub(crate) fn split(address: &Multiaddr) -> (Multiaddr, Option<PeerId>) {
    let mut address = address.clone();
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            (address, Some(peer))
        }
        _ => (address, None),
    }
}
