//! The chore of making prepaid renewals of domains.

use std::sync::Arc;

use ddt_core::agents::due::{DUE_MAX, Due, DueConfig};
use ddt_ledger::admit::context_at;
use ddt_ledger::fault::StoreFault;
use ddt_ledger::params::Params;
use ddt_ledger::schema::{Field, Fields, Value};
use ddt_ledger::store::Snapshot;
use ddt_ledger::system::Head;
use ddt_ledger::view::{PAGE_ROWS_MAX, Page};
use ddt_ledger::{Amount, Millis, PublicKey, Refusal};

use super::core::Core;
use super::due::Chore;
use super::duties::Duties;

/// The view that lists prepaid renewals by due time.
const VIEW: &str = "domains.renewals_due";
/// The event that makes one.
const EVENT: &str = "domains.renew_prepaid";

/// Makes renewals with this node's key.
pub struct Renewals {
    /// The book.
    pub core: Arc<Core>,
    /// The key's nonces and allowance.
    pub duties: Arc<Duties>,
}

impl Chore for Renewals {
    fn config(params: &Params, key: PublicKey) -> DueConfig {
        DueConfig::renewals(params, key)
    }

    /// Whoever may not sign need not look.
    fn is_authorised(&self) -> Result<bool, StoreFault> {
        self.duties.is_authorised()
    }

    /// The prepaid renewals in the state that can be paid.
    fn due(&self, snapshot: &Snapshot, head: &Head) -> Vec<Due> {
        let Some(view) = self.core.book.registry().view(VIEW) else { return Vec::new() };
        let cx = context_at(snapshot, head);
        let mut found: Vec<Due> = Vec::new();
        let mut page = Page::first(PAGE_ROWS_MAX);
        while found.len() < DUE_MAX {
            let Ok(answer) = (view.run)(&Default::default(), &cx, snapshot, &page) else { break };
            let rows: Vec<(Due, bool)> = answer.rows.iter().filter_map(renewal).collect();
            // By due time: what comes after one that is not due is not due, either.
            let is_late = rows.last().is_some_and(|(last, _)| last.due > soon(head));
            let payable = rows.into_iter().filter(|(_, can_be_paid)| *can_be_paid);
            found.extend(payable.map(|(row, _)| row));
            page.after = answer.next.filter(|_| !is_late);
            if page.after.is_none() {
                break;
            }
        }
        found
    }

    fn submit(&self, name: &str) -> Result<(), Refusal> {
        let row = self.core.book.registry().row_named(EVENT);
        let row = row.ok_or(ddt_ledger::event::UNKNOWN_TAG)?;
        let values = [("name".to_string(), Value::Text(name.to_string()))].into();
        let body = (row.build)(&values).map_err(|error| error.refusal)?;
        self.duties.submit(EVENT, body)
    }
}

/// Up to when the machine's guesses of the clock may reach.
fn soon(head: &Head) -> Millis {
    head.clock.plus(Millis(60_000))
}

/// What a row says, and whether the renewal can be paid: an owner who put too little aside is
/// no reason for this node to try.
fn renewal(row: &Fields) -> Option<(Due, bool)> {
    let [(_, renewal)] = row.as_slice() else { return None };
    let values = renewal.group().ok()?;
    let amount = |name: &str| <Amount as Field>::read(values.get(name)?).ok();
    let (price, cap, balance) = (amount("price")?, amount("price_max")?, amount("balance")?);
    match (values.get("name")?, values.get("due")?) {
        (Value::Text(name), Value::Time(due)) => {
            let renewal = Due { name: name.clone(), due: *due };
            Some((renewal, price <= cap && price <= balance))
        }
        _ => None,
    }
}
