//! Which router governs which lane, and in which term (spec RTR-6 … RTR-12).

use super::record::{CLOSED_TERMS, ClosedTerm, LEDGER_HOLDS, ROUTERS, Ranked, ranked};
use crate::anchor::TIPS_MAX;
use crate::context::Context;
use crate::hash::Hash;
use crate::ids::Zone;
use crate::system::{AGENDA, LANES, Lane};
use crate::table::{Key, Rows, RowsMut};

/// Closes a lane's term: blocks that are not anchored lapse, and the next term goes on with
/// the next number. Whoever governed it answers for it; a term that nobody governed is nobody's.
pub(crate) fn close_term<R: RowsMut + ?Sized>(
    rows: &mut R,
    cx: &Context,
    zone: Zone,
    lane: &mut Lane,
) {
    if lane.is_governed {
        let until = cx.clock.plus(cx.params.router_unbond_ms);
        let (place, mut key) = ((zone, lane.term), Vec::new());
        place.write(&mut key);
        CLOSED_TERMS.put(rows, &place, &ClosedTerm { key: lane.key, until });
        AGENDA.put(rows, &(until.0, super::FORGET_TERM, key), &());
    }
    lane.term = lane.term.saturating_add(1);
    lane.height = 0;
    lane.tip = Hash::ZERO;
    lane.opened = cx.clock;
    LANES.put(rows, &zone, lane);
}

/// The standby routers, in the order in which they are given lanes.
fn standby<R: Rows + ?Sized>(rows: &R, cx: &Context) -> std::vec::IntoIter<Ranked> {
    ranked(rows, |router| router.is_standby(cx)).into_iter()
}

/// Forgets a term that closed long enough ago (spec RTR-7).
pub(crate) fn forget_term<R: RowsMut + ?Sized>(mut key: &[u8], rows: &mut R, cx: &Context) {
    let Some(place) = <(Zone, u64)>::read(&mut key).filter(|_| key.is_empty()) else { return };
    if CLOSED_TERMS.get(rows, &place).is_some_and(|closed| closed.until <= cx.clock) {
        CLOSED_TERMS.remove(rows, &place);
    }
}

/// Takes the lane from the router that governs it.
fn take<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context, lane: &Lane) {
    if let Some(mut router) = ROUTERS.get(rows, &lane.router).filter(|_| lane.is_governed) {
        router.zone = None;
        router.heard = lane.heard;
        if router.leaves.is_some() {
            super::answer_from_now(rows, cx, &lane.router, &mut router);
        }
        ROUTERS.put(rows, &lane.router, &router);
    }
}

fn give<R: RowsMut + ?Sized>(
    rows: &mut R,
    cx: &Context,
    zone: Zone,
    (account, mut router): Ranked,
) {
    let Some(mut lane) = LANES.get(rows, &zone) else { return };
    take(rows, cx, &lane);
    // The key of the old term is remembered with it.
    close_term(rows, cx, zone, &mut lane);
    lane.router = account;
    lane.key = router.key;
    lane.heard = cx.clock;
    lane.is_governed = true;
    LANES.put(rows, &zone, &lane);
    router.zone = Some(zone);
    ROUTERS.put(rows, &account, &router);
}

/// Gives a lane to the next standby router. False if there is none; then nothing changes.
pub(crate) fn replace<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context, zone: Zone) -> bool {
    let next = standby(rows, cx).next();
    next.map(|next| give(rows, cx, zone, next)).is_some()
}

/// Leaves a lane without a router. False if it is the last one with one; then nothing changes,
/// or no event could ever be sequenced again.
pub(crate) fn abandon<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context, zone: Zone) -> bool {
    let lanes = LANES.scan(rows, None, TIPS_MAX);
    if !lanes.iter().any(|(other, lane)| *other != zone && lane.is_governed) {
        return false;
    }
    let Some((_, mut lane)) = lanes.into_iter().find(|(other, _)| *other == zone) else {
        return false;
    };
    take(rows, cx, &lane);
    close_term(rows, cx, zone, &mut lane);
    lane.is_governed = false;
    LANES.put(rows, &zone, &lane);
    true
}

/// At an epoch's end: lanes whose router is silent, leaves, is out or is missing find another
/// one, by zone. A silent router without a successor leaves its zone without a router.
pub(crate) fn succeed<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context) {
    let is_silent = |lane: &Lane| cx.clock >= lane.heard.plus(cx.params.router_silent_ms);
    let mut lanes = LANES.scan(rows, None, TIPS_MAX);
    lanes.retain(|(_, lane)| {
        let router = ROUTERS.get(rows, &lane.router).filter(|_| lane.is_governed);
        is_silent(lane) || !router.is_some_and(|router| router.is_staying())
    });
    if lanes.is_empty() {
        return;
    }
    // Who loses a lane here is silent, leaves or is out, and does not wait for another one: so
    // those who wait are read and put into order once, not for each lane.
    let mut standby = standby(rows, cx);
    for (zone, lane) in lanes {
        match standby.next() {
            Some(next) => give(rows, cx, zone, next),
            None if lane.is_governed && is_silent(&lane) => {
                abandon(rows, cx, zone);
            }
            None => {}
        }
    }
}

/// At an epoch's end: a new zone for a standby router, if every zone with a router is full.
pub(crate) fn open<R: RowsMut + ?Sized>(
    rows: &mut R,
    cx: &Context,
    is_full: impl Fn(&R, Zone) -> bool,
) {
    let lanes = LANES.scan(rows, None, TIPS_MAX);
    let mut governed = lanes.iter().filter(|(_, lane)| lane.is_governed);
    let number = lanes.last().and_then(|(zone, _)| zone.0.checked_add(1));
    let Some(zone) = number.map(Zone).filter(|_| lanes.len() < TIPS_MAX) else { return };
    if !governed.all(|(zone, _)| is_full(rows, *zone)) {
        return;
    }
    let Some((account, mut router)) = standby(rows, cx).next() else { return };
    LANES.put(rows, &zone, &Lane::first(account, router.key, cx.clock));
    router.zone = Some(zone);
    ROUTERS.put(rows, &account, &router);
}

/// What must hold of routers and lanes together.
pub(crate) fn audit(rows: &dyn Rows) -> Vec<String> {
    let mut broken = Vec::new();
    let mut expect = |holds: bool, words: String| {
        if !holds {
            broken.push(words);
        }
    };
    let mut bonds = std::collections::BTreeSet::new();
    crate::accounts::each_hold(rows, LEDGER_HOLDS, |key, _| {
        bonds.insert(key);
    });
    ROUTERS.each(rows, |account, router| {
        let is_bonded = bonds.remove(&Hash(account.0));
        expect(is_bonded != router.is_out, format!("{account} is a router without a bond"));
        let own = super::RouterKey::read(rows, &router.key);
        let is_own = own.is_some_and(|own| own.account == account && own.past.is_none());
        expect(is_own, format!("the key of the router {account} is not noted as its own"));
        let lane = router.zone.map(|zone| LANES.get(rows, &zone));
        let is_its = lane.is_none_or(|lane| {
            lane.is_some_and(|lane| {
                lane.is_governed && lane.router == account && lane.key == router.key
            })
        });
        expect(is_its, format!("{account} does not govern the lane that its row names"));
    });
    expect(bonds.is_empty(), format!("bonds of who is no router: {bonds:?}"));
    LANES.each(rows, |zone, lane| {
        let router = ROUTERS.get(rows, &lane.router).filter(|_| lane.is_governed);
        let is_its = router.is_some_and(|router| router.zone == Some(zone));
        expect(is_its == lane.is_governed, format!("the router of zone {zone} does not say so"));
    });
    broken
}
