//! What must hold of all domains together.

use std::collections::BTreeMap;

use ddt_ledger::accounts::each_hold;
use ddt_ledger::table::Rows;
use ddt_ledger::{Amount, Hash};

use super::PROGRAMME;
use super::offer::OFFERS;
use super::record::{COMMITS, DOMAINS, commit_hold, name_hold};
use super::records::{RECORDS, RecordsRow, check_records};
use super::renewal::{RENEWALS, renewal_hold};

/// Every hold belongs to a live commit, a contested name or a prepaid renewal, and the first
/// two are covered; whatever hangs on a name belongs to the name's owner.
pub(crate) fn audit(rows: &dyn Rows) -> Vec<String> {
    let mut holds: BTreeMap<Hash, Amount> = BTreeMap::new();
    each_hold(rows, PROGRAMME.id, |key, amount| {
        holds.insert(key, amount);
    });
    let mut broken = Vec::new();
    COMMITS.each(rows, |(owner, hash), row| {
        // A reveal's fee may be gone from the escrow, the cap never is (spec DOM-3).
        let held = holds.remove(&commit_hold(&owner, &hash)).unwrap_or_default();
        if held < row.price_max {
            broken.push(format!("a commit of {owner} holds {held} APT, below its cap"));
        }
    });
    DOMAINS.each(rows, |name, row| {
        if row.from >= row.until {
            broken.push(format!("{name}.ddt has an empty term"));
        }
        if row.contest.is_some() && holds.remove(&name_hold(&name)) != Some(row.price) {
            broken.push(format!("{name}.ddt is contested but its price is not held"));
        }
    });
    RENEWALS.each(rows, |name, row| {
        // What was put aside may be used up.
        holds.remove(&renewal_hold(&name));
        if DOMAINS.get(rows, &name).is_none_or(|domain| domain.owner != row.payer) {
            broken.push(format!("{name}.ddt is renewed by {}, not by its owner", row.payer));
        }
    });
    broken
        .extend(holds.iter().map(|(key, amount)| format!("{amount} APT held for {key}: nothing")));
    broken.extend(audit_belongings(rows));
    broken
}

/// Offers and records.
fn audit_belongings(rows: &dyn Rows) -> Vec<String> {
    let mut broken = Vec::new();
    OFFERS.each(rows, |name, row| {
        if DOMAINS.get(rows, &name).is_none_or(|domain| domain.owner != row.seller) {
            broken.push(format!("{name}.ddt is offered by {}, not by its owner", row.seller));
        }
        if row.to == Some(row.seller) || row.is_transfer() && row.to.is_none() {
            broken.push(format!("{name}.ddt is offered to nobody else"));
        }
    });
    RECORDS.each(rows, |name, row| {
        if DOMAINS.get(rows, &name).is_none() {
            broken.push(format!("{name}.ddt has records but no owner"));
        }
        if row == RecordsRow::default() {
            broken.push(format!("{name}.ddt has an empty row of records"));
        }
        if let Err(refusal) = check_records(&row.records) {
            broken.push(format!("{name}.ddt has bad records: {refusal}"));
        }
    });
    broken
}
