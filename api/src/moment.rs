//! Moments as people read them: in UTC, to the second.

use ddt_ledger::Millis;
use time::UtcDateTime;

/// Date and time of day; what lies after the year 9999 reads as its last second.
pub fn date_time(time: Millis) -> UtcDateTime {
    let seconds = i64::try_from(time.0 / 1_000).ok();
    let moment = seconds.and_then(|seconds| UtcDateTime::from_unix_timestamp(seconds).ok());
    moment.unwrap_or(UtcDateTime::MAX)
}

/// `2026-01-31 12:00:00`.
pub fn shown(time: Millis) -> String {
    let moment = date_time(time);
    let (hour, minute, second) = moment.as_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}", moment.date())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: another unit or another zone of time.
    #[test]
    fn moments_are_dates() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_709_251_199_999, "2024-02-29 23:59:59"),
            (4_107_542_400_000, "2100-03-01 00:00:00"),
            (u64::MAX, "9999-12-31 23:59:59"),
        ] {
            assert_eq!(shown(Millis(ms)), text);
        }
    }
}
