//! Who signs anchors: the largest bonds among the routers that govern lanes.
//!
//! The set that an anchor computes signs from the second anchor after it (spec CON-4,
//! RTR-13 … RTR-15).

use std::collections::BTreeSet;

use super::record::{ROUTERS, Router, ranked};
use crate::certificate::{VALIDATORS_MAX, Validator, ValidatorSet};
use crate::context::Context;
use crate::ids::AccountId;
use crate::key::PublicKey;
use crate::system::{VALIDATORS, Validators};
use crate::table::{Rows, RowsMut};

/// The set that an anchor leaves behind, before it changes anything: what was to sign the
/// anchor after the next one signs the next one.
pub(crate) fn move_up<R: RowsMut + ?Sized>(rows: &mut R) {
    let Some(validators) = VALIDATORS.get(rows, &()) else { return };
    if validators.next != validators.after_next {
        let after_next = validators.after_next;
        VALIDATORS.put(rows, &(), &Validators { next: after_next.clone(), after_next });
    }
}

fn after_next<R: Rows + ?Sized>(rows: &R) -> Vec<Validator> {
    VALIDATORS.get(rows, &()).map(|validators| validators.after_next.0).unwrap_or_default()
}

fn put<R: RowsMut + ?Sized>(rows: &mut R, mut set: Vec<Validator>) {
    let Some(mut validators) = VALIDATORS.get(rows, &()) else { return };
    set.sort_by_key(|validator| (validator.zone, validator.key));
    // A height has at least one validator (CON-1): the last one stays.
    if !set.is_empty() && validators.after_next.0 != set {
        validators.after_next = ValidatorSet(set);
        VALIDATORS.put(rows, &(), &validators);
    }
}

/// Whether this key signs one of the next two anchors.
pub(crate) fn is_validator<R: Rows + ?Sized>(rows: &R, key: &PublicKey) -> bool {
    let Some(validators) = VALIDATORS.get(rows, &()) else { return false };
    let mut all = validators.next.0.iter().chain(&validators.after_next.0);
    all.any(|validator| validator.key == *key)
}

/// A validator whose bond is gone goes at once, unless it is the last.
pub(crate) fn expel<R: RowsMut + ?Sized>(rows: &mut R, key: &PublicKey) {
    let mut set = after_next(rows);
    set.retain(|validator| validator.key != *key);
    put(rows, set);
}

/// A validator has other keys.
pub(crate) fn rekey<R: RowsMut + ?Sized>(
    rows: &mut R,
    old: &PublicKey,
    (key, vrf_key): (PublicKey, PublicKey),
) {
    let mut set = after_next(rows);
    for validator in set.iter_mut().filter(|validator| validator.key == *old) {
        (validator.key, validator.vrf_key) = (key, vrf_key);
    }
    put(rows, set);
}

fn validator_of((_, router): &(AccountId, Router)) -> Option<Validator> {
    Some(Validator { zone: router.zone?, key: router.key, vrf_key: router.vrf_key })
}

/// The set for the next epoch: at most a tenth of the places changes, but one at least.
pub(crate) fn choose<R: RowsMut + ?Sized>(rows: &mut R, cx: &Context) {
    let most = usize::from(cx.params.validators_max).clamp(1, VALIDATORS_MAX);
    let mut wanted: Vec<Validator> =
        ranked(rows, |router| router.is_staying() && router.zone.is_some())
            .iter()
            .filter_map(validator_of)
            .collect();
    // Those who govern, best first; what comes after `most` may stay only until it is replaced.
    let spare = wanted.split_off(wanted.len().min(most));
    let before = after_next(rows);
    let changes = (before.len() / 10).max(1);
    let keys: BTreeSet<PublicKey> = wanted.iter().map(|validator| validator.key).collect();
    // Who may not stay goes first: those who govern no lane, then the smallest bonds.
    let place = |key: &PublicKey| spare.iter().position(|validator| validator.key == *key);
    let mut leaving: Vec<(bool, usize, PublicKey)> = before
        .iter()
        .filter(|validator| !keys.contains(&validator.key))
        .map(|validator| {
            let place = place(&validator.key);
            (place.is_some(), usize::MAX.saturating_sub(place.unwrap_or(0)), validator.key)
        })
        .collect();
    leaving.sort_unstable();
    let leaving: BTreeSet<PublicKey> =
        leaving.into_iter().take(changes).map(|(.., key)| key).collect();
    let is_known = |key: &PublicKey| before.iter().any(|validator| validator.key == *key);
    let joining: Vec<Validator> =
        wanted.iter().filter(|v| !is_known(&v.key)).take(changes).cloned().collect();
    let mut set: Vec<Validator> = before
        .iter()
        .filter(|validator| !leaving.contains(&validator.key))
        // A router may govern another zone by now, also one that stays for want of changes.
        .map(|old| {
            let now = wanted.iter().chain(&spare).find(|new| new.key == old.key);
            now.unwrap_or(old).clone()
        })
        .collect();
    let room = most.saturating_sub(set.len());
    set.extend(joining.into_iter().take(room));
    if set.is_empty() {
        return;
    }
    put(rows, set);
    for key in leaving {
        let account = super::RouterKey::read(rows, &key).map(|known| known.account);
        let Some(account) = account else { continue };
        let router = ROUTERS.get(rows, &account).filter(|router| router.leaves.is_some());
        let Some(mut router) = router else { continue };
        super::answer_from_now(rows, cx, &account, &mut router);
        ROUTERS.put(rows, &account, &router);
    }
}

/// How many validators of the next anchors have signalled at least a version.
pub(crate) fn signals<R: Rows + ?Sized>(rows: &R) -> Vec<u32> {
    let set = after_next(rows);
    let signal = |validator: &Validator| {
        let key = super::RouterKey::read(rows, &validator.key)?;
        ROUTERS.get(rows, &key.account).map(|router| router.signal)
    };
    set.iter().map(|validator| signal(validator).unwrap_or_default()).collect()
}
