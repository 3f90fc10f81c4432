//! Reading accounts.

use ddt_ledger::accounts as rows_of;
use ddt_ledger::context::Context;
use ddt_ledger::event::Role;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{CURSOR, Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Amount, Millis, PublicKey, Refusal, view};

view! {
    Account = "accounts.account", "An account's balance, key and history in one row."
    query {
        /// The account.
        account: AccountId,
    }
    row AccountRow {
        /// The account.
        account: AccountId,
        /// What it has.
        balance: Amount,
        /// Its owner key, once it was replaced; before, the key whose hash the id is.
        key: Option<PublicKey>,
        /// How often the owner key was replaced.
        rotations: u32,
        /// When it opened.
        opened: Millis,
        /// The highest nonce used.
        highest_nonce: u64,
    }
}

impl View for Account {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<AccountRow>, Refusal> {
        let row = rows_of::Account::read(rows, &self.account).ok_or(NOT_FOUND)?;
        Ok(Found::one(AccountRow {
            account: self.account,
            balance: row.balance,
            key: row.key,
            rotations: row.rotations,
            opened: row.opened,
            highest_nonce: row.nonces.highest(),
        }))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(rows_of::Account::full_key(&self.account))
    }
}

view! {
    NodeKeys = "accounts.node_keys", "The node keys of an account, revoked ones included."
    query {
        /// The account.
        account: AccountId,
    }
    row NodeKeyRow {
        /// The key.
        key: PublicKey,
        /// For which role.
        role: Role,
        /// Prepaid fees that are left.
        allowance: Amount,
        /// Whether the account took it back.
        is_revoked: bool,
    }
}

impl View for NodeKeys {
    fn run(&self, _: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<NodeKeyRow>, Refusal> {
        let after = match page.after.as_deref().map(<[u8; 32]>::try_from) {
            Some(Ok(key)) => Some(PublicKey(key)),
            Some(Err(_)) => return Err(CURSOR),
            None => None,
        };
        let duties = rows_of::Duty::of_account(rows, &self.account, after, page.limit);
        let last = duties.last().filter(|_| duties.len() >= page.limit);
        let next = last.map(|(key, _)| key.0.to_vec());
        let rows = duties.into_iter().map(|(key, duty)| NodeKeyRow {
            key,
            role: duty.role,
            allowance: duty.allowance,
            is_revoked: duty.is_revoked,
        });
        Ok(Found { rows: rows.collect(), next })
    }
}

view! {
    Tickets = "accounts.tickets", "The open tickets of an account, in order."
    query {
        /// The account.
        account: AccountId,
    }
    row TicketRow {
        /// The number: the nonce of the event that uses it.
        ticket: u64,
    }
}

impl View for Tickets {
    fn run(&self, _: &Context, rows: &dyn Rows, page: &Page) -> Result<Found<TicketRow>, Refusal> {
        let after = match page.after.as_deref().map(<[u8; 4]>::try_from) {
            Some(Ok(number)) => u32::from_be_bytes(number),
            Some(Err(_)) => return Err(CURSOR),
            None => 0,
        };
        let tickets = ddt_ledger::tickets::Tickets::read(rows, &self.account);
        let open = tickets.open.into_iter().filter(|number| *number > after);
        let open: Vec<u32> = open.take(page.limit).collect();
        let last = open.last().filter(|_| open.len() >= page.limit);
        let next = last.map(|number| number.to_be_bytes().to_vec());
        let rows = open.iter().map(|number| TicketRow { ticket: u64::from(*number) });
        Ok(Found { rows: rows.collect(), next })
    }
}
