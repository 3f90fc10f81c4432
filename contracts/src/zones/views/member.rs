//! Members: one, one by its address, those of a zone.

use ddt_ledger::context::Context;
use ddt_ledger::table::{Rows, index_prefix};
use ddt_ledger::view::{CURSOR, Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Address as DdtAddress, Millis, PublicKey, Refusal, Zone, shape, view};

use crate::zones::record::{ADDRESSES, MEMBERS, MemberRow as Row, Presence, Standing, ZONE_INDEX};

shape! {
    /// A member of a zone.
    MemberFacts {
        /// The account.
        account: AccountId,
        /// Its zone.
        zone: Zone,
        /// Its address, once it is drawn.
        address: Option<DdtAddress>,
        /// Whether it is heard of.
        presence: Presence,
        /// What it has shown of itself.
        standing: Standing,
        /// The node that is heard of for it.
        node_key: Option<PublicKey>,
        /// The epoch clock when it joined.
        joined: Millis,
        /// The epoch clock when it was last heard of.
        seen: Millis,
        /// The epoch clock at which it loses its address, unless it is heard of.
        lease_until: Millis,
    }
}

impl MemberFacts {
    fn new(account: AccountId, row: &Row, cx: &Context) -> MemberFacts {
        MemberFacts {
            account,
            zone: row.zone,
            address: row.address,
            presence: row.presence(cx),
            standing: row.standing,
            node_key: row.node_key,
            joined: row.joined,
            seen: row.seen,
            lease_until: row.seen.plus(cx.params.lease_ms),
        }
    }
}

view! {
    Member = "zones.member", "An account's membership and address."
    query {
        /// The account.
        account: AccountId,
    }
    row MemberRow {
        /// The member.
        member: MemberFacts,
    }
}

impl View for Member {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<MemberRow>, Refusal> {
        let row = MEMBERS.get(rows, &self.account).ok_or(NOT_FOUND)?;
        Ok(Found::one(MemberRow { member: MemberFacts::new(self.account, &row, cx) }))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(MEMBERS.full_key(&self.account))
    }
}

view! {
    Address = "zones.address", "Whose an address is at present."
    query {
        /// The address.
        address: DdtAddress,
    }
    row AddressRow {
        /// Its member.
        member: MemberFacts,
    }
}

impl View for Address {
    fn run(&self, cx: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<AddressRow>, Refusal> {
        let account = ADDRESSES.get(rows, &self.address).ok_or(NOT_FOUND)?;
        let row = MEMBERS.get(rows, &account).ok_or(NOT_FOUND)?;
        Ok(Found::one(AddressRow { member: MemberFacts::new(account, &row, cx) }))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(ADDRESSES.full_key(&self.address))
    }
}

view! {
    Members = "zones.members", "The members of a zone, by account."
    query {
        /// The zone.
        zone: Zone,
    }
    row MembersRow {
        /// The member.
        member: MemberFacts,
    }
}

impl View for Members {
    fn run(
        &self,
        cx: &Context,
        rows: &dyn Rows,
        page: &Page,
    ) -> Result<Found<MembersRow>, Refusal> {
        let zone = self.zone.0.to_be_bytes();
        let prefix = [index_prefix(ZONE_INDEX).as_slice(), &zone].concat();
        let after = match &page.after {
            Some(account) if account.len() != 32 => return Err(CURSOR),
            Some(account) => [prefix.as_slice(), account].concat(),
            None => Vec::new(),
        };
        let entries = rows.index_after(&prefix, &after, page.limit);
        let is_full = entries.len() >= page.limit;
        let mut found = Vec::new();
        for (entry, _) in entries {
            let account = entry.get(prefix.len()..).and_then(|bytes| bytes.try_into().ok());
            let Some(account) = account.map(AccountId) else { continue };
            if let Some(row) = MEMBERS.get(rows, &account) {
                found.push(MembersRow { member: MemberFacts::new(account, &row, cx) });
            }
        }
        let last = found.last().filter(|_| is_full);
        let next = last.map(|row| row.member.account.0.to_vec());
        Ok(Found { rows: found, next })
    }
}
