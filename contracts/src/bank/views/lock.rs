//! One lock.

use ddt_ledger::context::Context;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{Found, NOT_FOUND, Page, View};
use ddt_ledger::{AccountId, Amount, Hash, Millis, Refusal, view};

use crate::bank::record::{LOCKS, LockRow, LockStatus, lock_key};

view! {
    LockRecord = "bank.lock", "One lock: its parties, its times, and how it ended."
    query {
        /// The lock: the id of the event that made it.
        lock: Hash,
    }
    row LockInfo {
        /// The lock: the id of the event that made it.
        lock: Hash,
        /// Whether and how it ended.
        status: LockStatus,
        /// Who paid in.
        from: AccountId,
        /// Whom the secret pays.
        to: AccountId,
        /// How much was locked.
        amount: Amount,
        /// SHA-256 of the secret.
        hash: Hash,
        /// The deadline by people's clock.
        deadline: Millis,
        /// The epoch clock at which the ledger refunds.
        refund_at: Millis,
        /// The anchor it was made in.
        height: u64,
        /// Once claimed: the secret.
        secret: Option<Hash>,
        /// Once ended: the epoch clock at which this row is removed.
        removed_at: Option<Millis>,
    }
}

impl LockInfo {
    pub(crate) fn new(lock: Hash, row: LockRow) -> LockInfo {
        LockInfo {
            lock,
            status: row.state.status(),
            from: row.from,
            to: row.to,
            amount: row.amount,
            hash: row.hash,
            deadline: row.deadline,
            refund_at: row.refund_at,
            height: row.height,
            secret: row.state.secret(),
            removed_at: row.state.removed_at(),
        }
    }
}

impl View for LockRecord {
    fn run(&self, _: &Context, rows: &dyn Rows, _: &Page) -> Result<Found<LockInfo>, Refusal> {
        let row = LOCKS.get(rows, &self.lock).ok_or(NOT_FOUND)?;
        Ok(Found::one(LockInfo::new(self.lock, row)))
    }

    fn proof_key(&self) -> Option<Vec<u8>> {
        Some(lock_key(&self.lock))
    }
}
