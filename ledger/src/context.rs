//! What a rule may know of the moment it runs in.

use crate::event::Role;
use crate::fees::Fees;
use crate::hash::Hash;
use crate::ids::{AccountId, ChainId, Millis, Zone};
use crate::key::PublicKey;
use crate::params::Params;

/// The anchor, and whose event it is. Everything here is the same on every node.
#[derive(Clone, Debug)]
pub struct Context {
    /// The anchor being executed.
    pub height: u64,
    /// Its time: for `valid_until`, nonces and display only.
    pub time: Millis,
    /// The epoch clock: for whatever takes something away.
    pub clock: Millis,
    /// Epochs since genesis, on the epoch clock.
    pub epoch: u64,
    /// The anchor's random value.
    pub beacon: Hash,
    /// Parameters in force.
    pub params: Params,
    /// Prices in force.
    pub fees: Fees,
    /// Whose event; `None` when the ledger itself runs a deadline.
    pub origin: Option<Origin>,
}

/// The event being applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The chain it was signed for, which is this one.
    pub chain: ChainId,
    /// Its author.
    pub author: AccountId,
    /// In which role it was signed.
    pub role: Role,
    /// By which key.
    pub key: PublicKey,
    /// Its id.
    pub event: Hash,
    /// Its zone.
    pub zone: Zone,
    /// Its sequence number.
    pub number: u64,
    /// Its place among all events of the anchor, from 0.
    pub place: u32,
}

crate::refusals! {
    NO_AUTHOR = "ledger.no_author", "Only an event has an author; the ledger's own work has none.";
}

impl Context {
    /// The event being applied, or a refusal outside one.
    pub fn origin(&self) -> Result<&Origin, Refusal> {
        self.origin.as_ref().ok_or(NO_AUTHOR)
    }
}

use crate::refusal::Refusal;
