//! What the ledger did against what the model says, and how a difference is told.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::codec::encode;
use ddt_ledger::receipt as real;
use ddt_model::{Canonical, Receipt};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// The receipts are the same, byte by byte.
pub fn receipts(real: &[real::Receipt], model: &[Receipt]) -> Result<(), String> {
    for place in 0..real.len().max(model.len()) {
        let (real, model) = (real.get(place), model.get(place));
        if real.map(encode) != model.map(Canonical::bytes) {
            let (real, model) = (legible(&real), legible(&model));
            return Err(format!(
                "receipt {place} differs\n the ledger: {real}\n the model:  {model}"
            ));
        }
    }
    Ok(())
}

/// The rows are the same, byte by byte.
pub fn rows(real: &Rows, model: &Rows) -> Result<(), String> {
    let all = real.keys().chain(model.keys());
    let differing = all.filter(|key| real.get(*key) != model.get(*key));
    let mut told: Vec<String> =
        differing.map(|key| tell(key, real.get(key), model.get(key))).collect();
    told.sort();
    told.dedup();
    if told.is_empty() { Ok(()) } else { Err(format!("rows differ\n{}", told.join("\n"))) }
}

fn tell(key: &[u8], real: Option<&Vec<u8>>, model: Option<&Vec<u8>>) -> String {
    let hex = |bytes: &[u8]| hex::encode(bytes);
    let table = u16::from_be_bytes([key[0], key[1]]);
    let say = |value: Option<&Vec<u8>>| match value {
        None => "no such row".to_string(),
        Some(value) => match REGISTRY.describe_row(key, Some(value)) {
            Some(row) => format!("{}\n    {:?}", hex(value), row.values),
            None => hex(value),
        },
    };
    let (real, model) = (say(real), say(model));
    format!("table {table}, key {}\n  the ledger: {real}\n  the model: {model}", hex(&key[2..]))
}

/// Something in words, with its lists of bytes in hex.
pub fn legible(thing: &impl std::fmt::Debug) -> String {
    let text = format!("{thing:?}");
    let mut parts = text.split('[');
    let mut told = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let bytes = part.split_once(']').and_then(|(list, rest)| {
            let bytes: Result<Vec<u8>, _> = list.split(", ").map(str::parse).collect();
            Some((bytes.ok()?, rest))
        });
        match bytes {
            Some((bytes, rest)) => told += &format!("#{}{rest}", hex::encode(bytes)),
            None => told += &format!("[{part}"),
        }
    }
    told
}
