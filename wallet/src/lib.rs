//! The DDT wallet: secrets, and nothing that listens.
//!
//! From twenty-four words to owner keys, and the sealed file in which they rest. No network,
//! no clock. Nothing here writes a secret to a log, an error or a `Debug` text.

pub mod address_book;
pub mod derivation;
pub mod describe;
pub mod keys;
pub mod keystore;
pub mod message;
pub mod mnemonic;
mod random;
pub mod sign;
pub mod signed_file;
pub mod stamp;
pub mod username;

pub use address_book::AddressBook;
pub use keys::{OwnerKey, Seed};
pub use keystore::{Entry, KdfCost, Keystore, KeystoreError, Listing, Secret, Unlocked};
pub use message::SignedMessage;
pub use mnemonic::{Mnemonic, MnemonicError, WordCount};
pub use random::RandomError;
pub use signed_file::SignedFile;
