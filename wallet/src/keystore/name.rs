//! Names of wallets, which are names of files.

use serde::{Deserialize, Serialize};

/// Longest name of a wallet, in bytes.
pub const NAME_BYTES_MAX: usize = 32;

/// Not a name for a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a wallet's name has 1 to 32 of the characters a-z, 0-9, _ and -")]
pub struct NameError;

/// Whether a text may name a wallet, or an entry of an address book.
///
/// # Errors
/// It has no character, too many, or another than those.
pub fn check_name(text: &str) -> Result<(), NameError> {
    WalletName::parse(text).map(|_| ())
}

/// A name that can do no harm in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct WalletName(String);

impl WalletName {
    pub(super) fn parse(text: &str) -> Result<WalletName, NameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let length_fits = (1..=NAME_BYTES_MAX).contains(&text.len());
        if length_fits && text.bytes().all(allowed) {
            Ok(WalletName(text.to_owned()))
        } else {
            Err(NameError)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WalletName {
    type Error = NameError;

    fn try_from(text: String) -> Result<WalletName, NameError> {
        WalletName::parse(&text)
    }
}

impl From<WalletName> for String {
    fn from(name: WalletName) -> String {
        name.0
    }
}
