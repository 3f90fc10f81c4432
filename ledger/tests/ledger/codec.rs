//! Fields of every kind through text, JSON and bytes; everything else is refused by name.

use std::collections::BTreeMap;

use ddt_ledger::codec::{CodecError, decode, encode};
use ddt_ledger::schema::{Bytes, Field, FieldError, Kind, List, Shape, Text, Value};
use ddt_ledger::{Hash, shape};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::records::{Record, field_refusal, sample};

shape! {
    /// The whole record as one field.
    Whole { record: Record }
}

fn read_json(json: &Json) -> Result<Record, FieldError> {
    Value::from_json(&Record::KIND, json).and_then(|value| Field::read(&value))
}

fn sample_json() -> Json {
    Value::Group(Shape::show(&sample())).to_json()
}

/// Broken by: a kind whose text is not read back as what it was.
#[test]
fn every_kind_survives_text() {
    let record = sample();
    let mut values = BTreeMap::new();
    for ((name, value), info) in record.show_fields().into_iter().zip(Record::FIELDS) {
        assert_eq!(name, info.name);
        let read = Value::parse(&info.kind, &value.to_string());
        assert_eq!(read.as_ref(), Ok(&value), "{name} as {value}");
        values.insert(name.to_string(), value);
    }
    assert_eq!(<Record as Shape>::read(&values), Ok(record));
}

impl Record {
    fn show_fields(&self) -> Vec<(&'static str, Value)> {
        Shape::show(self)
    }
}

/// Broken by: a kind whose JSON is not read back as what it was.
#[test]
fn every_kind_survives_json() {
    let json = sample_json();
    assert_eq!(read_json(&json), Ok(sample()));
    assert_eq!(json["amount"], "1.500000001");
    assert_eq!(json["count"], u64::MAX);
    assert_eq!(json["pair"]["right"], Hash([2; 32]).to_string());
    assert_eq!(json["pairs"][0]["right"], Json::Null);
    let text = serde_json::to_string(&json).expect("JSON");
    assert_eq!(read_json(&serde_json::from_str(&text).expect("JSON")), Ok(sample()));
}

/// Broken by: skipping a field, or reading it in another order.
#[test]
fn every_kind_survives_bytes() {
    let bytes = encode(&sample());
    assert_eq!(decode::<Record>(&bytes, bytes.len()).ok(), Some(sample()));
    let mut absent = sample();
    (absent.maybe, absent.pair.right) = (None, None);
    let bytes = encode(&absent);
    assert_eq!(decode::<Record>(&bytes, bytes.len()).ok(), Some(absent));
}

fn demand(change: impl FnOnce(&mut Json), field: &str, code: &str) {
    let mut json = sample_json();
    change(&mut json);
    let error = read_json(&json).expect_err(field);
    assert_eq!((error.field.as_str(), error.refusal), (field, field_refusal(code)), "{json}");
}

/// Broken by: any check left out, or an error that does not say where.
#[test]
fn each_wrong_field_is_named_with_its_refusal() {
    let hash = Hash::ZERO.to_string();
    for (name, wrong, field, code) in [
        ("amount", json!(1.5), "amount", "field.kind"),
        ("account", json!("apt1qqqq"), "account", "field.account"),
        ("account", json!(hash), "account", "field.account"),
        ("account", json!(1), "account", "field.kind"),
        ("key", json!("00"), "key", "field.hex"),
        ("hash", json!("zz"), "hash", "field.hex"),
        ("name", json!("ninebytes"), "name", "field.too_long"),
        ("text", json!("seventeen bytes.."), "text", "field.too_long"),
        ("text", json!("üüüüüüüüü"), "text", "field.too_long"),
        ("text", json!(null), "text", "field.kind"),
        ("bytes", json!("00".repeat(17)), "bytes", "field.too_long"),
        ("bytes", json!("0"), "bytes", "field.hex"),
        ("time", json!("now"), "time", "field.time"),
        ("time", json!(-1), "time", "field.time"),
        ("length", json!(1.5), "length", "field.time"),
        ("tiny", json!(256), "tiny", "field.count"),
        ("count", json!(-1), "count", "field.count"),
        ("count", json!("1"), "count", "field.count"),
        ("zone", json!(1u64 << 32), "zone", "field.count"),
        ("flag", json!("true"), "flag", "field.flag"),
        ("colour", json!("pink"), "colour", "field.choice"),
        ("numbers", json!([1, 2, 3, 4]), "numbers", "field.too_long"),
        ("numbers", json!([1, 1u64 << 32]), "numbers[1]", "field.count"),
        ("numbers", json!({}), "numbers", "field.list"),
        ("maybe", json!("fünf"), "maybe", "field.too_long"),
        ("pair", json!([]), "pair", "field.kind"),
        ("pair", json!({"left": 1, "middle": 2}), "pair.middle", "field.unknown"),
        ("pair", json!({"right": null}), "pair.left", "field.missing"),
        ("pairs", json!([{"left": 1}, {"left": 300}]), "pairs[1].left", "field.count"),
        ("extra", json!(1), "extra", "field.unknown"),
    ] {
        demand(|json| json[name] = wrong, field, code);
    }
    demand(
        |json| drop(json.as_object_mut().expect("a group").remove("key")),
        "key",
        "field.missing",
    );
    let amount = |json: &mut Json| json["amount"] = json!("-1");
    let mut json = sample_json();
    amount(&mut json);
    let error = read_json(&json).expect_err("a negative amount");
    assert_eq!((error.field.as_str(), error.refusal), ("amount", ddt_ledger::amount::MALFORMED));
}

/// Broken by: demanding optional fields, or taking other fields as optional.
#[test]
fn only_optional_fields_may_be_absent() {
    let full = sample_json();
    for info in Record::FIELDS {
        let mut json = full.clone();
        json.as_object_mut().expect("a group").remove(info.name);
        let is_optional = matches!(info.kind, Kind::Optional(_));
        assert_eq!(read_json(&json).is_ok(), is_optional, "{}", info.name);
        let mut values: BTreeMap<String, Value> =
            Shape::show(&sample()).into_iter().map(|(n, v)| (n.to_string(), v)).collect();
        values.remove(info.name);
        assert_eq!(<Record as Shape>::read(&values).is_ok(), is_optional, "{}", info.name);
    }
}

/// Broken by: a number that is cut to fit, or a wrong kind that is taken for another.
#[test]
fn a_value_of_another_kind_is_refused() {
    let values: Vec<Value> = Shape::show(&sample()).into_iter().map(|(_, value)| value).collect();
    for (place, info) in Record::FIELDS.iter().enumerate() {
        for (other, value) in values.iter().enumerate() {
            let mut fields: BTreeMap<String, Value> =
                Record::FIELDS.iter().map(|f| f.name.to_string()).zip(values.clone()).collect();
            fields.insert(info.name.to_string(), value.clone());
            if let Ok(record) = <Record as Shape>::read(&fields) {
                assert_eq!(&Shape::show(&record)[place].1, value, "{} from {other}", info.name);
            }
        }
    }
}

/// Broken by: any panic in a decoder, or a prefix that is taken for the whole.
#[test]
fn every_cut_is_refused_and_so_is_one_byte_more() {
    let mut bytes = encode(&Whole { record: sample() });
    for length in 0..bytes.len() {
        let result = decode::<Whole>(&bytes[..length], bytes.len());
        assert!(matches!(result, Err(CodecError::Malformed(_))), "cut at {length}");
    }
    bytes.push(0);
    assert!(matches!(decode::<Whole>(&bytes, bytes.len()), Err(CodecError::Malformed(_))));
    let error = decode::<Whole>(&bytes, bytes.len() - 1);
    assert!(matches!(error, Err(CodecError::TooLong { .. })));
}

/// Broken by: reading (or allocating for) the items before their number is checked: then the
/// error would be that the bytes end early.
#[test]
fn a_length_that_lies_is_refused_before_anything_is_read() {
    let too_long = field_refusal("field.too_long");
    for length in [17u32, 1 << 20, u32::MAX] {
        let bytes = length.to_le_bytes();
        let errors = [
            decode::<Text<16>>(&bytes, 4).map(drop),
            decode::<Bytes<16>>(&bytes, 4).map(drop),
            decode::<List<u8, 16>>(&bytes, 4).map(drop),
            decode::<List<List<Bytes<16>, 16>, 16>>(&bytes, 4).map(drop),
        ];
        for error in errors {
            assert!(matches!(error, Err(CodecError::Field(refusal)) if refusal == too_long));
        }
    }
    let allowed = 16u32.to_le_bytes();
    assert!(matches!(decode::<List<u64, 16>>(&allowed, 4), Err(CodecError::Malformed(_))));
}

/// Broken by: a second encoding of one value (a flag of 2, an unknown variant, bad UTF-8).
#[test]
fn there_is_one_encoding_of_each_value() {
    use crate::support::records::Colour;
    assert!(decode::<bool>(&[2], 1).is_err());
    assert!(decode::<Option<u8>>(&[2, 0], 2).is_err());
    assert!(decode::<Colour>(&[3], 1).is_err());
    assert!(decode::<Text<4>>(&[1, 0, 0, 0, 0xff], 5).is_err());
    assert!(decode::<Text<4>>(&[2, 0, 0, 0, 0xc3, 0x28], 6).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Broken by: a panic, or bytes that decode to a value that encodes to others.
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(record) = decode::<Record>(&bytes, 600) {
            prop_assert_eq!(encode(&record), bytes.clone());
        }
        if let Ok(signed) = ddt_ledger::event::Signed::decode(&bytes) {
            prop_assert_eq!(encode(&signed), bytes.clone());
        }
        if let Ok(block) = decode::<ddt_ledger::lane::LaneBlock>(&bytes, 600) {
            prop_assert_eq!(encode(&block), bytes.clone());
        }
        if let Ok(body) = ddt_ledger::anchor::AnchorBody::decode(&bytes) {
            prop_assert_eq!(encode(&body), bytes);
        }
    }

    /// Broken by: a changed byte that is not seen, or a panic on it.
    #[test]
    fn a_changed_byte_changes_the_value(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = encode(&sample());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(record) = decode::<Record>(&bytes, bytes.len()) {
            prop_assert_ne!(&record, &sample());
            prop_assert_eq!(encode(&record), bytes);
        }
    }

    /// Broken by: a panic on some text of some kind.
    #[test]
    fn no_text_panics(text in "\\PC{0,40}|[-0-9\\[\\]{}\",:a-z]{0,40}") {
        for info in Record::FIELDS {
            if let Ok(value) = Value::parse(&info.kind, &text) {
                prop_assert_eq!(Value::parse(&info.kind, &value.to_string()), Ok(value));
            }
        }
    }
}
