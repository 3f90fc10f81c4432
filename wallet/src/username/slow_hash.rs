//! The slow hash: what a guess at a name costs, and the two keys that come out of it.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use ddt_ledger::{ChainId, Domain, Hash};
use zeroize::Zeroizing;

use super::name::Username;

/// Bytes of the salt.
const SALT_BYTES: usize = 16;
/// Bytes that Argon2id gives.
const OUTPUT_BYTES: usize = 64;

/// What one guess costs (Argon2id, RFC 9106). There is one cost for real networks, for ever:
/// with another one, the same name would be another row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    memory_kib: u32,
    passes: u32,
}

impl HashCost {
    /// Of every network: 256 MiB, three passes, one lane: about three quarters of a second.
    pub const PRODUCTION: HashCost = HashCost { memory_kib: 256 * 1024, passes: 3 };

    /// 8 KiB and one pass: guessing costs nothing, so names sealed with it are public. It is
    /// for tests of what does not depend on the cost, and for nothing else.
    pub const UNSAFE_TEST: HashCost = HashCost { memory_kib: 8, passes: 1 };

    /// Memory, in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }
}

/// What the slow hash of a name gives: where its row is, and what opens it. The key is
/// overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct NameKeys {
    /// The row's key on the ledger.
    pub row: Hash,
    pub(super) key: Zeroizing<[u8; 32]>,
}

/// The slow hash could not be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlowHashError {
    /// Not enough memory.
    #[error("a username needs {0} KiB of free memory for a moment; close something, try again")]
    Memory(u32),
    /// Argon2 refuses the cost, which a test made up.
    #[error("Argon2id refuses that cost")]
    Cost,
}

impl NameKeys {
    /// The row and the key of `name` on a chain (spec USR-2).
    ///
    /// # Errors
    /// Not enough memory.
    pub fn of(name: &Username, chain: ChainId, cost: HashCost) -> Result<NameKeys, SlowHashError> {
        let HashCost { memory_kib, passes } = cost;
        let params = Params::new(memory_kib, passes, 1, Some(OUTPUT_BYTES));
        let params = params.map_err(|_| SlowHashError::Cost)?;
        let mut memory = Zeroizing::new(Vec::new());
        let blocks = params.block_count();
        memory.try_reserve_exact(blocks).map_err(|_| SlowHashError::Memory(memory_kib))?;
        memory.resize(blocks, Block::new());
        // A salt for each chain, so that no table of hashes serves two.
        let salt = Domain("ddt v1 username salt").hash(&[&chain.0.0]);
        let salt = salt.0.first_chunk::<SALT_BYTES>().ok_or(SlowHashError::Cost)?;
        let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                name.as_str().as_bytes(),
                salt,
                output.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|_| SlowHashError::Cost)?;
        let row = Domain("ddt v1 username row").hash(&[output.as_slice()]);
        let key = Domain("ddt v1 username key").hash(&[output.as_slice()]);
        Ok(NameKeys { row, key: Zeroizing::new(key.0) })
    }
}

impl fmt::Debug for NameKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameKeys({})", self.row)
    }
}
