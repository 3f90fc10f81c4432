//! The rows of routers: who is one, with which keys, and which terms closed lately.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::accounts::HOLDS;
use crate::amount::Amount;
use crate::book::Party;
use crate::context::Context;
use crate::hash::Hash;
use crate::ids::{AccountId, Millis, Zone};
use crate::key::PublicKey;
use crate::table::{Rows, Table};

pub(crate) static ROUTERS: Table<AccountId, Router> = Table::system(15);
/// Every key of a router, also those that it replaced lately.
pub(crate) static ROUTER_KEYS: Table<PublicKey, RouterKey> = Table::system(16);
pub(crate) static CLOSED_TERMS: Table<(Zone, u64), ClosedTerm> = Table::system(17);

/// The number under which the ledger itself holds money: no programme has it.
pub const LEDGER_HOLDS: u16 = 0;

/// Routers that are read at a time.
const PAGE: usize = 1_000;

/// An account with a bond, which may govern a zone's lane.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Router {
    /// Signs lane blocks, votes and router-role events.
    pub key: PublicKey,
    /// schnorrkel public key of its VRF.
    pub vrf_key: PublicKey,
    /// The epoch clock when it bonded: of equal bonds the older one comes first.
    pub bonded: Millis,
    /// The zone whose lane it governs; a standby router governs none.
    pub zone: Option<Zone>,
    /// The epoch clock when it was last heard of while it governed no lane; while it governs
    /// one, the lane's row knows.
    pub heard: Millis,
    /// The epoch clock from which its bond may be paid out: it leaves, or is out.
    pub leaves: Option<Millis>,
    /// Whether its bond is gone: it signed two ways, or void events spent it.
    pub is_out: bool,
    /// The highest protocol version that it says it is ready for; 0 at first.
    pub signal: u32,
    /// The epoch clock when it said so.
    pub signalled: Millis,
    /// The anchor in which it bonded; 0 at genesis. Votes up to there are no matter of its bond.
    pub since: u64,
    /// The epoch clock when it changed its keys last, if it ever did.
    pub moved: Option<Millis>,
}

impl Router {
    pub(crate) fn new((key, vrf_key): (PublicKey, PublicKey), now: Millis, since: u64) -> Router {
        Router {
            key,
            vrf_key,
            bonded: now,
            zone: None,
            heard: now,
            leaves: None,
            is_out: false,
            signal: 0,
            signalled: Millis(0),
            since,
            moved: None,
        }
    }

    /// The router that an account is.
    pub fn read<R: Rows + ?Sized>(rows: &R, account: &AccountId) -> Option<Router> {
        ROUTERS.get(rows, account)
    }

    /// At most `limit` routers after `account`, by account.
    pub fn scan<R: Rows + ?Sized>(
        rows: &R,
        after: Option<AccountId>,
        limit: usize,
    ) -> Vec<(AccountId, Router)> {
        ROUTERS.scan(rows, after.as_ref(), limit)
    }

    /// The full key of a router's row, for proofs.
    pub fn full_key(account: &AccountId) -> Vec<u8> {
        ROUTERS.full_key(account)
    }

    /// Whether it may govern a lane, or go on doing so.
    pub fn is_staying(&self) -> bool {
        self.leaves.is_none() && !self.is_out
    }

    /// Whether it waits for a lane: it stays, governs none and was heard of lately.
    pub fn is_standby(&self, cx: &Context) -> bool {
        let is_heard = cx.clock < self.heard.plus(cx.params.router_silent_ms);
        self.is_staying() && self.zone.is_none() && is_heard
    }
}

/// Whose a router's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RouterKey {
    /// The router's account.
    pub account: AccountId,
    /// Since when it is another's place; `None` for the key of now.
    pub past: Option<PastKey>,
}

impl RouterKey {
    /// Whose this key is, or was lately.
    pub fn read<R: Rows + ?Sized>(rows: &R, key: &PublicKey) -> Option<RouterKey> {
        ROUTER_KEYS.get(rows, key)
    }
}

/// A key that a router replaced: what it signed before still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PastKey {
    /// The last height at which it may have voted.
    pub height: u64,
    /// The epoch clock until which it is answered for.
    pub until: Millis,
}

/// A term that closed: what was signed in it is answered for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClosedTerm {
    /// The key that signed its blocks.
    pub key: PublicKey,
    /// The epoch clock until which it is remembered at least.
    pub until: Millis,
}

impl ClosedTerm {
    /// A term that closed lately.
    pub fn read<R: Rows + ?Sized>(rows: &R, zone: Zone, term: u64) -> Option<ClosedTerm> {
        CLOSED_TERMS.get(rows, &(zone, term))
    }
}

/// Where a router's bond is held.
pub fn bond_party(account: &AccountId) -> Party {
    Party::Hold { programme: LEDGER_HOLDS, key: Hash(account.0) }
}

/// A router's bond.
pub fn bond_of<R: Rows + ?Sized>(rows: &R, account: &AccountId) -> Amount {
    HOLDS.get(rows, &(LEDGER_HOLDS, Hash(account.0))).unwrap_or_default()
}

/// A router with its bond, in the order in which routers are chosen.
pub(crate) type Ranked = (AccountId, Router);

/// The routers for which `chosen` says yes: largest bonds first, of equal ones the oldest,
/// then by account.
pub(crate) fn ranked<R: Rows + ?Sized>(rows: &R, chosen: impl Fn(&Router) -> bool) -> Vec<Ranked> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = Router::scan(rows, after, PAGE);
        let is_last = page.len() < PAGE;
        after = page.last().map(|(account, _)| *account);
        let page = page.into_iter().filter(|(_, router)| chosen(router));
        found.extend(page.map(|(account, router)| {
            let bond = bond_of(rows, &account);
            (std::cmp::Reverse(bond), router.bonded, account, router)
        }));
        if is_last {
            break;
        }
    }
    found.sort_by_key(|found| (found.0, found.1, found.2));
    found.into_iter().map(|(_, _, account, router)| (account, router)).collect()
}
