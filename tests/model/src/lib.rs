//! The state of the ledger told a second time: maps, big integers, and the rules of
//! `docs/spec`, in the plainest code that says them.
//!
//! It knows no other crate of the project, so that a mistake there is no mistake here. It has
//! no signatures, no consensus and no disk: whether something was signed, what an anchor's
//! random value was and which blocks it covers are told to it. Everything else follows from
//! the specification: each row of the state and each receipt, byte by byte.
//!
//! Nothing here is fast: whatever may be undone is a copy of everything.

mod accounts;
mod admission;
mod bank;
mod canonical;
mod domains;
mod event;
mod execution;
mod genesis;
mod locks;
mod money;
mod names;
mod offers;
mod receipt;
mod record_form;
mod renewals;
mod routers;
mod rows;
mod stamps;
mod state;
mod succession;
mod usernames;
mod zones;

pub use accounts::{Accounts, account_of, possession_digest};
pub use bank::Bank;
pub use canonical::{Canonical, Id, Time, hash};
pub use domains::{Domains, Offer, Record, commit_hash};
pub use event::{Deed, Event, Role};
pub use execution::{Anchor, Block, Span};
pub use genesis::{Genesis, Params, Zone};
pub use locks::{Locks, lock_hash};
pub use receipt::Receipt;
pub use routers::{About, Routers, router_digest};
pub use stamps::{Stamp, bits};
pub use state::State;
pub use usernames::{Usernames, claim_hash, username_digest};
pub use zones::Zones;

/// Money, in units of 10⁻⁹ APT.
pub type Money = num_bigint::BigInt;
/// A refusal's code.
pub type Code = &'static str;
