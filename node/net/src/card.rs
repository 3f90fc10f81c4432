//! Cards: where a router says, signed, how it is to be found.

use borsh::{BorshDeserialize, BorshSerialize};
use ddt_ledger::codec::encode;
use ddt_ledger::{ChainId, Domain, Hash, Millis, PublicKey, Signature};

use crate::message::MessageError;

const CARD: Domain = Domain("ddt v1 router card");

/// Most addresses of one kind on a card.
pub const ADDRESSES_MAX: usize = 8;
/// Longest address, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 256;

/// How a router is to be found. The newest by `time` counts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Card {
    /// The chain.
    pub chain: ChainId,
    /// The router's key, which signs the card. So does the transport key.
    pub router: PublicKey,
    /// The Ed25519 key behind its peer id on the network.
    pub transport: PublicKey,
    /// Multiaddrs on the network.
    pub addresses: Vec<String>,
    /// Multiaddrs of its consensus, for routers.
    pub consensus: Vec<String>,
    /// URLs of its public API.
    pub api: Vec<String>,
    /// When it was made, by the router's clock.
    pub time: Millis,
}

/// A card as it travels.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedCard {
    /// What it says.
    pub card: Card,
    /// The router's over [`Card::digest`].
    pub signature: Signature,
    /// The transport key's over the same: nobody names a node that is another's.
    pub transport_signature: Signature,
}

impl Card {
    /// What is signed.
    pub fn digest(&self) -> Hash {
        CARD.hash(&[&encode(self)])
    }
}

impl SignedCard {
    /// Whether it keeps its limits.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self) -> Result<(), MessageError> {
        let kinds = [&self.card.addresses, &self.card.consensus, &self.card.api];
        let is_long = |kind: &&Vec<String>| {
            kind.len() > ADDRESSES_MAX || kind.iter().any(|text| text.len() > ADDRESS_BYTES_MAX)
        };
        match kinds.iter().any(is_long) {
            true => Err(MessageError::TooMuch("a card")),
            false => Ok(()),
        }
    }

    /// Whether the router and the node that it names signed it, for this chain.
    pub fn verifies(&self, chain: ChainId) -> bool {
        let (card, digest) = (&self.card, self.card.digest());
        card.chain == chain
            && card.router.verifies(&digest, &self.signature)
            && card.transport.verifies(&digest, &self.transport_signature)
    }
}
