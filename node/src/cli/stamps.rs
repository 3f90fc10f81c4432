//! Making the stamp of an event, with progress.

use std::ops::ControlFlow;

use ddt_ledger::registry::Row;
use ddt_ledger::schema::{Field, Value};
use ddt_ledger::stamp::StampWeight;
use ddt_ledger::{AccountId, Hash};
use ddt_wallet::stamp::{Order, solve};

use super::connection::{Connection, text};
use super::progress::Spinner;
use crate::failure::Failure;

/// The stamp for an event of `author` with this nonce, as the value of its field.
pub fn stamp(
    connection: &Connection,
    row: &Row,
    author: &AccountId,
    event_nonce: u64,
    weight: StampWeight,
) -> Result<Value, Failure> {
    let strange = || Failure::fault("the node does not say what stamps are made over");
    let now = connection.view_one("zones.stamp", &[])?.ok_or_else(strange)?;
    let bits = match weight {
        StampWeight::Light => "/light_bits",
        StampWeight::Heavy => "/heavy_bits",
    };
    let number = |pointer: &str| text(&now, pointer)?.parse::<u64>().ok();
    let order = Order {
        chain: connection.chain(),
        author: *author,
        tag: row.tag,
        event_nonce,
        period: number("/period").ok_or_else(strange)?,
        beacon: text(&now, "/beacon").and_then(|hex| Hash::from_hex(&hex)).ok_or_else(strange)?,
        bits: number(bits).and_then(|bits| u8::try_from(bits).ok()).ok_or_else(strange)?,
    };
    let spinner = Spinner::new("making the stamp: work in the place of a fee");
    let expected = order.expected_tries();
    let stamp = solve(&order, |tries| {
        let percent = tries.saturating_mul(100) / expected.max(1);
        spinner.say(format!("making the stamp: {percent} % of the expected work"));
        ControlFlow::Continue(())
    });
    stamp.map(|stamp| stamp.show()).map_err(|error| Failure::fault(error.to_string()))
}
