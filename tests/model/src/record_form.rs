//! The forms of records (DOM-24 … DOM-26).

use std::net::Ipv6Addr;

use crate::Code;
use crate::canonical::Canonical;
use crate::domains::Record;
use crate::state::demand;

const CNAME: u8 = 2;
/// What each kind is refused for, by its number.
const MALFORMED: [Code; 7] = [
    "domains.record_a",
    "domains.record_aaaa",
    "domains.record_cname",
    "domains.record_txt",
    "domains.record_srv",
    "domains.record_tlsa",
    "domains.record_key",
];

/// Each by itself and with those after it, then all together.
pub(crate) fn check_records(records: &[Record]) -> Result<(), Code> {
    demand(records.len() <= 64, "field.too_long")?;
    let is_long = |record: &Record| record.label.len() > 63 || record.value.len() > 255;
    demand(!records.iter().any(is_long), "field.too_long")?;
    demand(records.iter().all(|record| record.kind <= 6), "event.body")?;
    for (at, record) in records.iter().enumerate() {
        check_record(record)?;
        for other in records[at + 1..].iter().filter(|other| other.label == record.label) {
            let is_same_kind = other.kind == record.kind;
            demand(!is_same_kind || other.value != record.value, "domains.record_twice")?;
            let has_cname = other.kind == CNAME || record.kind == CNAME;
            demand(!has_cname, "domains.record_cname_alone")?;
            demand(!is_same_kind || other.ttl == record.ttl, "domains.record_ttl")?;
        }
    }
    demand(records.to_vec().bytes().len() <= 2_048, "domains.records_too_long")
}

fn check_record(record: &Record) -> Result<(), Code> {
    let (label, value) = (record.label.as_str(), record.value.as_str());
    demand(label == "@" || label.split('.').all(is_label), "domains.record_label")?;
    demand((60..=604_800).contains(&record.ttl), "domains.record_ttl")?;
    demand(record.kind != CNAME || label != "@", "domains.record_cname_alone")?;
    let words: Vec<&str> = value.split(' ').collect();
    let is_good = match (record.kind, words.as_slice()) {
        (0, _) => value.split('.').count() == 4 && value.split('.').all(|n| is_number(n, 255)),
        (1, _) => value.parse::<Ipv6Addr>().is_ok_and(|address| {
            address.to_ipv4_mapped().is_none() && address.to_string() == value
        }),
        (2, _) => is_whole_name(value) && value.split('.').all(is_label),
        (3, _) => !value.is_empty() && !value.chars().any(char::is_control),
        (4, [priority, weight, port, target]) => {
            let has_numbers = [priority, weight, port].iter().all(|n| is_number(n, 65_535));
            let is_host = || is_whole_name(target) && target.split('.').all(is_part);
            has_numbers && (*target == "." || is_host())
        }
        (5, [usage, selector, matching, hex]) => {
            let length = match *matching {
                "0" => hex.len(),
                "1" => 64,
                "2" => 128,
                _ => return Err("domains.record_tlsa"),
            };
            is_number(usage, 3) && is_number(selector, 1) && hex.len() == length && is_hex(hex)
        }
        (6, [service, key]) => {
            let has_length = (1..=32).contains(&service.len());
            has_length && service.chars().all(is_plain) && key.len() == 64 && is_hex(key)
        }
        _ => false,
    };
    demand(is_good, MALFORMED[usize::from(record.kind)])
}

fn is_plain(letter: char) -> bool {
    matches!(letter, 'a'..='z' | '0'..='9' | '-')
}

fn is_part(text: &str) -> bool {
    let has_good_ends = !text.starts_with('-') && !text.ends_with('-');
    (1..=63).contains(&text.len()) && has_good_ends && text.chars().all(is_plain)
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text.strip_prefix('_').unwrap_or(text))
}

fn is_whole_name(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.contains('.') && !last.chars().all(|c| c.is_ascii_digit())
}

fn is_number(text: &str, most: u32) -> bool {
    text.parse::<u32>().is_ok_and(|number| number <= most && number.to_string() == text)
}

fn is_hex(text: &str) -> bool {
    let is_digit = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
    !text.is_empty() && text.len().is_multiple_of(2) && text.chars().all(is_digit)
}
