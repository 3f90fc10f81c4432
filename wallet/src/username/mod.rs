//! Usernames, as clients see them: from a name to its row on the ledger, and from a row to
//! the account that stands behind it (spec USR-1 … USR-3).
//!
//! The ledger holds a key and a ciphertext, and both come from a slow hash of the name. So
//! whoever knows the name finds and reads the row, and whoever does not must guess it, one
//! slow hash a guess.

mod keys;
mod name;
mod record;
mod seal;
mod slow_hash;

pub use keys::{Handle, KEYS_MAX};
pub use name::{NameRule, Username};
pub use record::{Record, RecordError, record_digest};
pub use seal::{CIPHERTEXT_BYTES, OpenError};
pub use slow_hash::{HashCost, NameKeys, SlowHashError};
