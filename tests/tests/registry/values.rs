//! Every kind of value, there and back: as text, as JSON, as canonical bytes.

use ddt_contracts::REGISTRY;
use ddt_contracts::accounts::NodeRole;
use ddt_contracts::domains::DomainName;
use ddt_ledger::codec::{decode, encode};
use ddt_ledger::event::BODY_BYTES_MAX;
use ddt_ledger::schema::{Bytes, FieldInfo, Fields, Kind, List, Shape, Text, Value};
use ddt_ledger::{AccountId, Address, Amount, Hash, Millis, PublicKey, Zone, shape};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

shape! {
    /// A field of every kind that a record can have.
    Everything {
        amount: Amount,
        account: AccountId,
        address: Address,
        key: PublicKey,
        hash: Hash,
        name: DomainName,
        text: Text<40>,
        bytes: Bytes<9>,
        time: Millis,
        small: u8,
        middle: u32,
        large: u64,
        zone: Zone,
        flag: bool,
        role: NodeRole,
        list: List<Amount, 3>,
        nothing: Option<Millis>,
        words: Option<Text<5>>,
        inner: Inner,
        several: List<Inner, 2>,
    }
}

shape! {
    /// A record in a record.
    Inner {
        amount: Amount,
        note: Option<Text<8>>,
    }
}

fn text(bytes_max: usize) -> BoxedStrategy<Value> {
    let fits = move |text: &String| text.len() <= bytes_max;
    let any = prop_oneof!["[a-z]{1,5}", "\\PC{1,4}", "[ =\",{}\\[\\]]{1,4}"];
    any.prop_filter("short enough", fits).prop_map(Value::Text).boxed()
}

/// Values of a kind.
pub fn values(kind: Kind) -> BoxedStrategy<Value> {
    let word = any::<[u8; 32]>();
    let units = prop_oneof![Just(0), Just(Amount::MAX.units()), 0..=Amount::MAX.units()];
    match kind {
        Kind::Amount => units
            .prop_map(|units| Value::Amount(Amount::from_units(units).expect("in range")))
            .boxed(),
        Kind::Account => word.prop_map(|bytes| Value::Account(AccountId(bytes))).boxed(),
        Kind::Address => any::<[u8; 20]>().prop_map(|bytes| Value::Address(Address(bytes))).boxed(),
        Kind::PublicKey => word.prop_map(|bytes| Value::PublicKey(PublicKey(bytes))).boxed(),
        Kind::Hash => word.prop_map(|bytes| Value::Hash(Hash(bytes))).boxed(),
        // Every programme's names so far are domain names.
        Kind::Name { .. } => "[a-z0-9]([a-z0-9]{0,20}|-[a-z0-9])".prop_map(Value::Text).boxed(),
        Kind::Text { bytes_max } => text(bytes_max),
        Kind::Bytes { bytes_max } => {
            proptest::collection::vec(any::<u8>(), 0..=bytes_max).prop_map(Value::Bytes).boxed()
        }
        Kind::Time => any::<u64>().prop_map(|time| Value::Time(Millis(time))).boxed(),
        Kind::Duration => any::<u64>().prop_map(|time| Value::Duration(Millis(time))).boxed(),
        Kind::Count { max } => (0..=max).prop_map(Value::Count).boxed(),
        Kind::Zone => any::<u32>().prop_map(|zone| Value::Zone(Zone(zone))).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Kind::Choice(words) => {
            proptest::sample::select(words).prop_map(|word| Value::Text(word.to_string())).boxed()
        }
        Kind::List { of, length_max } => {
            proptest::collection::vec(values(*of), 0..=length_max).prop_map(Value::List).boxed()
        }
        Kind::Optional(inner) => {
            let written = |value: &Value| !value.to_string().is_empty();
            let some = values(*inner).prop_filter("a value that can be typed", written);
            prop_oneof![Just(Value::Nothing), some].boxed()
        }
        Kind::Group(fields) => records(fields).prop_map(Value::Group).boxed(),
    }
}

/// Values of all fields of a record.
pub fn records(fields: &'static [FieldInfo]) -> BoxedStrategy<Fields> {
    let each: Vec<BoxedStrategy<Value>> = fields.iter().map(|field| values(field.kind)).collect();
    let names = move |values: Vec<Value>| {
        fields.iter().map(|field| field.name).zip(values).collect::<Fields>()
    };
    each.prop_map(names).boxed()
}

/// Tries a law on many values.
pub fn check<T: std::fmt::Debug>(
    strategy: BoxedStrategy<T>,
    test: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() };
    TestRunner::new(config).run(&strategy, test).unwrap_or_else(|error| panic!("{error}"));
}

fn text_and_json(kind: &Kind, value: &Value) -> Result<(), TestCaseError> {
    prop_assert_eq!(Value::from_json(kind, &value.to_json()), Ok(value.clone()));
    prop_assert_eq!(Value::parse(kind, &value.to_string()), Ok(value.clone()));
    Ok(())
}

/// Broken by: a number shown in another unit than it is read in, a field left out of the
/// bytes, or bytes with more than one meaning.
#[test]
fn every_event_goes_there_and_back() {
    for row in REGISTRY.rows() {
        check(records(row.fields), |values| {
            for (field, (_, value)) in row.fields.iter().zip(&values) {
                text_and_json(&field.kind, value)?;
            }
            let texts: Vec<String> =
                values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let parsed = row.parse(&texts).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let body = (row.build)(&parsed).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!((row.show)(&body), Ok(values));
            // Canonical: nothing may follow, nothing may lack.
            prop_assert!((row.show)(&[body.as_slice(), &[0]].concat()).is_err());
            if let Some((_, shorter)) = body.split_last() {
                prop_assert!((row.show)(shorter).is_err());
            }
            Ok(())
        });
    }
}

/// Broken by: a kind whose texts, JSON or bytes do not agree, though no event has it yet.
#[test]
fn every_kind_goes_there_and_back() {
    check(records(Everything::FIELDS), |values| {
        text_and_json(&Kind::Group(Everything::FIELDS), &Value::Group(values.clone()))?;
        for (field, (_, value)) in Everything::FIELDS.iter().zip(&values) {
            text_and_json(&field.kind, value)?;
        }
        let by_name = values.iter().map(|(name, value)| (name.to_string(), value.clone()));
        let record = Everything::read(&by_name.collect());
        let record = record.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let again: Everything = decode(&encode(&record), BODY_BYTES_MAX)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(again.show(), values);
        Ok(())
    });
    check(values(Kind::Duration), |value| text_and_json(&Kind::Duration, &value));
}

/// Broken by: arguments that are ignored, or taken twice.
#[test]
fn arguments_are_an_events_fields_once_each() {
    let row = REGISTRY.row_named("bank.transfer").expect("a row");
    let account = AccountId([7; 32]).to_string();
    let to = format!("to={account}");
    let codes = |arguments: &[&str]| {
        row.parse(arguments).map(|values| values.len()).map_err(|e| (e.field, e.refusal.code))
    };
    assert_eq!(codes(&[]), Ok(0));
    assert_eq!(codes(&["memo=a=b", &to, "amount=1"]), Ok(3));
    let wrong = |field: &str, code| Err((field.to_string(), code));
    assert_eq!(codes(&["amount"]), wrong("amount", "field.argument"));
    assert_eq!(codes(&["colour=red"]), wrong("colour", "field.argument"));
    assert_eq!(codes(&["=1"]), wrong("", "field.argument"));
    assert_eq!(codes(&["amount=1", "amount=1"]), wrong("amount", "field.twice"));
    assert_eq!(codes(&["amount=one"]), wrong("amount", "amount.malformed"));
    let long = "x".repeat(9_000);
    assert_eq!(codes(&[&long]), wrong(&long[..64], "field.argument"));
}
