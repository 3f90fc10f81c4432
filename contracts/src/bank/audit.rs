//! What must hold of all locks together.

use std::collections::BTreeMap;

use ddt_ledger::accounts::each_hold;
use ddt_ledger::table::Rows;
use ddt_ledger::{Amount, Hash};

use super::PROGRAMME;
use super::record::{LOCKS, LockState, lock_hash};

/// Every hold belongs to an open lock and is exactly its amount, so their sums are equal too;
/// a secret in a row is the right one.
pub(crate) fn audit(rows: &dyn Rows) -> Vec<String> {
    let mut holds: BTreeMap<Hash, Amount> = BTreeMap::new();
    each_hold(rows, PROGRAMME.id, |key, amount| {
        holds.insert(key, amount);
    });
    let mut broken = Vec::new();
    LOCKS.each(rows, |lock, row| {
        let held = holds.remove(&lock);
        let wanted = (row.state == LockState::Open).then_some(row.amount);
        if held != wanted {
            broken.push(format!("the lock {lock} holds {held:?}, it should be {wanted:?}"));
        }
        if row.from == row.to || row.amount.is_zero() {
            broken.push(format!("the lock {lock} is for its payer, or of nothing"));
        }
        if row.state.secret().is_some_and(|secret| lock_hash(&secret) != row.hash) {
            broken.push(format!("the lock {lock} was claimed with a wrong secret"));
        }
    });
    broken
        .extend(holds.iter().map(|(key, amount)| format!("{amount} APT held for {key}: no lock")));
    broken
}
