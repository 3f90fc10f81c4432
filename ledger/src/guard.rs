//! A programme's panic is a bug of that programme, never the end of a node.
//!
//! Rules are deterministic, so every node of one release meets the same panic and treats it
//! alike. The standard hook still prints where it happened.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::refusal::Refusal;

crate::refusals! {
    BUG = "ledger.bug",
        "This programme has a bug that this event meets; nothing was done. Please report it.";
}

/// Runs a programme's rule. The caller undoes what a rule that panicked has done.
pub(crate) fn guarded<T>(rule: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(rule)).map_err(|_| BUG)
}
