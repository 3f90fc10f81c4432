//! What a name costs: 50 units a year, more for short names, over the value index.

use ddt_ledger::fees::Fees;
use ddt_ledger::{Amount, Refusal, refusals};

use super::name::DomainName;

const YEAR_UNITS: u64 = 50_000_000_000;
/// Longest term that can be bought at once, in years.
pub(crate) const YEARS_MAX: u8 = 10;

refusals! {
    TERM = "domains.term", "A name is bought for 1 to 10 years.";
}

pub(crate) fn check_term(years: u8) -> Result<(), Refusal> {
    if (1..=YEARS_MAX).contains(&years) { Ok(()) } else { Err(TERM) }
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
