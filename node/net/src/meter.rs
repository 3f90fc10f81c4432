//! What one peer may send, measured where its bytes are read.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::bucket::Bucket;
use crate::config::NetLimits;
use crate::counters::{Counting, add};
use crate::net::lock;

/// Most bytes of a peer that has not greeted.
pub(crate) const GREETING_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of one peer's requests and answers in memory: four blocks.
pub(crate) const READING_BYTES_MAX: usize = 4 * UNIT * 1_025;
/// Memory is counted in such pieces.
const UNIT: usize = 4 * 1024;

/// One peer's.
pub(crate) struct Meter {
    counting: Arc<Counting>,
    rate: Mutex<Bucket>,
    memory: Arc<Semaphore>,
    has_greeted: std::sync::atomic::AtomicBool,
}

/// Room for bytes, until they are dealt with.
pub(crate) type Room = OwnedSemaphorePermit;

impl Meter {
    pub(crate) fn new(limits: &NetLimits, counting: Arc<Counting>) -> Meter {
        #[allow(clippy::cast_precision_loss)]
        let rate = limits.bytes_rate as f64;
        Meter {
            counting,
            rate: Mutex::new(Bucket::new(rate, rate, Instant::now())),
            memory: Arc::new(Semaphore::new(READING_BYTES_MAX / UNIT)),
            has_greeted: false.into(),
        }
    }

    /// The peer has greeted: it may send long messages from now on.
    pub(crate) fn greeted(&self) {
        self.has_greeted.store(true, std::sync::atomic::Ordering::Release);
    }

    /// The longest message that it may send now.
    pub(crate) fn longest(&self, limit: usize) -> usize {
        match self.has_greeted.load(std::sync::atomic::Ordering::Acquire) {
            true => limit,
            false => limit.min(GREETING_BYTES_MAX),
        }
    }

    /// Waits for room: for all of a message at once, so that none waits for another's end.
    pub(crate) async fn room(&self, bytes: usize) -> Option<Room> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.memory).acquire_many_owned(units).await.ok()
    }

    /// Bytes were read. Waits if they came too fast.
    pub(crate) async fn read(&self, bytes: usize) {
        add(&self.counting.bytes_in, bytes);
        #[allow(clippy::cast_precision_loss)]
        let pause = lock(&self.rate).owe(bytes as f64, Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Bytes were written.
    pub(crate) fn wrote(&self, bytes: usize) {
        add(&self.counting.bytes_out, bytes);
    }
}
