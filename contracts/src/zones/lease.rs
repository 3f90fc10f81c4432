//! The end of a lease: who is silent for too long loses address and seat.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::{AccountId, Refusal};

use super::LEASE;
use super::record::{MEMBERS, remove_member};

/// Ends the lease of a member that was not heard of, or looks again later (spec ZON-7).
pub(crate) fn run(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Ok(account) = key.try_into().map(AccountId) else { return Ok(()) };
    let Some(member) = MEMBERS.get(book, &account) else { return Ok(()) };
    let ends = member.seen.plus(cx.params.lease_ms);
    if cx.clock < ends {
        // A member that left and came back has an older look and its own: one is enough.
        if member.joined.plus(cx.params.lease_ms) <= cx.clock {
            book.schedule(ends, LEASE, key);
        }
        return Ok(());
    }
    remove_member(book, &account, &member);
    Ok(())
}
