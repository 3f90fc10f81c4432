//! Addresses as people write them.

use libp2p::Multiaddr;

use crate::config::NetError;

/// Whether a text is a multiaddr that a node could be reached at.
///
/// # Errors
/// When it is not, saying why.
pub fn check_address(text: &str) -> Result<(), NetError> {
    let parsed: Result<Multiaddr, _> = text.parse();
    parsed.map(drop).map_err(|_| NetError::Address(text.to_string()))
}
