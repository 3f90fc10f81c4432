//! `ddt swap list` and `ddt swap status`: looking at locks.

use std::collections::{BTreeMap, BTreeSet};

use ddt_contracts::bank::LockInfo;
use ddt_ledger::schema::{Field, Shape};
use ddt_ledger::{AccountId, Hash};
use serde_json::{Map, Value as Json, json};

use super::{epoch_clock, find, find_all, lock_id, own_accounts, words};
use crate::cli::connection::Connection;
use crate::cli::output::Output;
use crate::cli::{Global, moment, wallets};
use crate::failure::Failure;

/// `ddt swap status LOCK`.
pub fn one(global: &Global, lock: &str, output: &Output) -> Result<(), Failure> {
    let connection = Connection::open(global)?;
    let info = find(&connection, &lock_id(lock)?)?;
    let clock = epoch_clock(&connection)?;
    let mut data = to_json(&info);
    data.insert("clock".to_string(), json!(clock));
    output.result(Json::Object(data), words(&info, Some(clock)));
    Ok(())
}

/// `ddt swap list`: of one account, or of every wallet here; each lock once.
pub fn list(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let accounts = match account {
        Some(text) => BTreeMap::from([(wallets::account(global, text)?, text.to_string())]),
        None => own_accounts(global)?,
    };
    let connection = Connection::open(global)?;
    let (mut found, mut seen) = (Vec::<LockInfo>::new(), BTreeSet::<Hash>::new());
    for account in accounts.keys() {
        let locks = find_all(&connection, "bank.locks_of", ("account", account.to_string()))?;
        found.extend(locks.into_iter().filter(|info| seen.insert(info.lock)));
    }
    found.sort_by_key(|info| (info.height, info.lock));
    let lines: Vec<String> = found.iter().map(|info| line(info, &accounts)).collect();
    let shown = match lines.is_empty() {
        true => "No locks: ddt swap offer makes one.".to_string(),
        false => lines.join("\n"),
    };
    let locks: Vec<Json> = found.iter().map(|info| Json::Object(to_json(info))).collect();
    output.result(json!({ "locks": locks }), shown);
    Ok(())
}

fn to_json(info: &LockInfo) -> Map<String, Json> {
    let fields = Shape::show(info).into_iter();
    fields.map(|(name, value)| (name.to_string(), value.to_json())).collect()
}

fn line(info: &LockInfo, accounts: &BTreeMap<AccountId, String>) -> String {
    let name =
        |account: &AccountId| accounts.get(account).cloned().unwrap_or_else(|| account.to_string());
    format!(
        "{}  {}  {} APT  {} → {}  until {}",
        info.lock,
        info.status.show(),
        info.amount,
        name(&info.from),
        name(&info.to),
        moment::show(info.deadline)
    )
}
