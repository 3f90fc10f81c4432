//! What a name costs: 50 units a year, more for short names, over the value index; and, for a
//! while after it became free again, a premium that falls to nothing.

use ddt_ledger::context::Context;
use ddt_ledger::fees::Fees;
use ddt_ledger::{Amount, Millis, Refusal, refusals};

use super::name::DomainName;
use super::record::{DomainRow, Status};

const YEAR_UNITS: u64 = 50_000_000_000;
/// Longest term that can be bought at once, and furthest end of a renewed one, in years.
pub(crate) const YEARS_MAX: u8 = 10;
/// The premium starts at so many times the price of one year.
const PREMIUM_FACTOR: u64 = 1_000;
/// So often the premium halves until it is gone.
const HALVINGS: u32 = 21;

refusals! {
    TERM = "domains.term", "A name is bought for 1 to 10 years.";
    ABOVE_CAP = "domains.price_above_cap",
        "The price is above the highest one allowed; ask domains.price, and allow more or wait.";
}

pub(crate) fn check_term(years: u8) -> Result<(), Refusal> {
    if (1..=YEARS_MAX).contains(&years) { Ok(()) } else { Err(TERM) }
}

/// Length of so many of a domain's years.
pub(crate) fn years_ms(cx: &Context, years: u8) -> Millis {
    Millis(cx.params.domain_year_ms.0.saturating_mul(u64::from(years)))
}

/// The price of a name for a term (spec DOM-4).
pub(crate) fn price(fees: &Fees, name: &DomainName, years: u8) -> Amount {
    let factor = match name.as_str().len() {
        0..=3 => 20,
        4 => 5,
        5 => 2,
        _ => 1,
    };
    let units = YEAR_UNITS.saturating_mul(factor).saturating_mul(u64::from(years));
    fees.price(units)
}

/// What buying the name costs beyond its price now, `row` being its row (spec DOM-14).
pub(crate) fn premium_of(name: &DomainName, row: Option<&DomainRow>, cx: &Context) -> Amount {
    let Some(row) = row else { return Amount::ZERO };
    match (row.status(cx), row.contest) {
        (Status::Pending, Some(contest)) => contest.premium,
        (Status::Expired, _) => {
            let start = price(&cx.fees, name, 1).times(PREMIUM_FACTOR).unwrap_or(Amount::MAX);
            let elapsed = cx.clock.since(row.grace_until(cx));
            let units = falling(start.units(), elapsed.0, cx.params.domain_premium_ms.0);
            Amount::from_units(units).unwrap_or(Amount::MAX)
        }
        _ => Amount::ZERO,
    }
}

/// What is left of `start` after `elapsed` of `span`: halved so often in equal times, in a
/// straight line between two halvings, less where the last one ends, so that nothing is left
/// at the end.
fn falling(start: u128, elapsed: u64, span: u64) -> u128 {
    if elapsed >= span {
        return 0;
    }
    let span = u128::from(span);
    let steps = u128::from(elapsed).saturating_mul(u128::from(HALVINGS));
    let halvings = steps.checked_div(span).unwrap_or_default();
    let halvings = u32::try_from(halvings).unwrap_or(u32::MAX);
    let rest = steps.checked_rem(span).unwrap_or_default();
    let above = start.checked_shr(halvings).unwrap_or_default();
    let below = above / 2;
    // The part of the way to the next halving, in 32 bits, so that the product fits.
    let part = (rest << 32u32).checked_div(span).unwrap_or_default();
    let fallen = above.saturating_sub(below).saturating_mul(part) >> 32u32;
    let end = start.checked_shr(HALVINGS).unwrap_or_default();
    above.saturating_sub(fallen).saturating_sub(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: forgetting the end value, or a step between two halvings that does not meet
    /// the next one.
    #[test]
    fn a_premium_falls_from_all_to_nothing_and_never_rises() {
        let start = 50_000_000_000_000u128;
        for span in [1, 7, 21, 1_000, 1_814_400_000, u64::MAX] {
            assert_eq!(falling(start, 0, span), start - (start >> 21), "{span}");
            assert_eq!(falling(start, span, span), 0);
            let step = span.div_ceil(5_000);
            let times = (0..5_000).map(|i| step.saturating_mul(i)).take_while(|at| *at < span);
            let worth: Vec<u128> = times.map(|at| falling(start, at, span)).collect();
            assert!(worth.is_sorted_by(|a, b| a >= b), "{span}");
        }
        assert_eq!(falling(start, 0, 0), 0);
    }

    /// Broken by: a halving that comes too early or too late.
    #[test]
    fn a_premium_halves_twenty_one_times() {
        let (start, end) = (1u128 << 60, 1u128 << 39);
        for halvings in 0..21u64 {
            assert_eq!(falling(start, halvings * 10, 210), (start >> halvings) - end);
        }
        assert_eq!(falling(start, 5, 210), start / 4 * 3 - end, "half of the way to a half");
        assert!(falling(start, 209, 210) > 0);
        // Nothing overflows, however much and however long.
        assert!(falling(Amount::MAX.units(), 1, u64::MAX) < Amount::MAX.units());
    }
}
