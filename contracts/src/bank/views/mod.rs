//! Reading locks.

mod by_hash;
mod lock;
mod of_account;

pub(crate) use by_hash::LocksByHash;
pub use lock::LockInfo;
pub(crate) use lock::LockRecord;
pub(crate) use of_account::LocksOf;

use ddt_ledger::Hash;
use ddt_ledger::table::{Key, Rows, index_prefix};
use ddt_ledger::view::{CURSOR, Found, Page};

use super::record::LOCKS;

/// Bytes of a cursor: the anchor's height, and the lock.
const CURSOR_BYTES: usize = 40;

/// A page of the locks that an index lists under `first`, oldest first.
fn page_of(
    rows: &dyn Rows,
    index: u16,
    first: &[u8; 32],
    page: &Page,
) -> Result<Found<LockInfo>, ddt_ledger::Refusal> {
    let prefix = [index_prefix(index).as_slice(), first].concat();
    let after = match &page.after {
        Some(cursor) if cursor.len() != CURSOR_BYTES => return Err(CURSOR),
        Some(cursor) => [prefix.as_slice(), cursor].concat(),
        None => Vec::new(),
    };
    let entries = rows.index_after(&prefix, &after, page.limit);
    let is_full = entries.len() >= page.limit;
    let last = entries.last().filter(|_| is_full);
    let next = last.and_then(|(entry, _)| entry.get(prefix.len()..)).map(<[u8]>::to_vec);
    let mut found = Vec::new();
    for (entry, _) in &entries {
        let mut place = entry.get(prefix.len()..).unwrap_or_default();
        let Some((_, lock)) = <(u64, Hash)>::read(&mut place) else { continue };
        if let Some(row) = LOCKS.get(rows, &lock) {
            found.push(LockInfo::new(lock, row));
        }
    }
    Ok(Found { rows: found, next })
}
