//! Money as text and numbers: never more, never less, never negative.

use ddt_ledger::Amount;
use ddt_ledger::amount::{MALFORMED, TOO_FINE, TOO_LARGE};
use ddt_ledger::codec::{CodecError, decode, encode};
use proptest::prelude::*;

const MAX: u128 = 1_000_000_000_000_000_000_000_000_000;

/// Broken by: another scale, showing trailing zeros, or losing the ninth digit.
#[test]
fn texts_are_read_and_shown() {
    for (text, units, shown) in [
        ("0", 0, "0"),
        ("0.0", 0, "0"),
        ("12", 12_000_000_000, "12"),
        ("0.5", 500_000_000, "0.5"),
        ("1.10", 1_100_000_000, "1.1"),
        ("007", 7_000_000_000, "7"),
        ("0.000000001", 1, "0.000000001"),
        ("123456789.987654321", 123_456_789_987_654_321, "123456789.987654321"),
        ("1000000000000000000", MAX, "1000000000000000000"),
        ("1000000000000000000.000000000", MAX, "1000000000000000000"),
        ("999999999999999999.999999999", MAX - 1, "999999999999999999.999999999"),
    ] {
        let amount: Amount = text.parse().expect(text);
        assert_eq!((amount.units(), amount.to_string().as_str()), (units, shown), "{text}");
    }
}

/// Broken by: accepting signs, exponents, blanks, separators, a tenth digit, or more than MAX.
#[test]
fn each_wrong_text_is_refused_for_its_reason() {
    let malformed = [
        "", ".", "1.", ".5", "-1", "+1", "1e9", "1 ", " 1", "1,5", "1_000", "0x10", "1.2.3", "NaN",
        "inf", "١", "1.-5", "－1",
    ];
    let too_fine = ["0.0000000001", "1.0000000000", "99999999999999999999999.0000000001"];
    let too_large = [
        "1000000000000000000.000000001",
        "1000000000000000001",
        "9999999999999999999",
        "9999999999999999999.999999999",
        "10000000000000000000",
        "99999999999999999999999999999999999999999999999999",
    ];
    for (texts, refusal) in
        [(&malformed[..], MALFORMED), (&too_fine[..], TOO_FINE), (&too_large[..], TOO_LARGE)]
    {
        for text in texts {
            assert_eq!(text.parse::<Amount>(), Err(refusal), "{text:?}");
        }
    }
}

/// Broken by: decoding without the range check.
#[test]
fn bytes_above_the_largest_amount_are_refused() {
    assert_eq!(decode::<Amount>(&MAX.to_le_bytes(), 16).expect("the largest"), Amount::MAX);
    for units in [MAX + 1, u128::MAX] {
        let error = decode::<Amount>(&units.to_le_bytes(), 16);
        assert!(matches!(error, Err(CodecError::Field(refusal)) if refusal == TOO_LARGE));
    }
    assert_eq!(Amount::from_units(MAX + 1), None);
    assert_eq!(Amount::from_apt(u64::MAX), Amount::MAX);
}

/// Broken by: reading JSON numbers (which lose digits) as amounts.
#[test]
fn json_amounts_are_texts() {
    let amount: Amount = serde_json::from_str("\"0.000000001\"").expect("an amount");
    assert_eq!(serde_json::to_string(&amount).expect("JSON"), "\"0.000000001\"");
    for json in ["1", "1.5", "null", "\"-1\"", "\"\"", "[]"] {
        assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
    }
}

fn amounts() -> impl Strategy<Value = Amount> {
    let units = prop_oneof![0..=MAX, 0..=1_000u128, (MAX - 1_000)..=MAX];
    units.prop_map(|units| Amount::from_units(units).expect("in range"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Broken by: any rounding on the way through text, JSON or bytes.
    #[test]
    fn round_trips(amount in amounts()) {
        prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        prop_assert_eq!(decode::<Amount>(&encode(&amount), 16).ok(), Some(amount));
        let json = serde_json::to_string(&amount).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Amount>(&json).ok(), Some(amount));
        prop_assert_eq!(Amount::from_decimal_up(amount.to_decimal()), Some(amount));
    }

    /// Broken by: wrapping, saturating, or leaving out the range check after a sum.
    #[test]
    fn sums_and_differences_undo_each_other(a in amounts(), b in amounts()) {
        match a.plus(b) {
            Some(sum) => {
                prop_assert_eq!(sum.units(), a.units() + b.units());
                prop_assert_eq!(sum.minus(b), Some(a));
                prop_assert!(sum <= Amount::MAX);
            }
            None => prop_assert!(a.units() + b.units() > MAX),
        }
        match a.minus(b) {
            Some(rest) => prop_assert_eq!(rest.plus(b), Some(a)),
            None => prop_assert!(a < b),
        }
    }

    /// Broken by: an unchecked product, or a half that rounds up.
    #[test]
    fn products_and_halves_stay_in_range(a in amounts(), factor: u64) {
        let product = a.units().checked_mul(u128::from(factor)).filter(|units| *units <= MAX);
        prop_assert_eq!(a.times(factor).map(Amount::units), product);
        let half = a.half();
        let other = a.minus(half).expect("less than the whole");
        prop_assert!(other.units() - half.units() <= 1);
    }

    /// Broken by: a panic on some text.
    #[test]
    fn no_text_panics(text in "[-+0-9.eE ]{0,40}|\\PC{0,20}") {
        if let Ok(amount) = text.parse::<Amount>() {
            prop_assert!(amount <= Amount::MAX);
        }
    }
}
