//! What must hold of all members together.

use std::collections::BTreeMap;

use ddt_ledger::Zone;
use ddt_ledger::table::Rows;

use super::record::{ADDRESSES, MEMBERS, SEATS, SeatsRow, Standing};

/// Every address is its member's and the other way round, and seats are counted right.
pub(crate) fn audit(rows: &dyn Rows) -> Vec<String> {
    let mut broken = Vec::new();
    let mut counted: BTreeMap<Zone, SeatsRow> = BTreeMap::new();
    MEMBERS.each(rows, |account, member| {
        let seats = counted.entry(member.zone).or_default();
        seats.members = seats.members.saturating_add(1);
        let Standing::New = member.standing;
        seats.newcomers = seats.newcomers.saturating_add(1);
        if let Some(address) = member.address
            && ADDRESSES.get(rows, &address) != Some(account)
        {
            broken.push(format!("{address} is not leased to its member {account}"));
        }
    });
    ADDRESSES.each(rows, |address, account| {
        let member = MEMBERS.get(rows, &account);
        if member.and_then(|member| member.address) != Some(address) {
            broken.push(format!("{address} is leased to {account}, which does not have it"));
        }
    });
    SEATS.each(rows, |zone, seats| {
        if counted.remove(&zone).unwrap_or_default() != seats {
            broken.push(format!("zone {zone} counts {seats:?}"));
        }
    });
    broken.extend(counted.keys().map(|zone| format!("zone {zone} counts no seats")));
    broken
}
