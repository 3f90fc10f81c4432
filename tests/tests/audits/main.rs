//! Every audit finds what it is there for: over a state that is well it says nothing, and
//! over each kind of damage one sentence. Audits judge the state in most other tests, so
//! who judges the audits is asked here.

mod domains;
mod money;
mod programmes;
mod routers;

use ddt_ledger::codec::encode;
use ddt_ledger::state::{MemoryState, Overlay};
use ddt_ledger::table::{Rows, RowsMut};
use ddt_ledger::{AccountId, Amount, Hash};

/// An audit, asked alone.
pub type Audit = fn(&dyn Rows) -> Vec<String>;
/// Rows that are written.
pub type Change = fn(&mut Overlay);

/// Demands that `audit` says nothing over `good` and, after each change, one sentence with
/// these words; nothing where there are none.
pub fn demand(audit: Audit, good: Change, changes: &[(&str, Change)]) {
    let state = MemoryState::default();
    let mut base = Overlay::new(&state);
    good(&mut base);
    assert_eq!(audit(&base), Vec::<String>::new(), "all is well");
    for (place, (words, change)) in changes.iter().enumerate() {
        let mut rows = Overlay::new(&state);
        good(&mut rows);
        change(&mut rows);
        let found = audit(&rows);
        assert_eq!(found.len(), usize::from(!words.is_empty()), "{place}, {words}: {found:?}");
        assert!(found.iter().all(|said| said.contains(words)), "{place}, {words}: {found:?}");
    }
}

/// Writes what a programme holds under a key; nothing, if it holds nothing.
pub fn hold(rows: &mut Overlay, programme: u16, key: Hash, apt: u64) {
    let full = [&[0, 3][..], &programme.to_be_bytes(), &key.0].concat();
    rows.set_row(full, (apt > 0).then(|| encode(&Amount::from_apt(apt))));
}

/// Somebody.
pub const ANN: AccountId = AccountId([1; 32]);
/// Somebody else.
pub const BEN: AccountId = AccountId([2; 32]);
