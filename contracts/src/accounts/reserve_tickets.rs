//! Reserving tickets for events that are signed offline.

use ddt_ledger::book::{Book, TICKETS_FULL};
use ddt_ledger::context::Context;
use ddt_ledger::registry::Event;
use ddt_ledger::{Refusal, event, refusals};

event! {
    /// Sets the account's next numbers aside: each serves as the nonce of one event, whenever
    /// that is sent, whatever the account does meanwhile.
    ReserveTickets = "accounts.reserve_tickets", Owner,
    "Reserve {count} tickets for events to be signed offline"
    {
        /// How many, at least 1.
        count: u8,
    }
}

refusals! {
    NO_TICKETS = "accounts.no_tickets", "Reserving no tickets does nothing; ask for at least one.";
}

impl Event for ReserveTickets {
    const REFUSALS: &'static [Refusal] = &[NO_TICKETS, TICKETS_FULL];

    fn check(&self) -> Result<(), Refusal> {
        if self.count == 0 { Err(NO_TICKETS) } else { Ok(()) }
    }

    fn apply(&self, _: &Context, book: &mut Book) -> Result<(), Refusal> {
        book.reserve_tickets(self.count)
    }
}
