//! Everything the ledger knows, in maps.

use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::{Account, NodeKey, Tickets};
use crate::canonical::{Id, Time};
use crate::domains::{Escrow, Name, Offer, Records, Renewal};
use crate::event::Role;
use crate::genesis::Params;
use crate::locks::Lock;
use crate::money::{Posting, Supply};
use crate::routers::{FORGET_KEY, FORGET_TERM, Protocol, RELEASE, Router, Validator};
use crate::stamps::Stamps;
use crate::usernames::Username;
use crate::zones::{Member, Seats};
use crate::{Code, Money};

/// The whole state.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(crate) chain: Id,
    pub(crate) params: Params,
    pub(crate) head: Head,
    pub(crate) supply: Supply,
    pub(crate) pool: Money,
    /// Fees of the anchor being executed, by zone.
    pub(crate) fees: BTreeMap<u32, Money>,
    /// Money moved since the last receipt.
    pub(crate) postings: Vec<Posting>,
    pub(crate) accounts: BTreeMap<Id, Account>,
    pub(crate) node_keys: BTreeMap<(Id, Id), NodeKey>,
    pub(crate) holds: BTreeMap<(u16, Id), Money>,
    pub(crate) tickets: BTreeMap<Id, Tickets>,
    pub(crate) lanes: BTreeMap<u32, Lane>,
    pub(crate) routers: BTreeMap<Id, Router>,
    /// Whose a router's key is; of a replaced one the last height of its votes, and until when
    /// it is known.
    pub(crate) router_keys: BTreeMap<Id, (Id, Option<(u64, Time)>)>,
    /// The keys of closed terms, and until when these are known.
    pub(crate) closed_terms: BTreeMap<(u32, u64), (Id, Time)>,
    /// Who signs the next anchor, and the one after it.
    pub(crate) validators: [Vec<Validator>; 2],
    pub(crate) protocol: Protocol,
    pub(crate) stamps: Stamps,
    /// Deadlines: when on the epoch clock, which, for what.
    pub(crate) agenda: BTreeSet<(Time, u16, Vec<u8>)>,
    /// Rows of epochs and of zones by epoch, written once and for ever.
    pub(crate) records_of_epochs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) locks: BTreeMap<Id, Lock>,
    pub(crate) commits: BTreeMap<(Id, Id), Escrow>,
    pub(crate) names: BTreeMap<String, Name>,
    pub(crate) offers: BTreeMap<String, Offer>,
    pub(crate) renewals: BTreeMap<String, Renewal>,
    pub(crate) records: BTreeMap<String, Records>,
    pub(crate) members: BTreeMap<Id, Member>,
    pub(crate) addresses: BTreeMap<[u8; 20], Id>,
    pub(crate) seats: BTreeMap<u32, Seats>,
    /// Commits to usernames: height, clock, end.
    pub(crate) username_commits: BTreeMap<(Id, Id), (u64, Time, Time)>,
    pub(crate) usernames: BTreeMap<Id, Username>,
    pub(crate) username_keys: BTreeMap<Id, Id>,
    /// Members that were merged into another zone so far; no part of what is compared.
    pub merged: usize,
}

/// The last anchor, or the one being executed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub height: u64,
    pub anchor: Id,
    pub time: Time,
    pub clock: Time,
    pub clock_start: Time,
    pub epoch: Time,
    pub beacon: Id,
    pub receipts: u32,
}

/// How far a zone's lane counts.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub router: Id,
    pub key: Id,
    pub term: u64,
    pub height: u64,
    pub tip: Id,
    pub next: u64,
    pub voids: u64,
    pub opened: Time,
    pub heard: Time,
    pub is_governed: bool,
}

impl Lane {
    pub fn first(router: Id, key: Id, now: Time) -> Lane {
        Lane {
            router,
            key,
            term: 1,
            height: 0,
            tip: [0; 32],
            next: 1,
            voids: 0,
            opened: now,
            heard: now,
            is_governed: true,
        }
    }
}

/// The event being applied, and who signed it.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub author: Id,
    pub role: Role,
    pub key: Id,
    pub event: Id,
    pub zone: u32,
    pub number: u64,
    /// Its place among the anchor's receipts.
    pub place: u32,
}

impl State {
    pub(crate) fn schedule(&mut self, due: Time, tag: u16, key: &[u8]) {
        self.agenda.insert((due, tag, key.to_vec()));
    }

    pub(crate) fn unschedule(&mut self, due: Time, tag: u16, key: &[u8]) {
        self.agenda.remove(&(due, tag, key.to_vec()));
    }

    /// Does what a deadline is for. The ledger's own deadline is 0; the others are the
    /// programmes'.
    pub(crate) fn deadline(&mut self, tag: u16, key: &[u8]) -> Result<(), Code> {
        match tag {
            0 => self.lapse(key),
            RELEASE => self.release(key),
            FORGET_KEY => {
                self.forget_key(key);
                Ok(())
            }
            FORGET_TERM => {
                self.forget_term(key);
                Ok(())
            }
            201 => self.refund_lock(key),
            202 => self.forget_lock(key),
            301 => self.expire_commit(key),
            302 => self.settle(key),
            303 => self.lapse_renewal(key),
            401 => self.draw_address(key),
            402 => self.end_lease(key),
            501 => self.expire_username_commit(key),
            502 => self.expire_username(key),
            other => unreachable!("deadline {other}"),
        }
    }
}

/// Whether a rule holds, or else its refusal.
pub(crate) fn demand(holds: bool, code: Code) -> Result<(), Code> {
    if holds { Ok(()) } else { Err(code) }
}

/// The 32 bytes that a deadline's key, or half of one, is.
pub(crate) fn id(bytes: &[u8]) -> Id {
    bytes.try_into().expect("32 bytes")
}
