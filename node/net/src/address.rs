//! Addresses as people write them.

use libp2p::Multiaddr;

use crate::card::ADDRESS_BYTES_MAX;
use crate::config::NetError;

/// So much of a text that is no address is shown, in characters.
const SHOWN_MAX: usize = 80;

/// Whether a text is a multiaddr that a node could be reached at, and can stand in a list: at
/// most [`ADDRESS_BYTES_MAX`] bytes, nothing in it that is not seen, and no comma.
///
/// # Errors
/// When it is not, saying why.
pub fn check_address(text: &str) -> Result<(), NetError> {
    let parsed: Option<Multiaddr> = text.parse().ok();
    let is_unseen = |c: char| c.is_control() || c.is_whitespace() || c == ',';
    let is_short = !text.is_empty() && text.len() <= ADDRESS_BYTES_MAX;
    match is_short && !text.contains(is_unseen) && parsed.is_some() {
        true => Ok(()),
        false => Err(NetError::Address(text.chars().take(SHOWN_MAX).collect::<String>())),
    }
}
