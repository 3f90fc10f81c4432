//! Making stamps for events, with a bar where somebody watches.

use std::io::IsTerminal;
use std::ops::ControlFlow;

use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Field, Value};
use ddt_ledger::stamp::{Stamp, StampWeight};
use ddt_ledger::{AccountId, Hash, PublicKey};
use ddt_wallet::stamp::{Order, solve};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as Json;
use std::collections::BTreeMap;

use super::connection::{Connection, text};
use crate::failure::Failure;

/// Makes the stamp for the event of `author`, signed by `key`, with this nonce, and puts it
/// among its fields.
///
/// # Errors
/// An event that takes no stamp, or a node that answers nonsense.
pub fn stamp(
    connection: &Connection,
    row: &Row,
    values: &mut BTreeMap<String, Value>,
    (author, key, event_nonce): (AccountId, PublicKey, u64),
) -> Result<(), Failure> {
    values.insert("stamp".to_string(), Stamp { period: 0, nonce: 0 }.show());
    let body = (row.build)(values)?;
    let weight = (row.stamp)(&body).map(|(_, weight)| weight);
    let weight = weight.ok_or_else(|| Failure::usage(format!("{} takes no stamp", row.name)))?;
    let now = connection.view_one("zones.stamp", &[])?;
    let (period, beacon, bits) = now
        .and_then(|now| period(&now, weight))
        .ok_or_else(|| Failure::fault("the node's answer about stamps makes no sense"))?;
    let chain = connection.chain();
    let order = Order { chain, author, key, tag: row.tag, event_nonce, period, beacon, bits };
    let bar = bar(order.expected_tries());
    let solved = solve(&order, |tries| {
        bar.set_position(tries);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let stamp = solved.map_err(|error| Failure::fault(error.to_string()))?;
    values.insert("stamp".to_string(), stamp.show());
    Ok(())
}

/// Number, beacon and bits of the present period.
fn period(now: &Json, weight: StampWeight) -> Option<(u64, Hash, u8)> {
    let bits = match weight {
        StampWeight::Light => "/light_bits",
        StampWeight::Heavy => "/heavy_bits",
    };
    let beacon = Hash::from_hex(&text(now, "/beacon")?)?;
    Some((text(now, "/period")?.parse().ok()?, beacon, text(now, bits)?.parse().ok()?))
}

/// How far the work is on average: luck may end it earlier, or make it take longer.
fn bar(expected: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(expected);
    let style = "working in the place of a fee {wide_bar} {percent} % of the usual";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
