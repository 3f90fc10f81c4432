//! Routers: one, all of them, those that validate, and what they upgrade to.

use std::collections::BTreeSet;

use ddt_ledger::certificate::{Validator, ValidatorSet};
use ddt_ledger::context::Context;
use ddt_ledger::routers::{PlannedUpgrade, Protocol, Router as Row, RouterKey, bond_of};
use ddt_ledger::system::{Lane, Validators as Sets};
use ddt_ledger::table::Rows;
use ddt_ledger::view::{CURSOR, Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Amount, Millis, PublicKey, Refusal, Zone, shape, view};

shape! {
    /// A router.
    RouterFacts {
        /// Its account.
        account: AccountId,
        /// Its key.
        key: PublicKey,
        /// Its VRF key.
        vrf_key: PublicKey,
        /// Its bond.
        bond: Amount,
        /// The epoch clock when it bonded.
        bonded: Millis,
        /// The zone that it governs; a router that waits for one governs none.
        zone: Option<Zone>,
        /// The epoch clock when it was last heard of.
        heard: Millis,
        /// The epoch clock from which its bond may be paid out, if it leaves or is out.
        leaves: Option<Millis>,
        /// Whether it lost its bond: it signed two ways, or void events spent it.
        is_out: bool,
        /// Whether it signs the next anchor.
        is_validator: bool,
        /// Whether it signs the anchor after the next one.
        will_validate: bool,
        /// The protocol version that it says it is ready for.
        signal: u32,
    }
}

fn account_of(rows: &dyn Rows, validator: &Validator) -> Option<AccountId> {
    RouterKey::read(rows, &validator.key).map(|known| known.account)
}

/// Whose keys stand in a set. Whose, not which: after a move the old key signs one anchor more.
fn accounts_of(rows: &dyn Rows, set: &ValidatorSet) -> BTreeSet<AccountId> {
    set.0.iter().filter_map(|validator| account_of(rows, validator)).collect()
}

/// Who signs the next anchor, and who the one after it.
fn signers(rows: &dyn Rows) -> [BTreeSet<AccountId>; 2] {
    let sets = Sets::read(rows).map(|sets| [sets.next, sets.after_next]);
    sets.map(|sets| sets.map(|set| accounts_of(rows, &set))).unwrap_or_default()
}

impl RouterFacts {
    fn new(
        rows: &dyn Rows,
        [next, after_next]: &[BTreeSet<AccountId>; 2],
        (account, row): (AccountId, Row),
    ) -> RouterFacts {
        let lane = row.zone.and_then(|zone| Lane::read(rows, zone));
        RouterFacts {
            account,
            key: row.key,
            vrf_key: row.vrf_key,
            bond: bond_of(rows, &account),
            bonded: row.bonded,
            zone: row.zone,
            heard: lane.map_or(row.heard, |lane| lane.heard),
            leaves: row.leaves,
            is_out: row.is_out,
            is_validator: next.contains(&account),
            will_validate: after_next.contains(&account),
            signal: row.signal,
        }
    }
}

view! {
    Router = "zones.router", "A router by its account."
    query {
        /// The account.
        account: AccountId,
    }
    row RouterRow {
        /// The router.
        router: RouterFacts,
    }
}

impl View for Router {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<RouterRow>, Refusal> {
        let row = Row::read(rows, &self.account).ok_or(NOT_FOUND)?;
        let router = RouterFacts::new(rows, &signers(rows), (self.account, row));
        Ok(Found::one(RouterRow { router }))
    }
}

view! {
    Routers = "zones.routers", "All routers, by account."
    query {}
    row RoutersRow {
        /// The router.
        router: RouterFacts,
    }
}

impl View for Routers {
    fn run(&self, _: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<RoutersRow>, Refusal> {
        let after = match page.after.as_deref().map(<[u8; 32]>::try_from) {
            Some(Ok(account)) => Some(AccountId(account)),
            Some(Err(_)) => return Err(CURSOR),
            None => None,
        };
        let found = Row::scan(rows, after, page.limit);
        let last = found.last().filter(|_| found.len() >= page.limit);
        let next = last.map(|(account, _)| account.0.to_vec());
        let signers = signers(rows);
        let row = |row| RoutersRow { router: RouterFacts::new(rows, &signers, row) };
        Ok(Found { rows: found.into_iter().map(row).collect(), next })
    }
}

view! {
    Validators = "zones.validators", "Who signs the next anchor, by zone."
    query {}
    row ValidatorsRow {
        /// The zone.
        zone: Zone,
        /// The router's account.
        account: Option<AccountId>,
        /// Its key.
        key: PublicKey,
        /// Its VRF key.
        vrf_key: PublicKey,
        /// Its bond.
        bond: Amount,
        /// Whether it also signs the anchor after the next one.
        is_staying: bool,
    }
}

impl View for Validators {
    fn run(
        &self,
        _: &Context,
        rows: &dyn Rows,
        page: &Page,
    ) -> Result<Found<ValidatorsRow>, Refusal> {
        let start = match page.after.as_deref().map(<[u8; 4]>::try_from) {
            Some(Ok(place)) => usize::try_from(u32::from_be_bytes(place)).unwrap_or(usize::MAX),
            Some(Err(_)) => return Err(CURSOR),
            None => 0,
        };
        let sets = Sets::read(rows).ok_or(NOT_FOUND)?;
        let of_page = sets.next.0.iter().skip(start).take(page.limit);
        let after = accounts_of(rows, &sets.after_next);
        let row = |validator: &Validator| {
            let account = account_of(rows, validator);
            ValidatorsRow {
                zone: validator.zone,
                account,
                key: validator.key,
                vrf_key: validator.vrf_key,
                bond: account.map_or(Amount::ZERO, |account| bond_of(rows, &account)),
                is_staying: account.is_some_and(|account| after.contains(&account)),
            }
        };
        let found: Vec<ValidatorsRow> = of_page.map(row).collect();
        let end = u32::try_from(start.saturating_add(found.len())).unwrap_or(u32::MAX);
        let is_full = found.len() >= page.limit;
        Ok(Found { rows: found, next: is_full.then(|| end.to_be_bytes().to_vec()) })
    }
}

view! {
    Upgrade = "zones.upgrade", "By which version of the rules the network goes on, and from when."
    query {}
    row UpgradeRow {
        /// The version in force.
        version: u32,
        /// What more than two thirds of the validators were ready for at the last epoch's end.
        ready: u32,
        /// The version that comes.
        next_version: Option<u32>,
        /// The epoch from whose first anchor on it is in force.
        next_epoch: Option<u64>,
    }
}

impl View for Upgrade {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<UpgradeRow>, Refusal> {
        let Protocol { version, ready, next } = Protocol::read(rows);
        let (next_version, next_epoch) =
            next.map(|PlannedUpgrade { version, epoch }| (version, epoch)).unzip();
        Ok(Found::one(UpgradeRow { version, ready, next_version, next_epoch }))
    }
}
