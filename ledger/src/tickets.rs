//! Tickets: numbers that an account sets aside for events signed long before they are sent.
//!
//! An ordinary nonce is lost once 32 higher ones are used. A ticket waits until it is used,
//! whatever the account does meanwhile (spec EVT-13).

use borsh::{BorshDeserialize, BorshSerialize};

use crate::book::TICKETS_FULL;
use crate::event::TICKET;
use crate::ids::AccountId;
use crate::refusal::Refusal;
use crate::table::{Rows, RowsMut, Table};

/// Most tickets that an account has open.
pub const TICKETS_MAX: usize = 128;
/// Nonces below are tickets.
pub const TICKET_NONCE_END: u64 = 1 << 32;

static TICKETS: Table<AccountId, Tickets> = Table::system(14);

/// An account's tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tickets {
    /// The highest number ever given.
    pub last: u32,
    /// Reserved and not yet used, ascending, at most [`TICKETS_MAX`].
    pub open: Vec<u32>,
}

impl Tickets {
    /// The account's tickets.
    pub fn read<R: Rows + ?Sized>(rows: &R, account: &AccountId) -> Tickets {
        TICKETS.get(rows, account).unwrap_or_default()
    }

    /// Whether this nonce is an open ticket.
    pub fn check(&self, nonce: u64) -> Result<(), Refusal> {
        let number = u32::try_from(nonce).map_err(|_| TICKET)?;
        self.open.binary_search(&number).map(|_| ()).map_err(|_| TICKET)
    }

    pub(crate) fn take<R: RowsMut + ?Sized>(rows: &mut R, account: &AccountId, nonce: u64) {
        let mut tickets = Tickets::read(rows, account);
        tickets.open.retain(|number| u64::from(*number) != nonce);
        TICKETS.put(rows, account, &tickets);
    }

    pub(crate) fn reserve<R: RowsMut + ?Sized>(
        rows: &mut R,
        account: &AccountId,
        count: u8,
    ) -> Result<(), Refusal> {
        let mut tickets = Tickets::read(rows, account);
        for _ in 0..count {
            let number = tickets.last.checked_add(1).ok_or(TICKETS_FULL)?;
            if tickets.open.len() >= TICKETS_MAX {
                return Err(TICKETS_FULL);
            }
            tickets.last = number;
            tickets.open.push(number);
        }
        TICKETS.put(rows, account, &tickets);
        Ok(())
    }
}
