//! Moments and lengths of time as people type and read them, in UTC.

use ddt_api::moment::{date_time, shown};
use ddt_ledger::Millis;
use serde_json::Value as Json;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, PrimitiveDateTime};

use super::connection::{now_us, text as text_at};
use crate::failure::Failure;

const SECOND_MS: u64 = 1_000;
const DAY_MS: u64 = 86_400_000;
const DAY: &[BorrowedFormatItem] = format_description!("[year]-[month]-[day]");
const MINUTE: &[BorrowedFormatItem] = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
const SECOND: &[BorrowedFormatItem] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// What this machine's clock says.
pub fn now() -> Millis {
    Millis(now_us() / 1_000)
}

/// `90s`, `30m`, `12h`, `7d`, `250ms`.
pub fn duration(text: &str) -> Option<Millis> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return None,
    };
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = is_plain.then(|| digits.parse().ok()).flatten()?;
    count.checked_mul(unit).map(Millis)
}

/// A moment: `2026-01-31T12:00:00Z`, `12h` from `now`, or milliseconds since 1970.
///
/// # Errors
/// Names `what` is wanted and how it is typed.
pub fn read(what: &str, text: &str, now: Millis) -> Result<Millis, Failure> {
    let plain = (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok().map(Millis))
        .flatten();
    let ahead = duration(text).map(|length| now.plus(length));
    plain.or(ahead).or_else(|| calendar(text)).ok_or_else(|| {
        Failure::usage(format!(
            "{what}: {text} is no time; want 90s, 30m, 12h or 7d from now, or a moment such as \
             2026-01-31T12:00:00Z"
        ))
    })
}

/// `2026-01-31T12:00:00Z`, seconds optional; UTC and nothing else, from 1970 on.
fn calendar(text: &str) -> Option<Millis> {
    let second = PrimitiveDateTime::parse(text, SECOND);
    since_1970(second.or_else(|_| PrimitiveDateTime::parse(text, MINUTE)).ok()?)
}

fn since_1970(moment: PrimitiveDateTime) -> Option<Millis> {
    let seconds = u64::try_from(moment.as_utc().unix_timestamp()).ok()?;
    seconds.checked_mul(SECOND_MS).map(Millis)
}

/// The first and the last millisecond that a text means: a day's, or a second's.
///
/// # Errors
/// The text is neither.
pub fn period(text: &str) -> Result<(Millis, Millis), Failure> {
    let day = Date::parse(text, DAY).ok().and_then(|day| since_1970(day.midnight()));
    let day = day.map(|start| (start, DAY_MS));
    let second = || {
        let moment = PrimitiveDateTime::parse(text, SECOND).ok().and_then(since_1970);
        moment.map(|start| (start, SECOND_MS))
    };
    let found = day.or_else(second).map(|(start, length)| (start, Millis(start.0 + length - 1)));
    found.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Failure::usage(format!(
            "{shown} is no date: write 2026-11-21 or 2026-11-21T15:03:52Z, in UTC"
        ))
    })
}

/// `2026-01-31 12:00:00 UTC`.
pub fn show(time: Millis) -> String {
    format!("{} UTC", shown(time))
}

/// `2026-01-31T12:00:00Z`, as it is typed.
pub fn text(time: Millis) -> String {
    let (hour, minute, second) = date_time(time).as_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", date_time(time).date())
}

/// The moment at a pointer of an answer; nothing where there is none.
pub fn show_at(json: &Json, pointer: &str) -> String {
    let time = text_at(json, pointer).and_then(|ms| ms.parse().ok());
    time.map(|ms| show(Millis(ms))).unwrap_or_default()
}

/// A length of time in its two largest units: `3 h 20 min`.
pub fn span(length: Millis) -> String {
    let seconds = length.0.div_ceil(1_000);
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: another unit, or a text that is not read as it is shown.
    #[test]
    fn moments_are_read_as_they_are_shown() {
        for (typed, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:00Z", 951_868_740_000),
            ("2024-02-29T12:00:01Z", 1_709_208_001_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            let time = Millis(ms);
            assert_eq!(calendar(typed), Some(time), "{typed}");
            assert_eq!(text(time), typed);
            assert_eq!(show(time), format!("{} {} UTC", &typed[..10], &typed[11..19]));
            assert_eq!(period(typed).unwrap(), (time, Millis(ms + 999)));
        }
        assert_eq!(calendar("2000-02-29T23:59Z"), Some(Millis(951_868_740_000)));
        let day = Millis(1_795_219_200_000);
        assert_eq!(period("2026-11-21").unwrap(), (day, Millis(day.0 + DAY_MS - 1)));
        assert!(text(Millis(u64::MAX)).ends_with('Z'), "nothing overflows");
    }

    /// Broken by: days that no month has, other zones of time, signs and spaces.
    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "Z",
            "2023-02-29T00:00Z",
            "2023-04-31T00:00Z",
            "2023-13-01T00:00Z",
            "2023-00-01T00:00Z",
            "2023-01-00T00:00Z",
            "1969-12-31T00:00Z",
            "2023-1-1T00:00Z",
            "2023-01-01T24:00Z",
            "2023-01-01T00:60Z",
            "2023-01-01T00:00:60Z",
            "2023-01-01T00:00",
            "2023-01-01T00:00+01:00",
            "2023-01-01T00:00:00+01:00",
            "2023-01-01 00:00Z",
            "2023-01-01 ",
            "21.11.2026",
            "+026-01-01",
            "２０２６-01-01",
            "soon",
            "-5s",
            "+5",
            "5",
            "5 s",
            "s",
            "99999999999999999999s",
        ] {
            assert_eq!(calendar(text).or(duration(text)), None, "{text}");
            assert!(period(text).is_err(), "{text}");
        }
        assert_eq!(read("time", "5", Millis(9)).unwrap(), Millis(5));
        assert_eq!(read("time", "2m", Millis(9)).unwrap(), Millis(120_009));
        assert!(read("time", "soon", Millis(9)).unwrap_err().words.contains("soon"));
    }

    #[test]
    fn lengths_are_shown_in_two_units() {
        for (ms, text) in [
            (0, "0 s"),
            (1, "1 s"),
            (61_000, "1 min 1 s"),
            (12_000_000, "3 h 20 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Millis(ms)), text);
        }
    }
}
