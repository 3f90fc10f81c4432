//! Rows of the state, as whoever checks a proof reads them, and their index entries.

use ddt_contracts::REGISTRY;
use ddt_ledger::table::TableInfo;

use crate::world::world;
use crate::{End, Target, end};

pub const TARGET: Target = Target {
    name: "rows",
    about: "describe, show and indexes of every table, for any key and value.",
    run,
    seeds,
    bytes_max: 8 * 1024,
    tries: 15_000,
};

/// A length, a full key of that length, a value.
fn run(bytes: &[u8]) -> End {
    let Some((length, rest)) = bytes.split_first() else { return end("nothing") };
    let (key, value) = rest.split_at(usize::from(*length).min(rest.len()));
    let value = (!value.is_empty()).then_some(value);
    let whole = REGISTRY.describe_row(key, value).is_some();
    let tables: Vec<&TableInfo> = REGISTRY.tables().collect();
    let Some((prefix, key)) = key.split_first_chunk::<2>() else { return end(whole) };
    let id = u16::from_be_bytes(*prefix);
    let Some(table) = tables.iter().find(|table| table.id == id) else { return end((id, whole)) };
    let shown = (table.show)(key, value);
    let mut entries = 0;
    for index in table.indexes {
        entries += (index.entries)(key, value.unwrap_or_default()).len();
    }
    end((id, shown.map(|fields| fields.len()), entries.min(4)))
}

fn seeds() -> Vec<Vec<u8>> {
    let row = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        [&[key.len() as u8], key.as_slice(), value.as_slice()].concat()
    };
    world().state.rows.iter().filter(|(key, _)| key.len() < 256).map(row).collect()
}
