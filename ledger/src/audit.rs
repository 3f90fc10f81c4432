//! Audit: recounts everything in a state and says what is broken.

use crate::accounts::{ACCOUNTS, DUTIES, HOLDS};
use crate::amount::Amount;
use crate::registry::Registry;
use crate::system::Supply;
use crate::table::Rows;

/// Recounts all money and asks every programme for its invariants. Empty when all is well.
pub fn audit(registry: &Registry, rows: &dyn Rows) -> Vec<String> {
    let mut broken = Vec::new();
    let supply = Supply::read(rows);
    let (mut accounts, mut held, mut count) = (Some(Amount::ZERO), Some(Amount::ZERO), 0u64);
    let add = |sum: Option<Amount>, part: Amount| sum.and_then(|sum| sum.plus(part));
    ACCOUNTS.each(rows, |_, account| {
        accounts = add(accounts, account.balance);
        count = count.saturating_add(1);
    });
    DUTIES.each(rows, |_, duty| held = add(held, duty.allowance));
    HOLDS.each(rows, |_, amount| held = add(held, amount));
    let mut expect = |holds: bool, words: String| {
        if !holds {
            broken.push(words);
        }
    };
    let words = |name: &str, counted: Option<Amount>, noted: Amount| {
        format!("{name}: counted {counted:?}, the book says {noted}")
    };
    expect(accounts == Some(supply.accounts), words("balances", accounts, supply.accounts));
    expect(held == Some(supply.held), words("holds and allowances", held, supply.held));
    expect(count == supply.account_count, format!("accounts: counted {count}"));
    expect(supply.fees.is_zero(), "fees were left unshared".to_string());
    expect(supply.is_conserved(), format!("money is not conserved: {supply:?}"));
    broken.extend(crate::routers::lanes::audit(rows));
    for programme in registry.programmes {
        broken.extend((programme.audit)(rows));
    }
    broken
}
