//! `ddt lookup`: whose a username is, checked here.

use std::path::PathBuf;

use clap::Args;
use ddt_wallet::username::{OpenError, Record};
use serde_json::json;

use super::row::{name_keys, shown, unknown};
use super::username;
use crate::cli::Global;
use crate::cli::connection::{Connection, view_path};
use crate::cli::ledger::write_proof;
use crate::cli::moment;
use crate::cli::output::{Output, table};
use crate::cli::wallet::current::LedgerKey;
use crate::failure::{Failure, FailureKind};

/// Look a username up.
#[derive(Args)]
pub struct LookupArgs {
    /// The username: 1 to 16 of a-z and 0-9
    name: String,
    /// Write a proof of its row, or that there is none, to a file for ddt verify
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
}

/// Answers the account behind a username, if its owner key signed for it.
pub fn lookup(global: &Global, args: &LookupArgs, output: &Output) -> Result<(), Failure> {
    let name = username(&args.name)?;
    let connection = Connection::open(global)?;
    let chain = connection.chain();
    let keys = name_keys(&name, chain)?;
    if let Some(path) = &args.proof {
        let query = [("row", keys.row.to_string()), ("proof", "1".to_string())];
        write_proof(path, &connection.get(&view_path("usernames.row", &query))?)?;
    }
    let row = shown(&connection, &keys.row)?.ok_or_else(unknown)?;
    let record = keys.open(chain, &row.ciphertext).map_err(|error| match error {
        OpenError::Sealed | OpenError::Contents => {
            Failure::new(FailureKind::NotFound, "usernames.sealed", error.to_string())
        }
        OpenError::Version(_) => Failure::fault(error.to_string()),
    })?;
    let ledger = LedgerKey::ask(&connection, &record.account)?;
    record.check(chain, &keys.row, &row.holder, ledger.key.as_ref()).map_err(|error| {
        Failure::new(FailureKind::Proof, "usernames.unverified", error.to_string())
    })?;
    let Record { account, owner, address, .. } = record;
    let data = json!({
        "account": account,
        "key": owner,
        "address": address,
        "row": keys.row,
        "holder": row.holder,
        "status": row.status,
        "until": row.json.pointer("/until"),
    });
    let address = address.map_or("none".to_string(), |address| address.to_string());
    let rows = [
        ("account".to_string(), account.to_string()),
        ("address".to_string(), address),
        ("until".to_string(), moment::show_at(&row.json, "/until")),
        ("status".to_string(), row.status),
    ];
    output.result(data, format!("Signed by the account's owner key.\n{}", table(&rows)));
    Ok(())
}
