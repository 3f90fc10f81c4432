//! Upgrades: the validators say what they are ready for, and the state sets the moment
//! (spec RTR-18 … RTR-20).

use borsh::{BorshDeserialize, BorshSerialize};

use super::council;
use crate::context::Context;
use crate::table::{Rows, RowsMut, Table};

/// The version of the rules that this code executes.
pub const PROTOCOL_VERSION: u32 = 1;
/// An upgrade begins so many epochs after the one in which it was agreed on.
const EPOCHS_AHEAD: u64 = 2;

static PROTOCOL: Table<(), Protocol> = Table::system(18);

/// By which rules anchors are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Protocol {
    /// The version in force.
    pub version: u32,
    /// What more than two thirds of the validators were ready for at the last epoch's end.
    pub ready: u32,
    /// What comes, and when.
    pub next: Option<PlannedUpgrade>,
}

/// A version that was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlannedUpgrade {
    /// The version.
    pub version: u32,
    /// It is in force from the first anchor of this epoch, or of the first one after it.
    pub epoch: u64,
}

impl Protocol {
    pub(crate) fn at_genesis() -> Protocol {
        Protocol { version: PROTOCOL_VERSION, ready: 0, next: None }
    }

    pub(crate) fn put<R: RowsMut + ?Sized>(&self, rows: &mut R) {
        PROTOCOL.put(rows, &(), self);
    }

    /// As this state has it.
    pub fn read<R: Rows + ?Sized>(rows: &R) -> Protocol {
        PROTOCOL.get(rows, &()).unwrap_or_else(Protocol::at_genesis)
    }
}

/// The version by which an anchor of this epoch is executed after the state `rows`. A node
/// whose [`PROTOCOL_VERSION`] is lower must not execute it.
pub fn protocol_at<R: Rows + ?Sized>(rows: &R, epoch: u64) -> u32 {
    let protocol = Protocol::read(rows);
    let due = protocol.next.filter(|next| next.epoch <= epoch);
    due.map_or(protocol.version, |next| next.version)
}

/// The upgrade that is due comes into force.
pub(crate) fn begin<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context) {
    let protocol = Protocol::read(rows);
    if let Some(next) = protocol.next.filter(|next| next.epoch <= cx.epoch) {
        Protocol { version: next.version, next: None, ..protocol }.put(rows);
    }
}

/// At an epoch's end: what more than two thirds are ready for, now and an epoch before, comes.
pub(crate) fn agree<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context) {
    let before = Protocol::read(rows);
    let mut protocol = Protocol { ready: ready(council::signals(rows)), ..before };
    let version = protocol.ready.min(before.ready);
    let known = protocol.next.map_or(protocol.version, |next| next.version);
    if version > known {
        let epoch = cx.epoch.saturating_add(EPOCHS_AHEAD);
        protocol.next = Some(PlannedUpgrade { version, epoch });
    }
    if protocol != before {
        protocol.put(rows);
    }
}

/// The highest version that more than two thirds have signalled, or a higher one.
fn ready(mut signals: Vec<u32>) -> u32 {
    signals.sort_unstable_by(|a, b| b.cmp(a));
    let quorum = (signals.len().saturating_mul(2) / 3).saturating_add(1);
    signals.get(quorum.saturating_sub(1)).copied().unwrap_or_default()
}
