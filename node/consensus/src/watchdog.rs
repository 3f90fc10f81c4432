//! Says so when a reply is outstanding for long. A missing reply stalls consensus silently.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Outstanding longer than this is reported.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_secs(5);

type Outstanding = Mutex<Ledger>;

#[derive(Default)]
struct Ledger {
    next: u64,
    open: BTreeMap<u64, (&'static str, u64, Instant)>,
}

fn lock(outstanding: &Outstanding) -> MutexGuard<'_, Ledger> {
    outstanding.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Knows which replies the engine is waiting for.
#[derive(Clone, Default)]
pub(crate) struct Watchdog(Arc<Outstanding>);

/// A reply owed; dropped when given.
pub(crate) struct Owed(u64, Weak<Outstanding>);

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(outstanding) = self.1.upgrade() {
            lock(&outstanding).open.remove(&self.0);
        }
    }
}

impl Watchdog {
    /// A watchdog with a task of its own, which ends with it.
    pub(crate) fn spawn() -> Watchdog {
        let watchdog = Watchdog::default();
        let outstanding = Arc::downgrade(&watchdog.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let Some(outstanding) = outstanding.upgrade() else { return };
                for (reply, height, waiting) in overdue(&outstanding, Instant::now()) {
                    tracing::error!(
                        reply,
                        height,
                        seconds = waiting.as_secs(),
                        "consensus is stalled: the application has not answered"
                    );
                }
            }
        });
        watchdog
    }

    /// Notes that a reply is owed from now on.
    pub(crate) fn owe(&self, reply: &'static str, height: u64) -> Owed {
        let mut ledger = lock(&self.0);
        let id = ledger.next;
        ledger.next = ledger.next.wrapping_add(1);
        ledger.open.insert(id, (reply, height, Instant::now()));
        Owed(id, Arc::downgrade(&self.0))
    }
}

fn overdue(outstanding: &Outstanding, now: Instant) -> Vec<(&'static str, u64, Duration)> {
    let ledger = lock(outstanding);
    let waiting = ledger
        .open
        .values()
        .map(|(reply, height, since)| (*reply, *height, now.saturating_duration_since(*since)));
    waiting.filter(|(_, _, waiting)| *waiting > PATIENCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks when a given reply stays listed, or an owed one is never reported.
    #[test]
    fn only_old_and_owed_replies_are_overdue() {
        let watchdog = Watchdog::default();
        let given = watchdog.owe("given", 1);
        let _owed = watchdog.owe("owed", 2);
        drop(given);
        let now = Instant::now();
        assert!(overdue(&watchdog.0, now).is_empty());
        let later = overdue(&watchdog.0, now + PATIENCE * 2);
        assert_eq!(later.iter().map(|(reply, ..)| *reply).collect::<Vec<_>>(), ["owed"]);
    }
}
