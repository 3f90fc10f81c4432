//! Making stamps: the work that stands in the place of a fee (spec STP-1).
//!
//! Every core tries its own nonces until one of them finds a hash that is small enough.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use ddt_ledger::stamp::{PerWeight, Period, STAMP_BITS_MAX, Stamp, Task};
use ddt_ledger::{AccountId, ChainId, Hash, PublicKey};

/// Tries between two looks at whether somebody is done.
const STRIDE: u64 = 1 << 13;

/// What a stamp is made for. It serves this event alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The chain.
    pub chain: ChainId,
    /// Whose event.
    pub author: AccountId,
    /// The key that signs it.
    pub key: PublicKey,
    /// Which event.
    pub tag: u16,
    /// The event's own nonce.
    pub event_nonce: u64,
    /// The present period's number.
    pub period: u64,
    /// The present period's beacon.
    pub beacon: Hash,
    /// Leading zero bits wanted: the period's light or heavy ones.
    pub bits: u8,
}

/// Why there is no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// Nobody could ever be asked for so much.
    #[error("a stamp of {0} bits is more than any network asks for; the node is mistaken")]
    Bits(u8),
    /// The progress callback said stop.
    #[error("the stamp was given up")]
    Cancelled,
}

impl Order {
    /// How many tries it takes on average.
    pub fn expected_tries(&self) -> u64 {
        1 << self.bits.min(63)
    }

    fn task(&self) -> Task {
        let bits = PerWeight { light: self.bits, heavy: self.bits };
        let period = Period { number: self.period, beacon: self.beacon, bits };
        Task::new(self.chain, &self.author, &self.key, self.tag, self.event_nonce, &period)
    }

    /// Whether `stamp` is good for this order.
    pub fn is_met_by(&self, stamp: &Stamp) -> bool {
        stamp.period == self.period && self.task().bits(stamp.nonce) >= u32::from(self.bits)
    }
}

/// Makes a stamp on every core. `progress` is told, now and then, about how many tries were
/// made so far, and may break off.
///
/// # Errors
/// More bits than any network asks for; broken off.
pub fn solve(
    order: &Order,
    progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Stamp, StampError> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    solve_on(order, cores, progress)
}

/// The same on this many threads, at least one: the caller's is the first of them.
///
/// # Errors
/// More bits than any network asks for; broken off.
pub fn solve_on(
    order: &Order,
    threads: usize,
    mut progress: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Stamp, StampError> {
    if order.bits > STAMP_BITS_MAX {
        return Err(StampError::Bits(order.bits));
    }
    let (task, threads) = (order.task(), threads.clamp(1, 1 << 10) as u64);
    let search = Search {
        task,
        wanted: u32::from(order.bits),
        threads,
        is_over: AtomicBool::new(false),
        found: AtomicU64::new(u64::MAX),
    };
    thread::scope(|scope| {
        for place in 1..threads {
            let search = &search;
            scope.spawn(move || search.run(place, |_| ControlFlow::Continue(())));
        }
        search.run(0, |tries| progress(tries.saturating_mul(threads)));
    });
    let nonce = search.found.load(Ordering::Acquire);
    let stamp = Stamp { period: order.period, nonce };
    match order.is_met_by(&stamp) {
        true => Ok(stamp),
        false => Err(StampError::Cancelled),
    }
}

struct Search {
    task: Task,
    wanted: u32,
    threads: u64,
    is_over: AtomicBool,
    found: AtomicU64,
}

impl Search {
    /// Tries every nonce that is `place` modulo the number of threads.
    fn run(&self, place: u64, mut progress: impl FnMut(u64) -> ControlFlow<()>) {
        let (mut nonce, mut tries) = (place, 0_u64);
        while !self.is_over.load(Ordering::Acquire) {
            for _ in 0..STRIDE {
                if self.task.bits(nonce) >= self.wanted {
                    self.found.fetch_min(nonce, Ordering::AcqRel);
                    self.is_over.store(true, Ordering::Release);
                    return;
                }
                nonce = nonce.wrapping_add(self.threads);
            }
            tries = tries.saturating_add(STRIDE);
            if progress(tries).is_break() {
                self.is_over.store(true, Ordering::Release);
            }
        }
    }
}
