//! The wallets here, and what their accounts have.

use ddt_ledger::{AccountId, Amount};
use ddt_wallet::{Entry, Keystore};
use serde_json::{Value as Json, json};

use super::{Global, Output};
use crate::cli::connection::Connection;
use crate::cli::output::table;
use crate::cli::wallets::{self, label};
use crate::failure::Failure;

/// The text of a wallet's first account.
pub fn first_account(entry: &Entry) -> String {
    entry.accounts.first().map(ToString::to_string).unwrap_or_default()
}

/// A wallet for scripts.
pub fn entry_json(entry: &Entry) -> Json {
    json!({
        "name": entry.name,
        "account": first_account(entry),
        "accounts": entry.accounts,
        "watch_only": entry.watch_only,
        "unsafe_test": entry.unsafe_test,
    })
}

fn entries(keystore: &Keystore, output: &Output) -> Result<Vec<Entry>, Failure> {
    let listing = keystore.list().map_err(wallets::failure)?;
    for problem in &listing.problems {
        output.note(format!("warning: {problem}"));
    }
    Ok(listing.entries)
}

/// What is to be known of a wallet at a glance.
fn mark(entry: &Entry) -> &'static str {
    match (entry.watch_only, entry.unsafe_test) {
        (true, _) => "  (watched: it cannot sign)",
        (_, true) => "  (UNSAFE test wallet)",
        _ => "",
    }
}

/// Every account of every wallet here, with its label and its wallet's mark.
pub fn every_account(
    global: &Global,
    output: &Output,
) -> Result<Vec<(String, AccountId, &'static str)>, Failure> {
    let entries = entries(&wallets::keystore(global)?, output)?;
    let accounts = entries.iter().flat_map(|entry| {
        let numbered = entry.accounts.iter().enumerate();
        numbered.map(|(index, account)| (label(&entry.name, index), *account, mark(entry)))
    });
    Ok(accounts.collect())
}

/// `ddt wallet list`.
pub fn list(global: &Global, output: &Output) -> Result<(), Failure> {
    let entries = entries(&wallets::keystore(global)?, output)?;
    let mut rows = Vec::new();
    for entry in &entries {
        for (index, account) in entry.accounts.iter().enumerate() {
            rows.push((label(&entry.name, index), format!("{account}{}", mark(entry))));
        }
    }
    let words = match rows.is_empty() {
        true => "No wallets yet: ddt wallet new NAME makes one.".to_string(),
        false => table(&rows),
    };
    let data: Vec<Json> = entries.iter().map(entry_json).collect();
    output.result(json!({ "wallets": data }), words);
    Ok(())
}

/// `ddt wallet balance`.
pub fn balance(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let accounts = match account {
        Some(text) => vec![(text.to_string(), wallets::shown_account(global, text)?, "")],
        None => every_account(global, output)?,
    };
    let connection = Connection::open(global)?;
    let mut rows = Vec::new();
    let mut data = Vec::new();
    for (name, account, mark) in accounts {
        let balance: Amount = connection.balance(&account)?;
        rows.push((name.clone(), format!("{balance} APT{mark}")));
        data.push(json!({ "name": name, "account": account, "balance": balance }));
    }
    let data = match (account, data.len()) {
        (Some(_), 1) => data.remove(0),
        _ => json!({ "balances": data }),
    };
    output.result(data, table(&rows));
    Ok(())
}
