//! Moments in words: as a date, and as how long from now.

use serde_json::Value as Json;

/// A moment of the ledger, in milliseconds since 1970, as a date and a time of day.
pub fn date(ms: u64) -> String {
    let (days, seconds) = (ms / 86_400_000, ms / 1_000 % 86_400);
    // Howard Hinnant's algorithm: years begin in March, eras have 400 of them.
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The date at a pointer of an answer; nothing where there is none.
pub fn date_at(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_u64).map(date).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::date;

    // Broken by: a leap year too many or too few.
    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, want) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399_000, "2000-02-28 23:59:59 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00 UTC"),
            (951_868_800_999, "2000-03-01 00:00:00 UTC"),
            (1_700_000_000_000, "2023-11-14 22:13:20 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(date(ms), want);
        }
        assert!(date(u64::MAX).ends_with("UTC"), "nothing overflows");
    }
}
