//! The state as rows (STA-1): the table's number, the key, and canonical bytes.

use std::collections::BTreeMap;

use crate::canonical::Canonical;
use crate::state::State;

/// A row's full key: the table's number, and the parts of the key.
pub(crate) fn number(table: u16, parts: &[&[u8]]) -> Vec<u8> {
    [table.to_be_bytes().as_slice(), &parts.concat()].concat()
}

impl State {
    /// Every row.
    pub fn rows(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows = self.rows_of_the_ledger();
        rows.extend(self.rows_of_programmes());
        rows.extend(self.records_of_epochs.clone());
        rows
    }

    /// What is where (BOK-2), recounted.
    pub(crate) fn supply_row(&self) -> Vec<u8> {
        let none = crate::Money::ZERO;
        let accounts: crate::Money = self.accounts.values().map(|row| &row.balance).sum();
        let allowances: crate::Money = self.node_keys.values().map(|row| &row.allowance).sum();
        let held = self.holds.values().sum::<crate::Money>() + allowances;
        let supply = &self.supply;
        let mut row = (&supply.genesis, &none, &supply.burned, accounts, held).bytes();
        (&self.pool, &none, self.accounts.len() as u64).write(&mut row);
        row
    }

    fn rows_of_the_ledger(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows = BTreeMap::new();
        let mut put = |table, key: &[&[u8]], value: Vec<u8>| {
            rows.insert(number(table, key), value);
        };
        for (id, row) in &self.accounts {
            let value = (&row.balance, row.key, row.rotations, row.opened, &row.nonces, row.lapses);
            put(1, &[id], value.bytes());
        }
        for ((account, key), row) in &self.node_keys {
            let value = (row.role, &row.allowance, &row.nonces, row.is_revoked);
            put(2, &[account, key], value.bytes());
        }
        for ((programme, key), amount) in &self.holds {
            put(3, &[&programme.to_be_bytes(), key], amount.bytes());
        }
        put(4, &[], self.supply_row());
        let head = &self.head;
        let mut value = (2u8, head.height, head.anchor, head.time, head.clock).bytes();
        (head.clock_start, head.epoch, head.beacon, head.receipts).write(&mut value);
        put(5, &[], value);
        for (zone, lane) in &self.lanes {
            let mut value = (lane.router, lane.key, lane.term, lane.height, lane.tip).bytes();
            (lane.next, lane.voids, lane.opened, lane.heard, lane.is_governed).write(&mut value);
            put(6, &[&zone.to_be_bytes()], value);
        }
        let [next, after_next] = &self.validators;
        put(7, &[], (next, after_next).bytes());
        put(8, &[], self.params.bytes());
        for (due, tag, key) in &self.agenda {
            put(9, &[&(*due as u64).to_be_bytes(), &tag.to_be_bytes(), key], Vec::new());
        }
        put(12, &[], 1_000_000u64.bytes());
        let stamps = &self.stamps;
        put(13, &[], (&stamps.now, &stamps.before, stamps.made[0], stamps.made[1]).bytes());
        for (account, tickets) in &self.tickets {
            put(14, &[account], (tickets.last, &tickets.open).bytes());
        }
        for (account, row) in &self.routers {
            let mut value = (row.key, row.vrf_key, row.bonded, row.zone, row.heard).bytes();
            (row.leaves, row.is_out, row.signal, row.signalled, row.since).write(&mut value);
            row.moved.write(&mut value);
            put(15, &[account], value);
        }
        for (key, (account, past)) in &self.router_keys {
            put(16, &[key], (account, past).bytes());
        }
        for ((zone, term), (key, until)) in &self.closed_terms {
            put(17, &[&zone.to_be_bytes(), &term.to_be_bytes()], (key, *until).bytes());
        }
        let protocol = &self.protocol;
        put(18, &[], (protocol.version, protocol.ready, protocol.next).bytes());
        rows
    }

    fn rows_of_programmes(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows = BTreeMap::new();
        let mut put = |table, key: &[&[u8]], value: Vec<u8>| {
            rows.insert(number(table, key), value);
        };
        for (id, row) in &self.locks {
            let mut value = (row.from, row.to, &row.amount, row.hash, row.deadline).bytes();
            (row.refund_at, row.height, &row.end).write(&mut value);
            put(260, &[id], value);
        }
        for ((owner, hash), row) in &self.commits {
            let value = (&row.price_max, row.order, row.clock, row.expires);
            put(301, &[owner, hash], value.bytes());
        }
        for (name, row) in &self.names {
            let value = (row.owner, row.from, row.until, &row.price, row.order, &row.contest);
            put(302, &[name.as_bytes()], value.bytes());
        }
        for (name, row) in &self.offers {
            let value = (row.seller, &row.price, row.to, row.clock);
            put(303, &[name.as_bytes()], value.bytes());
        }
        for (name, row) in &self.renewals {
            let value = (row.payer, row.years, &row.price_max, row.due, row.ends);
            put(304, &[name.as_bytes()], value.bytes());
        }
        for (name, row) in &self.records {
            put(305, &[name.as_bytes()], (&row.records, row.site, row.version).bytes());
        }
        for (account, row) in &self.members {
            let mut value = (row.zone, row.lane, row.number, row.joined, row.seen).bytes();
            // Every member is new (ZON-2).
            (row.node_key, row.address, 0u8).write(&mut value);
            put(401, &[account], value);
        }
        for (address, account) in &self.addresses {
            put(402, &[address], account.bytes());
        }
        for (zone, seats) in &self.seats {
            put(403, &[&zone.to_be_bytes()], (seats.members, seats.newcomers).bytes());
        }
        for ((author, hash), row) in &self.username_commits {
            put(501, &[author, hash], row.bytes());
        }
        for (row, username) in &self.usernames {
            let value = (username.holder, username.from, username.until, &username.ciphertext);
            put(502, &[row], value.bytes());
        }
        for (key, row) in &self.username_keys {
            put(503, &[key], row.bytes());
        }
        rows
    }
}
