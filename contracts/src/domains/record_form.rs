//! The forms that records have: each value has one spelling.

use std::net::Ipv6Addr;

use ddt_ledger::{Refusal, refusals};

use super::records::{Record, RecordKind};

/// Least and most seconds that a record may be remembered.
const TTL_SECONDS: std::ops::RangeInclusive<u32> = 60..=604_800;
/// Longest name of a host, in bytes (RFC 1035).
const HOST_BYTES_MAX: usize = 253;
/// Longest part of a name between dots, in bytes (RFC 1035).
const PART_BYTES_MAX: usize = 63;
/// Longest name of a service that has a key, in bytes.
const SERVICE_BYTES_MAX: usize = 32;

refusals! {
    LABEL = "domains.record_label",
        "A label is @ for the name itself, or parts such as www or _443._tcp of a-z, 0-9 and -.";
    TTL = "domains.record_ttl",
        "A ttl is 60 to 604800 seconds, the same for all of one label and kind.";
    RECORD_A = "domains.record_a", "An a record's value is an IPv4 address such as 192.0.2.1.";
    RECORD_AAAA = "domains.record_aaaa",
        "An aaaa record's value is an IPv6 address in its shortest form, such as 2001:db8::1.";
    RECORD_CNAME = "domains.record_cname",
        "A cname record's value is a whole name such as www.example.org, in lower case.";
    RECORD_TXT = "domains.record_txt",
        "A txt record's value is 1 to 255 bytes of text without control characters.";
    RECORD_SRV = "domains.record_srv",
        "An srv record's value is priority, weight, port, target: 10 5 5060 sip.example.org.";
    RECORD_TLSA = "domains.record_tlsa",
        "A tlsa record's value is usage, selector, matching type, hex: 3 1 1 and 64 hex digits.";
    RECORD_KEY = "domains.record_key",
        "A key record's value is a service of a-z, 0-9 and - and a key of 64 hex digits.";
    CNAME_ALONE = "domains.record_cname_alone",
        "A cname record stands alone at its label, and never at @.";
}

/// Whether a record, for itself, has the form of its kind (spec DOM-25).
pub(crate) fn check_form(record: &Record) -> Result<(), Refusal> {
    let (label, value) = (record.label.as_str(), record.value.as_str());
    if label != "@" && !label.split('.').all(is_label) {
        return Err(LABEL);
    }
    if !TTL_SECONDS.contains(&record.ttl) {
        return Err(TTL);
    }
    let (has_form, refusal) = match record.kind {
        RecordKind::A => (is_ipv4(value), RECORD_A),
        RecordKind::Aaaa => (is_ipv6(value), RECORD_AAAA),
        RecordKind::Cname if label == "@" => return Err(CNAME_ALONE),
        RecordKind::Cname => (is_name(value, is_label), RECORD_CNAME),
        RecordKind::Txt => (is_text(value), RECORD_TXT),
        RecordKind::Srv => (is_service_place(value), RECORD_SRV),
        RecordKind::Tlsa => (is_certificate(value), RECORD_TLSA),
        RecordKind::Key => (is_service_key(value), RECORD_KEY),
    };
    if has_form { Ok(()) } else { Err(refusal) }
}

/// A part of a host's name (RFC 1035, RFC 1123).
fn is_part(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let has_good_ends = !text.starts_with('-') && !text.ends_with('-');
    (1..=PART_BYTES_MAX).contains(&text.len()) && has_good_ends && text.bytes().all(plain)
}

/// A part of a name that need not be a host's: `_tcp` too (RFC 8552).
fn is_label(text: &str) -> bool {
    is_part(text.strip_prefix('_').unwrap_or(text)) && text.len() <= PART_BYTES_MAX
}

/// A whole name of at least two parts, without a dot at its end.
fn is_name(text: &str, is_part: fn(&str) -> bool) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit());
    let has_size = text.len() <= HOST_BYTES_MAX && text.contains('.');
    has_size && !is_number && text.split('.').all(is_part)
}

/// A whole number, written without zeros before it, at most `max`.
fn is_number(text: &str, max: u32) -> bool {
    let is_plain =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain && text.parse::<u32>().is_ok_and(|number| number <= max)
}

fn is_hex(text: &str) -> bool {
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(digit)
}

fn is_ipv4(text: &str) -> bool {
    text.split('.').count() == 4 && text.split('.').all(|part| is_number(part, 255))
}

/// An address as RFC 5952 writes it. One that only wraps an IPv4 address is an `a` record's.
fn is_ipv6(text: &str) -> bool {
    let address = text.parse::<Ipv6Addr>().ok();
    let address = address.filter(|address| address.to_ipv4_mapped().is_none());
    address.is_some_and(|address| shortest(&address.segments()) == text)
}

/// The shortest form (RFC 5952): the first of the longest runs of zeros left out, unless it
/// is a single one. Written here, so that a new standard library changes nothing.
fn shortest(words: &[u16; 8]) -> String {
    let zeros = |from: usize| words.iter().skip(from).take_while(|word| **word == 0).count();
    let runs = (0..words.len()).rev().map(|from| (from, zeros(from)));
    let (from, length) = runs.max_by_key(|(_, length)| *length).unwrap_or_default();
    let hex = |words: &mut dyn Iterator<Item = &u16>| {
        words.map(|word| format!("{word:x}")).collect::<Vec<_>>().join(":")
    };
    if length < 2 {
        return hex(&mut words.iter());
    }
    let after = from.saturating_add(length);
    format!("{}::{}", hex(&mut words.iter().take(from)), hex(&mut words.iter().skip(after)))
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// `priority weight port target`; a target of `.` says that there is no such service.
fn is_service_place(text: &str) -> bool {
    let parts: Vec<&str> = text.split(' ').collect();
    let [priority, weight, port, target] = parts.as_slice() else { return false };
    let numbers = [priority, weight, port].into_iter().all(|part| is_number(part, 65_535));
    numbers && (*target == "." || is_name(target, is_part))
}

/// `usage selector matching hex`, of the length that the matching type has.
fn is_certificate(text: &str) -> bool {
    let parts: Vec<&str> = text.split(' ').collect();
    let [usage, selector, matching, hex] = parts.as_slice() else { return false };
    let has_length = match *matching {
        "0" => true,
        "1" => hex.len() == 64,
        "2" => hex.len() == 128,
        _ => false,
    };
    is_number(usage, 3) && is_number(selector, 1) && has_length && is_hex(hex)
}

/// `service key`.
fn is_service_key(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.split_once(' ').is_some_and(|(service, key)| {
        let has_size = (1..=SERVICE_BYTES_MAX).contains(&service.len());
        has_size && service.bytes().all(plain) && key.len() == 64 && is_hex(key)
    })
}
