//! `ddt swap refund`: how a lock's coins come back.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use ddt_api::Stage;
use ddt_contracts::bank::{LockInfo, LockStatus};
use ddt_ledger::Hash;
use ddt_ledger::schema::Value;
use serde_json::{Value as Json, json};

use super::{epoch_clock, find, lock_id, refund_words, words};
use crate::cli::connection::Connection;
use crate::cli::output::Output;
use crate::cli::progress::Spinner;
use crate::cli::send::{Sender, Waiting, check_outcome, row};
use crate::cli::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// How often to look whether the ledger has refunded.
const POLL: Duration = Duration::from_millis(250);

/// When a lock is refunded; for who would receive it: give it back now.
#[derive(Args)]
pub struct RefundArgs {
    /// The lock
    lock: String,
    /// For the payer: wait until the lock has ended
    #[arg(long)]
    wait: bool,
    /// The wallet that is concerned
    #[arg(long)]
    from: Option<String>,
}

/// `ddt swap refund`.
pub fn run(global: &Global, args: &RefundArgs, output: &Output) -> Result<(), Failure> {
    let lock = lock_id(&args.lock)?;
    let connection = Connection::open(global)?;
    let info = find(&connection, &lock)?;
    if info.status != LockStatus::Open {
        return ended(&info, output);
    }
    let named = args.from.as_deref().map(wallets::address).transpose()?;
    let entry = wallets::choose(&wallets::keystore(global)?, named.map(|(name, _)| name))?;
    if entry.accounts.contains(&info.to) {
        return give_back(global, &connection, &entry.name, &info, output);
    }
    if !entry.accounts.contains(&info.from) {
        let words = format!("the wallet {} neither pays nor receives that lock", entry.name);
        return Err(Failure::new(FailureKind::Wallet, "swap.not_ours", words));
    }
    if args.wait {
        return ended(&wait(&connection, &lock)?, output);
    }
    let clock = epoch_clock(&connection)?;
    let shown = format!(
        "Nothing to sign: the lock is refunded {}. --wait waits for it.\n{}",
        refund_words(&info, clock),
        words(&info, None)
    );
    output.result(data(&info), shown);
    Ok(())
}

fn data(info: &LockInfo) -> Json {
    let status = ddt_ledger::schema::Field::show(&info.status).to_json();
    json!({
        "lock": info.lock, "status": status, "amount": info.amount, "from": info.from,
        "to": info.to, "refund_at": info.refund_at,
    })
}

/// A refund that happened is a success; a claim that came first is not.
fn ended(info: &LockInfo, output: &Output) -> Result<(), Failure> {
    if info.status == LockStatus::Claimed {
        let shown = format!("the lock was claimed, nothing comes back\n{}", words(info, None));
        return Err(Failure::new(FailureKind::Refused, "bank.lock_ended", shown.trim_end()));
    }
    output.result(data(info), words(info, None));
    Ok(())
}

fn wait(connection: &Connection, lock: &Hash) -> Result<LockInfo, Failure> {
    let _spinner = Spinner::new("waiting for the refund");
    loop {
        let info = find(connection, lock)?;
        if info.status != LockStatus::Open {
            return Ok(info);
        }
        std::thread::sleep(POLL);
    }
}

fn give_back(
    global: &Global,
    connection: &Connection,
    name: &str,
    info: &LockInfo,
    output: &Output,
) -> Result<(), Failure> {
    let (wallet, first) = wallets::unlock(global, Some(name))?;
    let account = if wallet.key_of(&info.to).is_some() { info.to } else { first };
    let values = BTreeMap::from([("lock".to_string(), Value::Hash(info.lock))]);
    output.tell(format!("Gives {} APT back to {}.", info.amount, info.from));
    let sender = Sender { global, connection, wallet: &wallet, account, output };
    let waiting = Waiting { wait: Stage::Final, force: false };
    let answer = sender.send(row("bank.give_back")?, values, waiting)?;
    check_outcome(&answer)?;
    ended(&find(connection, &info.lock)?, output)
}
