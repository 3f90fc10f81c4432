//! Prices: units of the economy divided by the value index V (ECONOMY of the spec, FEE-1 …).

use borsh::{BorshDeserialize, BorshSerialize};
use rust_decimal::Decimal;

use crate::amount::Amount;

/// Prices in force, derived from the value index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fees {
    index: ValueIndex,
}

/// The published index V that prices services; 1 until the economy computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ValueIndex {
    /// V in millionths, at least 1.
    pub millionths: u64,
}

impl ValueIndex {
    /// V = 1.
    pub const ONE: ValueIndex = ValueIndex { millionths: 1_000_000 };

    /// As a decimal.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(i64::try_from(self.millionths.max(1)).unwrap_or(i64::MAX), 6)
    }
}

impl Fees {
    /// Base price of an event, in units of 10⁻⁹ (0.0005).
    const EVENT_UNITS: u64 = 500_000;
    /// Price of each byte of an event, in units of 10⁻⁹ (0.000002).
    const BYTE_UNITS: u64 = 2_000;

    /// Prices at this index.
    pub fn at(index: ValueIndex) -> Fees {
        Fees { index }
    }

    /// `units` (in 10⁻⁹) over V, rounded up; the largest amount where that overflows.
    pub fn price(&self, units: u64) -> Amount {
        let apt = Decimal::from_i128_with_scale(i128::from(units), crate::amount::SCALE);
        let price = apt.checked_div(self.index.to_decimal());
        price.and_then(Amount::from_decimal_up).unwrap_or(Amount::MAX)
    }

    /// The fee of an event of so many bytes: 0.0005 + 0.000002 a byte, over V.
    pub fn event(&self, bytes: usize) -> Amount {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let units = bytes.saturating_mul(Fees::BYTE_UNITS).saturating_add(Fees::EVENT_UNITS);
        self.price(units)
    }
}
