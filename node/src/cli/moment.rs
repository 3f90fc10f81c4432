//! Moments and lengths of time as people type and read them, in UTC.

use ddt_ledger::Millis;

use super::connection::now_us;
use crate::failure::Failure;

const DAY_MS: u64 = 86_400_000;
/// Days from 0000-03-01 to 1970-01-01. Years are counted from March, so that the leap day is
/// a year's last.
const DAYS_TO_EPOCH: u64 = 719_468;
/// Days of 400 years.
const CYCLE: u64 = 146_097;
/// First year after those that can be typed.
const YEAR_END: u64 = 10_000;

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

/// `2026-01-31T12:00:00Z`, seconds optional; UTC and nothing else.
pub fn calendar(text: &str) -> Option<Millis> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', &[4, 2, 2])?[..] else { return None };
    let time = if time.len() == 5 { format!("{time}:00") } else { time.to_string() };
    let [hour, minute, second] = numbers(&time, ':', &[2, 2, 2])?[..] else { return None };
    let days = days(year, month, day)?;
    let is_time = hour < 24 && minute < 60 && second < 60;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let moment = Millis(seconds * 1_000);
    // A day that the month does not have comes back as another one.
    (is_time && show_date(moment) == date).then_some(moment)
}

/// Numbers of so many digits each.
fn numbers(text: &str, between: char, digits: &[usize]) -> Option<Vec<u64>> {
    let parts: Vec<&str> = text.split(between).collect();
    let is_plain = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = parts.len() == digits.len() && parts.iter().all(is_plain);
    let sizes = parts.iter().zip(digits).all(|(part, digits)| part.len() == *digits);
    (fits && sizes).then(|| parts.iter().filter_map(|part| part.parse().ok()).collect())
}

/// Days since 1970-01-01 of a Gregorian date.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_date = (1970..YEAR_END).contains(&year) && (1..=12).contains(&month) && day > 0;
    if !is_date || day > 31 {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (cycle, of_cycle) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let day = of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
    (cycle * CYCLE + day).checked_sub(DAYS_TO_EPOCH)
}

/// `2026-01-31`.
pub fn show_date(time: Millis) -> String {
    // Beyond the year 10^9 it does not matter: only no overflow.
    let days = (time.0 / DAY_MS).min(365_000_000_000) + DAYS_TO_EPOCH;
    let (cycle, day) = (days / CYCLE, days % CYCLE);
    let year = (day - day / 1_460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{date:02}", cycle * 400 + year + later)
}

/// `2026-01-31 12:00:00 UTC`.
pub fn show(time: Millis) -> String {
    let seconds = time.0 / 1_000 % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{} {hours:02}:{minutes:02}:{:02} UTC", show_date(time), seconds % 60)
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

    /// Broken by: a leap year that is forgotten or invented, or months of one length.
    #[test]
    fn moments_are_read_as_they_are_shown() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59Z", 951_868_740_000),
            ("2024-02-29T12:00:01Z", 1_709_208_001_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(calendar(text), Some(Millis(ms)), "{text}");
            assert!(show(Millis(ms)).starts_with(&text[..10]), "{text}");
        }
        for day in (0..80_000).map(|day| day * DAY_MS) {
            let text = format!("{}T00:00:00Z", show_date(Millis(day)));
            assert_eq!(calendar(&text), Some(Millis(day)), "{text}");
        }
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
            "2023-01-01 00:00Z",
            "soon",
            "-5s",
            "+5",
            "5",
            "5 s",
            "s",
            "99999999999999999999s",
        ] {
            assert_eq!(calendar(text).or(duration(text)), None, "{text}");
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
