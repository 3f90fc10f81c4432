//! Randomness of the operating system, or a fault.

use zeroize::Zeroizing;

/// The operating system gave no randomness: nothing secret can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness ({0}); try again, or restart the machine")]
pub struct RandomError(pub getrandom::Error);

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, RandomError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(RandomError)?;
    Ok(bytes)
}
