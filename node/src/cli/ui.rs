//! `ddt wallet ui`: the wallet as pages in a browser on this machine.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::{Global, Output};
use crate::failure::Failure;

/// Shortest and longest time without use that `--lock-after` takes.
const LOCK_AFTER: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(24 * 3_600);

/// The wallet as pages in a browser on this machine.
#[derive(Args)]
pub struct UiArgs {
    /// Where the pages are served: an address of this machine alone; by default 127.0.0.1 and
    /// any free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Lock the wallet after this time without use, such as 90s, 5m or 1h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub lock_after: Duration,
    /// End when standard input ends: whoever started this holds the other side
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

/// `ddt wallet ui`.
pub fn run(global: &Global, args: &UiArgs, output: &Output) -> Result<(), Failure> {
    crate::wallet_ui::run(global, args, output)
}

/// Reads a number and its unit: ms, s, m or h.
fn duration(text: &str) -> Result<Duration, String> {
    let wanted = || "a time from 1ms to 24h is wanted, such as 90s, 5m or 1h".to_string();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit_ms = match text.strip_prefix(digits) {
        Some("ms") => 1,
        Some("s") => 1_000,
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        _ => return Err(wanted()),
    };
    let number: u64 = digits.parse().map_err(|_| wanted())?;
    let duration = number.checked_mul(unit_ms).map(Duration::from_millis);
    duration.filter(|duration| LOCK_AFTER.contains(duration)).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Broken by: taking a number without its unit, or no time at all.
    #[test]
    fn times_have_units_and_bounds() {
        for (text, ms) in [("250ms", 250), ("90s", 90_000), ("5m", 300_000), ("24h", 86_400_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "m", "0s", "25h", "-1s", "1.5m", "5 m", "5d", "99999999999999999999h"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
