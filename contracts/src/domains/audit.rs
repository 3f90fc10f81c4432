//! What must hold of all domains together.

use std::collections::BTreeMap;

use ddt_ledger::accounts::each_hold;
use ddt_ledger::table::Rows;
use ddt_ledger::{Amount, Hash};

use super::PROGRAMME;
use super::record::{COMMITS, DOMAINS, commit_hold, name_hold};

/// Every hold belongs to a live commit or a contested name, and each of those is covered.
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
    broken
        .extend(holds.iter().map(|(key, amount)| format!("{amount} APT held for {key}: nothing")));
    broken
}
