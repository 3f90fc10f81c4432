//! What a guess at a password costs, and how much a file may ask of us.

use serde::{Deserialize, Serialize};

/// Most memory one opening may take: 1 GiB.
pub const MEMORY_KIB_MAX: u32 = 1024 * 1024;

/// Most passes over the memory.
pub const PASSES_MAX: u32 = 64;

/// Most lanes.
pub const LANES_MAX: u32 = 16;

/// Most memory times passes: a few seconds on one core.
pub const WORK_KIB_MAX: u64 = 4 * 1024 * 1024;

/// Argon2's own least memory for each lane.
const LANE_KIB_MIN: u32 = 8;

/// Parameters of Argon2id (RFC 9106). Written into the wallet's file and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KdfCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes (parallelism).
    pub lanes: u32,
}

impl KdfCost {
    /// For wallets that hold money: 64 MiB and three passes, RFC 9106's second choice with one
    /// lane, about a fifth of a second.
    pub const DEFAULT: KdfCost = KdfCost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// For wallets of development networks and tests only: 64 KiB, no time at all, and no
    /// protection. A wallet made with it says `unsafe_test`.
    pub const UNSAFE_TEST: KdfCost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };

    /// Least memory that a wallet may have without being called an unsafe one.
    const SAFE_KIB_MIN: u32 = 19 * 1024;

    /// Whether guessing a password of this cost is cheap.
    pub fn is_unsafe(&self) -> bool {
        self.memory_kib < KdfCost::SAFE_KIB_MIN
    }

    /// Whether it is worth computing at all: no file may ask for more than the limits above.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !(1..=LANES_MAX).contains(&self.lanes) {
            return Err("lanes are not from 1 to 16");
        }
        if !(1..=PASSES_MAX).contains(&self.passes) {
            return Err("passes are not from 1 to 64");
        }
        let least_kib = self.lanes.saturating_mul(LANE_KIB_MIN);
        if !(least_kib..=MEMORY_KIB_MAX).contains(&self.memory_kib) {
            return Err("memory is not from 8 KiB a lane to 1 GiB");
        }
        let work_kib = u64::from(self.memory_kib).saturating_mul(u64::from(self.passes));
        if work_kib > WORK_KIB_MAX {
            return Err("memory times passes is more than 4 GiB");
        }
        Ok(())
    }
}

impl Default for KdfCost {
    fn default() -> KdfCost {
        KdfCost::DEFAULT
    }
}
