//! Money: whole numbers of 10⁻⁹ APT.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::refusal::Refusal;

/// Digits after the point: one APT is 10⁹ units.
pub const SCALE: u32 = 9;

/// An amount of APT in units of 10⁻⁹, never negative, at most [`Amount::MAX`].
///
/// Arithmetic is checked: every operation that could leave the range returns `None`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Amount(u128);

crate::refusals! {
    MALFORMED = "amount.malformed", "An amount is a number of APT such as 12 or 0.5, not negative.";
    TOO_FINE = "amount.too_fine", "An amount has at most nine digits after the point.";
    TOO_LARGE = "amount.too_large", "An amount is at most 10^18 APT.";
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// 10¹⁸ APT: fits a `Decimal` with nine digits after the point.
    pub const MAX: Amount = Amount(1_000_000_000_000_000_000_000_000_000);

    /// An amount in units of 10⁻⁹ APT; `None` above [`Amount::MAX`].
    pub const fn from_units(units: u128) -> Option<Amount> {
        if units <= Amount::MAX.0 { Some(Amount(units)) } else { None }
    }

    /// Whole APT. A `u64` of them can exceed the maximum: then the maximum.
    pub const fn from_apt(apt: u64) -> Amount {
        let units = (apt as u128).saturating_mul(1_000_000_000);
        if units <= Amount::MAX.0 { Amount(units) } else { Amount::MAX }
    }

    /// In units of 10⁻⁹ APT.
    pub const fn units(self) -> u128 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, if it is an amount.
    pub fn plus(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).and_then(Amount::from_units)
    }

    /// The difference, if it is an amount.
    pub fn minus(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// The product, if it is an amount.
    pub fn times(self, factor: u64) -> Option<Amount> {
        self.0.checked_mul(u128::from(factor)).and_then(Amount::from_units)
    }

    /// Half of it, rounded down.
    pub fn half(self) -> Amount {
        Amount(self.0 / 2)
    }

    /// In APT.
    pub fn to_decimal(self) -> Decimal {
        // `MAX` is below 2^96, so the conversion always fits.
        let units = i128::try_from(self.0).unwrap_or(i128::MAX);
        Decimal::try_from_i128_with_scale(units, SCALE).unwrap_or(Decimal::MAX).normalize()
    }

    /// This amount of APT, rounded up to a whole unit (fees are rounded up).
    pub fn from_decimal_up(apt: Decimal) -> Option<Amount> {
        let rounded = apt.round_dp_with_strategy(SCALE, RoundingStrategy::ToPositiveInfinity);
        let units = rounded.checked_mul(Decimal::from(1_000_000_000u64))?;
        u128::try_from(units).ok().and_then(Amount::from_units)
    }
}

impl FromStr for Amount {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Amount, Refusal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(MALFORMED);
        }
        if fraction.len() > SCALE as usize {
            return Err(TOO_FINE);
        }
        if whole.len() > 19 {
            return Err(TOO_LARGE);
        }
        let decimal = Decimal::from_str_exact(text).map_err(|_| TOO_LARGE)?;
        Amount::from_decimal_up(decimal).ok_or(TOO_LARGE)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl BorshDeserialize for Amount {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Amount> {
        let units = u128::deserialize_reader(reader)?;
        Amount::from_units(units).ok_or_else(|| std::io::Error::other(TOO_LARGE))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
