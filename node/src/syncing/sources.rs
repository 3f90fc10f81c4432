//! How long is waited for pieces: of each peer, and of all together.

use std::time::{Duration, Instant};

/// Pieces under way from one peer.
const UNDER_WAY_EACH: usize = 4;
/// A peer that fails so often in a row is not asked for this snapshot any more.
const FAILURES_MAX: u32 = 3;
/// A peer that failed rests so long, times its failures.
const REST: Duration = Duration::from_secs(5);
/// Without a piece for so long a snapshot is given up.
const PATIENCE: Duration = Duration::from_secs(45);
/// One of which fewer pieces than this come in [`PACE`] is given up too.
const PACE_PIECES: usize = 8;
const PACE: Duration = Duration::from_secs(60);

/// A peer that has the snapshot.
#[derive(Default)]
pub struct Source {
    /// Pieces that it was asked for.
    pub under_way: usize,
    /// How often in a row it failed.
    pub failures: u32,
    /// When it failed last: what it was asked before then does not count against it again.
    failed: Option<Instant>,
}

impl Source {
    /// Whether it may be asked for one more.
    pub fn is_free(&self) -> bool {
        let rest = REST.saturating_mul(self.failures);
        self.under_way < UNDER_WAY_EACH && self.failed.is_none_or(|failed| failed.elapsed() >= rest)
    }

    /// A piece came: what was before is forgotten.
    pub fn gave(&mut self) {
        (self.failures, self.failed) = (0, None);
    }

    /// Counts a failure of what it was asked at `asked`. Says whether that was one too many.
    pub fn fail(&mut self, asked: Instant, now: Instant) -> bool {
        if self.failed.is_none_or(|failed| asked >= failed) {
            self.failures = self.failures.saturating_add(1);
            self.failed = Some(now);
        }
        self.failures >= FAILURES_MAX
    }
}

/// Whether pieces still come, and fast enough.
pub struct Pace {
    last: Instant,
    window: Instant,
    pieces: usize,
}

impl Pace {
    /// From now on.
    pub fn begin(now: Instant) -> Pace {
        Pace { last: now, window: now, pieces: 0 }
    }

    /// A piece came.
    pub fn piece(&mut self, now: Instant) {
        self.last = now;
        self.pieces = self.pieces.saturating_add(1);
    }

    /// Whether it is time to give up.
    pub fn is_over(&mut self, now: Instant) -> bool {
        let is_slow = now.duration_since(self.window) > PACE && self.pieces < PACE_PIECES;
        if now.duration_since(self.window) > PACE {
            (self.window, self.pieces) = (now, 0);
        }
        is_slow || now.duration_since(self.last) > PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: patience that begins again with every peer that offers the snapshot, or with
    /// every failure; pieces that come one by one, for ever.
    #[test]
    fn a_snapshot_whose_pieces_do_not_come_is_given_up() {
        let start = Instant::now();
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut pace = Pace::begin(start);
        assert!(!pace.is_over(at(40)));
        pace.piece(at(40));
        assert!(!pace.is_over(at(59)), "a piece came");
        assert!(pace.is_over(at(80)), "one a minute is too few");
        let mut pace = Pace::begin(start);
        assert!(pace.is_over(at(46)), "none came");
        let mut pace = Pace::begin(start);
        for second in 1..600 {
            pace.piece(at(second));
            assert!(!pace.is_over(at(second)));
        }
    }

    /// Broken by: one pause of a peer that costs it as many failures as it was asked pieces; a
    /// peer that is never out.
    #[test]
    fn a_source_fails_out_of_a_snapshot_and_one_pause_is_one_failure() {
        let start = Instant::now();
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut source = Source::default();
        for _ in 0..UNDER_WAY_EACH {
            assert!(!source.fail(start, at(15)));
        }
        assert!(!source.fail(at(20), at(35)));
        assert!(source.fail(at(45), at(60)));
    }
}
