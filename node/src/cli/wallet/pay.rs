//! Paying.

use std::collections::BTreeMap;

use clap::Args;
use ddt_ledger::schema::{Text, Value};
use ddt_ledger::{Amount, Refusal};

use super::{Global, Output};
use crate::cli::connection::Connection;
use crate::cli::send::{Sender, Waiting, row};
use crate::cli::wallets;
use crate::failure::Failure;

/// `ddt wallet send`.
#[derive(Args)]
pub struct Send {
    /// How many APT
    amount: String,
    /// Who receives: an account id, NAME or NAME/1 of a wallet here, or a name of the address
    /// book
    to: String,
    /// The wallet that pays, NAME or NAME/1
    #[arg(long)]
    from: Option<String>,
    /// A public remark for the receiver, at most 128 bytes
    #[arg(long)]
    memo: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// Pays.
pub fn send(global: &Global, args: Send, output: &Output) -> Result<(), Failure> {
    let amount: Amount = args.amount.parse().map_err(|refusal: Refusal| Failure {
        field: Some("amount".to_string()),
        ..Failure::from(refusal)
    })?;
    let to = wallets::account(global, &args.to)?;
    let mut values = BTreeMap::from([
        ("to".to_string(), Value::Account(to)),
        ("amount".to_string(), Value::Amount(amount)),
    ]);
    if let Some(memo) = args.memo {
        let memo =
            Text::<128>::new(memo).ok_or_else(|| Failure::usage("a memo has at most 128 bytes"))?;
        values.insert("memo".to_string(), Value::Text(memo.as_str().to_string()));
    }
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, args.from.as_deref())?;
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let answer = sender.send(row("bank.transfer")?, values, args.waiting)?;
    sender.finish(&answer, args.waiting)
}
