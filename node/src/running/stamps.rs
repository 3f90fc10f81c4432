//! Work in the place of a fee, for what a node signs by itself.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ddt_ledger::event::{STAMP, STAMP_OLD, UNKNOWN_TAG};
use ddt_ledger::stamp::{Stamp, Stamps};
use ddt_ledger::{AccountId, PublicKey, Refusal};
use ddt_wallet::stamp::{Order, solve_on};

use super::core::Core;

/// Longest work on one stamp; more than a minute's is nobody's to ask of a node.
const WORK_MAX: Duration = Duration::from_secs(60);

/// A light stamp for an event with this author, key and nonce, made on one core. It ends early
/// when the node does.
///
/// # Errors
/// What keeps it from being made now.
pub fn light(
    core: &Core,
    (author, key, event_nonce): (AccountId, PublicKey, u64),
    event: &str,
) -> Result<Stamp, Refusal> {
    let row = core.book.registry().row_named(event).ok_or(UNKNOWN_TAG)?;
    let snapshot = core.book.snapshot().map_err(|_| STAMP_OLD)?;
    let period = Stamps::read(&snapshot).ok_or(STAMP_OLD)?.now;
    // The work may take time, and an open snapshot keeps old pages of the book.
    drop(snapshot);
    let order = Order {
        chain: core.book.chain(),
        author,
        key,
        tag: row.tag,
        event_nonce,
        period: period.number,
        beacon: period.beacon,
        bits: period.bits.light,
    };
    let since = Instant::now();
    let goes_on = || since.elapsed() < WORK_MAX && !core.is_stopping.load(Ordering::Relaxed);
    let stamp = solve_on(&order, 1, |_| match goes_on() {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    });
    stamp.map_err(|_| STAMP)
}
