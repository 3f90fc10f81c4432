//! Moments as people write them, always in UTC: `2026-11-21` and `2026-11-21T15:03:52Z`.

use ddt_ledger::Millis;

use crate::failure::Failure;

const DAY_MS: u64 = 86_400_000;
/// Four digits of year are all that is read and written.
const YEAR_MAX: u64 = 9999;

/// A moment, to the second.
pub fn text(time: Millis) -> String {
    let (days, in_day) = (time.0 / DAY_MS, time.0 % DAY_MS / 1_000);
    let (year, month, day) = date_of(days);
    if year > YEAR_MAX {
        return format!("{} ms", time.0);
    }
    let (hours, minutes, seconds) = (in_day / 3_600, in_day / 60 % 60, in_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// The first moment that a text means: a day's begins at midnight.
pub fn start(text: &str) -> Result<Millis, Failure> {
    read(text).map(|(start, _)| start)
}

/// The last moment that a text means: a day's is its last millisecond.
pub fn end(text: &str) -> Result<Millis, Failure> {
    read(text).map(|(start, length)| Millis(start.0 + length - 1))
}

fn read(text: &str) -> Result<(Millis, u64), Failure> {
    let wrong = || {
        let shown: String = text.chars().take(40).collect();
        Failure::usage(format!(
            "{shown} is no date: write 2026-11-21 or 2026-11-21T15:03:52Z, in UTC"
        ))
    };
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let [year, month, day] = numbers(date, '-', [4, 2, 2]).ok_or_else(wrong)?;
    let is_date = year >= 1970 && (1..=12).contains(&month);
    if !is_date || !(1..=days_in(year, month)).contains(&day) {
        return Err(wrong());
    }
    let midnight = days_before(year, month, day) * DAY_MS;
    let Some(time) = time else { return Ok((Millis(midnight), DAY_MS)) };
    let time = time.strip_suffix('Z').ok_or_else(wrong)?;
    let [hours, minutes, seconds] = numbers(time, ':', [2, 2, 2]).ok_or_else(wrong)?;
    if hours > 23 || minutes > 59 || seconds > 59 {
        return Err(wrong());
    }
    Ok((Millis(midnight + (hours * 3_600 + minutes * 60 + seconds) * 1_000), 1_000))
}

/// Three numbers of fixed widths.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let parts: [&str; 3] = parts.try_into().ok()?;
    let mut numbers = [0; 3];
    for ((number, part), width) in numbers.iter_mut().zip(parts).zip(widths) {
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    Some(numbers)
}

fn is_leap(year: u64) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, for a date not before it.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    // Leap days of whole years before, counted from year 1 and again up to 1970.
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    years + (1..month).map(|month| days_in(year, month)).sum::<u64>() + day - 1
}

fn date_of(mut days: u64) -> (u64, u64, u64) {
    // Whole cycles of 400 years first, so that the rest is at most 400 steps.
    const CYCLE_DAYS: u64 = 146_097;
    let mut year = 1970 + 400 * (days / CYCLE_DAYS);
    days %= CYCLE_DAYS;
    let length = |year: u64| if is_leap(year) { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    (year, month, days + 1)
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
        assert_eq!(text(Millis(u64::MAX)), format!("{} ms", u64::MAX));
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
