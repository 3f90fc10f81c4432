//! How long the events took that this node took in, until they were promised, and final.

use std::collections::VecDeque;
use std::time::Duration;

use ddt_api::{Histogram, Percentiles, StageTimes};

/// So many of the newest are remembered one by one.
const NEWEST_MAX: usize = 1_024;

/// Times of both stages, since the node last started, also in another role.
#[derive(Default)]
pub struct Stages {
    /// To a router's promise.
    pub sequenced: Took,
    /// To the book.
    pub in_book: Took,
}

impl Stages {
    /// For `/v1/status`.
    pub fn newest(&self) -> StageTimes {
        StageTimes { sequenced: self.sequenced.newest(), in_book: self.in_book.newest() }
    }

    /// For `/metrics`.
    pub fn write(&self, text: &mut String) {
        const NAME: &str = "ddt_event_stage_seconds";
        let help = "From when the node took an event in until it was at this stage.";
        text.push_str(&format!("# HELP {NAME} {help}\n# TYPE {NAME} histogram\n"));
        self.sequenced.all.write(text, NAME, "stage=\"sequenced\"");
        self.in_book.all.write(text, NAME, "stage=\"final\"");
    }
}

/// Times of one stage.
#[derive(Default)]
pub struct Took {
    all: Histogram,
    newest: VecDeque<Duration>,
    events: u64,
}

impl Took {
    /// One more event got there.
    pub fn add(&mut self, time: Duration) {
        self.all.add(time);
        self.events = self.events.saturating_add(1);
        if self.newest.len() >= NEWEST_MAX {
            self.newest.pop_front();
        }
        self.newest.push_back(time);
    }

    fn newest(&self) -> Percentiles {
        let mut sorted: Vec<Duration> = self.newest.iter().copied().collect();
        sorted.sort_unstable();
        // Nearest rank, and whole milliseconds from which on it is true.
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100);
            let time = sorted.get(rank.checked_sub(1)?)?;
            u64::try_from(time.as_micros().div_ceil(1_000)).ok()
        };
        Percentiles { events: self.events, p50_ms: at(50), p99_ms: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: percentiles of all times that ever were, ranks that are one off, milliseconds
    // rounded down to nothing.
    #[test]
    fn percentiles_are_of_the_newest() {
        let mut took = Took::default();
        assert_eq!(took.newest(), Percentiles { events: 0, p50_ms: None, p99_ms: None });
        took.add(Duration::from_micros(300));
        assert_eq!(took.newest(), Percentiles { events: 1, p50_ms: Some(1), p99_ms: Some(1) });
        for ms in 1..=NEWEST_MAX as u64 {
            took.add(Duration::from_millis(10 * ms));
        }
        let all = Percentiles { events: 1_025, p50_ms: Some(5_120), p99_ms: Some(10_140) };
        assert_eq!(took.newest(), all);
        for _ in 0..NEWEST_MAX {
            took.add(Duration::from_millis(7));
        }
        let newest = Percentiles { events: 2_049, p50_ms: Some(7), p99_ms: Some(7) };
        assert_eq!(took.newest(), newest);
    }
}
