//! The end of a contest: the price goes to the pool, the name is its owner's.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::table::Key;
use ddt_ledger::{Millis, Refusal};

use super::SETTLE;
use super::name::DomainName;
use super::record::{DOMAINS, name_hold};

/// Settles the name whose contest is over; one whose anchors have not passed yet waits for
/// the next anchor (spec DOM-9).
pub(crate) fn run(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let mut bytes = key;
    let Some(name) = DomainName::read(&mut bytes) else { return Ok(()) };
    let Some(mut row) = DOMAINS.get(book, &name) else { return Ok(()) };
    let Some(contest) = row.contest else { return Ok(()) };
    if contest.is_open(cx) {
        book.schedule(cx.clock.plus(Millis(1)), SETTLE, key);
        return Ok(());
    }
    let hold = name_hold(&name);
    book.release_to_pool(hold, book.held(hold), "domain price")?;
    row.contest = None;
    DOMAINS.put(book, &name, &row);
    Ok(())
}
