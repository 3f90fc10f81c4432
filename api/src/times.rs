//! Times and how they are told in `/metrics`; how a listener answered, and how long it took.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::routes::status::family;

/// Upper bounds of the histogram's buckets, in milliseconds.
const BOUNDS_MS: [u64; 13] = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000];

/// Times, counted in buckets from a millisecond to a minute.
#[derive(Debug, Default)]
pub struct Histogram {
    /// How many were at most as long as each bound says.
    within: [u64; BOUNDS_MS.len()],
    count: u64,
    total: Duration,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        for (within, bound) in self.within.iter_mut().zip(BOUNDS_MS) {
            if time <= Duration::from_millis(bound) {
                *within = within.saturating_add(1);
            }
        }
        self.count = self.count.saturating_add(1);
        self.total = self.total.saturating_add(time);
    }

    /// Its lines in Prometheus' text format, in seconds. `labels` are those of all of them, such
    /// as `stage="final"`, or nothing.
    pub fn write(&self, text: &mut String, name: &str, labels: &str) {
        let (comma, whole) = match labels {
            "" => ("", String::new()),
            _ => (",", format!("{{{labels}}}")),
        };
        let (count, total) = (self.count, self.total);
        for (within, bound) in self.within.iter().zip(BOUNDS_MS) {
            let bound = format!("{}.{:03}", bound / 1_000, bound % 1_000);
            let bound = bound.trim_end_matches('0').trim_end_matches('.');
            text.push_str(&format!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {within}\n"));
        }
        text.push_str(&format!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}\n"));
        let (seconds, micros) = (total.as_secs(), total.subsec_micros());
        text.push_str(&format!("{name}_sum{whole} {seconds}.{micros:06}\n"));
        text.push_str(&format!("{name}_count{whole} {count}\n"));
    }
}

#[derive(Default)]
struct Counts {
    by_status: BTreeMap<u16, u64>,
    times: Histogram,
}

/// Answers by status, and a histogram of their times. A stream counts until it begins, a
/// submission with what was waited for.
#[derive(Default)]
pub(crate) struct Times(Mutex<Counts>);

impl Times {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    pub(crate) fn answered(&self, status: u16, time: Duration) {
        let mut counts = self.lock();
        let count = counts.by_status.entry(status).or_default();
        *count = count.saturating_add(1);
        counts.times.add(time);
    }

    pub(crate) fn write(&self, text: &mut String) {
        let counts = self.lock();
        let name = "ddt_http_requests_total";
        family(text, name, "counter", "Requests answered, by status.");
        for (status, count) in &counts.by_status {
            text.push_str(&format!("{name}{{status=\"{status}\"}} {count}\n"));
        }
        let name = "ddt_http_request_duration_seconds";
        family(text, name, "histogram", "From a request's head to its answer's.");
        counts.times.write(text, name, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: buckets that do not add up what is below them, or bounds in another unit.
    #[test]
    fn buckets_are_cumulative_and_in_seconds() {
        let times = Times::default();
        times.answered(200, Duration::from_millis(5));
        times.answered(200, Duration::from_millis(30));
        times.answered(503, Duration::from_secs(100));
        let mut text = String::new();
        times.write(&mut text);
        for line in [
            "ddt_http_requests_total{status=\"200\"} 2",
            "ddt_http_requests_total{status=\"503\"} 1",
            "ddt_http_request_duration_seconds_bucket{le=\"0.001\"} 0",
            "ddt_http_request_duration_seconds_bucket{le=\"0.005\"} 1",
            "ddt_http_request_duration_seconds_bucket{le=\"0.05\"} 2",
            "ddt_http_request_duration_seconds_bucket{le=\"10\"} 2",
            "ddt_http_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "ddt_http_request_duration_seconds_sum 100.035000",
            "ddt_http_request_duration_seconds_count 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        let (mut labelled, mut times) = (String::new(), Histogram::default());
        times.add(Duration::from_millis(1_500));
        times.write(&mut labelled, "time", "stage=\"final\"");
        for line in [
            "time_bucket{stage=\"final\",le=\"1\"} 0",
            "time_bucket{stage=\"final\",le=\"2.5\"} 1",
            "time_sum{stage=\"final\"} 1.500000",
            "time_count{stage=\"final\"} 1",
        ] {
            assert!(labelled.lines().any(|found| found == line), "{line} in\n{labelled}");
        }
    }
}
