//! Token buckets: so much a second on average, so much at once.

use std::time::{Duration, Instant};

/// A bucket that fills with time.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    size: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: f64, size: f64, now: Instant) -> Bucket {
        let (rate, size) = (rate.max(1.0), size.max(1.0));
        Bucket { rate, size, level: size, at: now }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * self.rate).min(self.size);
        self.at = self.at.max(now);
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let is_there = self.level >= 1.0;
        if is_there {
            self.level -= 1.0;
        }
        is_there
    }

    /// Takes so many, even if they are not there, and says how long to wait until they are.
    pub(crate) fn owe(&mut self, many: f64, now: Instant) -> Duration {
        self.fill(now);
        self.level -= many;
        match self.level < 0.0 {
            true => Duration::try_from_secs_f64(-self.level / self.rate).unwrap_or(Duration::MAX),
            false => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: a bucket that never fills, that fills beyond its size, or that forgets debts.
    #[test]
    fn it_gives_what_it_has_and_fills_with_time() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut bucket = Bucket::new(10.0, 3.0, start);
        assert!((0..3).all(|_| bucket.take(start)));
        assert!(!bucket.take(start));
        assert!(!bucket.take(at(50)), "half a token");
        assert!(bucket.take(at(100)));
        assert_eq!(
            (0..9).filter(|_| bucket.take(at(9_000))).count(),
            3,
            "never more than its size"
        );
        assert_eq!(bucket.owe(5.0, at(9_000)), Duration::from_millis(500));
        assert!(!bucket.take(at(9_400)));
        assert!(bucket.take(at(9_600)));
        assert!(!bucket.take(at(9_000)), "a clock that goes back gives nothing");
    }
}
