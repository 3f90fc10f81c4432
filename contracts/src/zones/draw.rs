//! Drawing an address in the anchor after the sign-up's.

use ddt_ledger::book::Book;
use ddt_ledger::context::Context;
use ddt_ledger::{AccountId, Refusal};

use super::record::{ADDRESSES, MEMBERS, draw_address};

/// Gives the member the address that this anchor's beacon makes (spec ZON-4).
pub(crate) fn run(key: &[u8], cx: &Context, book: &mut Book) -> Result<(), Refusal> {
    let Ok(account) = key.try_into().map(AccountId) else { return Ok(()) };
    let Some(mut member) = MEMBERS.get(book, &account) else { return Ok(()) };
    if member.address.is_some() || cx.clock <= member.joined {
        return Ok(());
    }
    // Two draws of 160 bits never meet; if they did, the first one keeps its address.
    let mut draws = (0..=u8::MAX).map(|n| draw_address(&cx.beacon, &account, &member, n));
    let Some(address) = draws.find(|address| ADDRESSES.get(book, address).is_none()) else {
        return Ok(());
    };
    ADDRESSES.put(book, &address, &account);
    member.address = Some(address);
    MEMBERS.put(book, &account, &member);
    Ok(())
}
