//! What must hold of every answer of every view that a story asks: pages of any length tell
//! the same rows, and where an answer can be proven, it stands in that one row.

use std::collections::BTreeMap;

use ddt_contracts::REGISTRY;
use ddt_ledger::admit::context_at;
use ddt_ledger::schema::{FieldError, Fields, Value};
use ddt_ledger::state::{MemoryState, Overlay, StateReader};
use ddt_ledger::view::{Found, PAGE_ROWS_MAX, Page};

use crate::network::Network;

/// Most pages that an answer is read in.
const PAGES_MAX: usize = 200;

type Query = BTreeMap<String, Value>;

/// Reads all rows again, one and two a page.
pub(super) fn check_pages(network: &Network, name: &str, query: &Query) -> Result<(), String> {
    let all = read_all(network, name, query, PAGE_ROWS_MAX)?;
    for limit in [1, 2] {
        if read_all(network, name, query, limit)? != all {
            return Err(format!("{name} tells other rows with {limit} a page"));
        }
    }
    Ok(())
}

fn read_all(
    network: &Network,
    name: &str,
    query: &Query,
    limit: usize,
) -> Result<Vec<Fields>, String> {
    let (mut rows, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = network.view(name, query, &Page { limit, after });
        let found = page.map_err(|error| format!("{name}, {limit} a page: {error:?}"))?;
        if found.rows.len() > limit {
            return Err(format!("{name} has {} rows on a page of {limit}", found.rows.len()));
        }
        rows.extend(found.rows);
        after = found.next;
        let Some(cursor) = &after else { return Ok(rows) };
        let longer = [cursor.as_slice(), &[b'a'; 300]].concat();
        if network.view(name, query, &Page { limit, after: Some(longer) }).is_ok() {
            return Err(format!("{name} takes a cursor of any length"));
        }
    }
    Err(format!("{name} never ends with {limit} a page"))
}

/// Asks the same over a state that has nothing but the row which a proof would prove; answers
/// whether there is such a row.
pub(super) fn check_proof(
    network: &Network,
    name: &str,
    query: &Query,
    said: &Result<Found<Fields>, FieldError>,
) -> Result<bool, String> {
    let view = REGISTRY.view(name).ok_or("no such view")?;
    let Ok(Some(key)) = (view.proof_key)(query) else { return Ok(false) };
    let snapshot = network.snapshot();
    let row = snapshot.get(&key).map_err(|fault| fault.to_string())?;
    let state = MemoryState { rows: row.map(|row| (key, row)).into_iter().collect() };
    let alone = Overlay::new(&state);
    let cx = context_at(&snapshot, &network.head());
    let again = (view.run)(query, &cx, &alone, &Page::first(1));
    if again == *said {
        Ok(true)
    } else {
        Err(format!("{name} does not stand in the row it proves"))
    }
}
