//! What a username is made of.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

/// Most letters of a username: the paper's 128 bits.
pub const NAME_BYTES_MAX: usize = 16;

/// A username: 1 to 16 of `a-z` and `0-9` (spec USR-1). Overwritten when dropped, and
/// `Debug` does not show it: what is in a log can be looked up by everybody.
#[derive(Clone, PartialEq, Eq)]
pub struct Username(Zeroizing<String>);

/// The text is no username. Says nothing about the text, so that it can be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a username has 1 to 16 of a-z and 0-9, small letters only")]
pub struct NameRule;

impl Username {
    /// The name's letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = NameRule;

    fn from_str(text: &str) -> Result<Username, NameRule> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        match is_plain && (1..=NAME_BYTES_MAX).contains(&text.len()) {
            true => Ok(Username(Zeroizing::new(text.to_string()))),
            false => Err(NameRule),
        }
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username(hidden)")
    }
}
