//! Moments as people write them, always in UTC: `2026-11-21` and `2026-11-21T15:03:52Z`.

use ddt_ledger::Millis;

use crate::cli::moment::{calendar, show_date};
use crate::failure::Failure;

const DAY_MS: u64 = 86_400_000;
const SECOND_MS: u64 = 1_000;

/// A moment, to the second.
pub fn text(time: Millis) -> String {
    let seconds = time.0 / SECOND_MS % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{}T{hours:02}:{minutes:02}:{:02}Z", show_date(time), seconds % 60)
}

/// The first moment that a text means: a day's begins at midnight.
pub fn start(text: &str) -> Result<Millis, Failure> {
    read(text).map(|(start, _)| start)
}

/// The last moment that a text means: a day's is its last millisecond.
pub fn end(text: &str) -> Result<Millis, Failure> {
    read(text).map(|(start, length)| Millis(start.0 + length - 1))
}

/// A day or a second, and its length.
fn read(text: &str) -> Result<(Millis, u64), Failure> {
    let day = calendar(&format!("{text}T00:00:00Z")).map(|start| (start, DAY_MS));
    let second = || calendar(text).map(|start| (start, SECOND_MS));
    day.or_else(second).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Failure::usage(format!(
            "{shown} is no date: write 2026-11-21 or 2026-11-21T15:03:52Z, in UTC"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks when: a leap day is missed, or a day does not last to its end.
    #[test]
    fn dates_are_read_and_written() {
        for (written, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799_000),
            ("2000-03-01T00:00:00Z", 951_868_800_000),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000),
            ("2026-11-21T15:03:52Z", 1_795_273_432_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000),
        ] {
            assert_eq!(text(Millis(ms)), written);
            assert_eq!(start(written).unwrap(), Millis(ms));
        }
        assert_eq!(start("2026-11-21").unwrap().0, 1_795_219_200_000);
        assert_eq!(end("2026-11-21").unwrap().0, 1_795_219_200_000 + DAY_MS - 1);
        assert_eq!(end("2026-11-21T15:03:52Z").unwrap().0, 1_795_273_432_999);
        assert!(text(Millis(u64::MAX)).ends_with('Z'), "nothing overflows");
    }

    /// Breaks when: something is guessed.
    #[test]
    fn other_texts_are_no_dates() {
        for wrong in [
            "",
            "2026",
            "2026-1-2",
            "21.11.2026",
            "2026-13-01",
            "2026-02-29",
            "2026-00-01",
            "2026-01-00",
            "1969-12-31",
            "2026-01-01T00:00",
            "2026-01-01T00:00:00",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "+026-01-01",
            "２０２６-01-01",
            "2026-01-01 ",
            "2026-01-01T00:00:00+01:00",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
