//! `ddt swap`: coins against coins of another network, by two locks under one hash.

mod claim;
mod offer;
mod refund;
mod secret;
mod status;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ddt_contracts::bank::{LockInfo, LockStatus};
use ddt_ledger::schema::{Field, Shape, Value};
use ddt_ledger::{AccountId, Hash, Millis};
use serde_json::Value as Json;

use super::Global;
use super::connection::{Connection, text};
use super::output::{Output, table};
use super::{moment, wallets};
use crate::failure::{Failure, FailureKind};

/// Swap coins with another network, neither side trusting the other.
#[derive(Subcommand)]
pub enum SwapCommand {
    /// Lock coins for somebody: ddt swap offer 5 apt1… --from alice
    Offer(offer::OfferArgs),
    /// Pay out a lock by showing its secret
    Claim(claim::ClaimArgs),
    /// When a lock is refunded; for who would receive it: give it back now
    Refund(refund::RefundArgs),
    /// The locks of an account, or of every wallet here
    List {
        /// A wallet's name or an account id
        account: Option<String>,
    },
    /// One lock: parties, times, and how it ended
    Status {
        /// The lock
        lock: String,
        /// Write a proof, also of absence, to a file for ddt verify
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
    },
    /// Show the secret of a lock that a wallet here made
    Secret(Secrets),
}

/// Show the secret of a lock that a wallet here made.
#[derive(Args)]
pub struct Secrets {
    /// The lock
    lock: String,
    /// The wallet that made it
    #[arg(long)]
    from: Option<String>,
    /// Write it to a new file that only you may read, instead of showing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `ddt swap …`.
pub fn run(global: &Global, command: SwapCommand, output: &Output) -> Result<(), Failure> {
    match command {
        SwapCommand::Offer(args) => offer::run(global, &args, output),
        SwapCommand::Claim(args) => claim::run(global, &args, output),
        SwapCommand::Refund(args) => refund::run(global, &args, output),
        SwapCommand::List { account } => status::list(global, account.as_deref(), output),
        SwapCommand::Status { lock, proof } => status::one(global, &lock, proof.as_deref(), output),
        SwapCommand::Secret(args) => secret::run(global, &args, output),
    }
}

/// A lock's id as it is typed.
fn lock_id(text: &str) -> Result<Hash, Failure> {
    Hash::from_hex(text).ok_or_else(|| {
        Failure::usage(format!(
            "{text} is no lock: it is named by 64 hexadecimal digits; ddt swap list shows yours"
        ))
    })
}

/// A lock as a node tells it. What a newer node adds is left out.
fn read_info(row: &Json) -> Result<LockInfo, Failure> {
    let mut row = row.clone();
    if let Some(object) = row.as_object_mut() {
        object.retain(|name, _| LockInfo::FIELDS.iter().any(|field| field.name == name));
    }
    let value = Value::from_json(&LockInfo::KIND, &row)?;
    Ok(<LockInfo as Field>::read(&value)?)
}

/// The lock with this id.
fn find(connection: &Connection, lock: &Hash) -> Result<LockInfo, Failure> {
    let row = connection.view_one("bank.lock", &[("lock", lock.to_string())])?;
    let row = row.ok_or_else(|| {
        let words = format!(
            "there is no lock {lock} on this network now; ended ones are forgotten after a while"
        );
        Failure::new(FailureKind::NotFound, "bank.no_lock", words)
    })?;
    read_info(&row)
}

/// The rows `record` of a view of locks.
fn find_all(
    connection: &Connection,
    view: &str,
    query: (&str, String),
) -> Result<Vec<LockInfo>, Failure> {
    let rows = connection.view_all(view, &[query])?;
    rows.iter().filter_map(|row| row.pointer("/record")).map(read_info).collect()
}

/// The epoch clock of the node's last anchor.
fn epoch_clock(connection: &Connection) -> Result<Millis, Failure> {
    let status = connection.get("/v1/status")?;
    let clock = text(&status, "/clock").and_then(|clock| clock.parse().ok());
    clock.map(Millis).ok_or_else(|| Failure::fault("the node names no epoch clock"))
}

/// The accounts of every wallet here, by name; needs no password.
fn own_accounts(global: &Global) -> Result<BTreeMap<AccountId, String>, Failure> {
    let entries = wallets::keystore(global)?.list().map_err(wallets::failure)?.entries;
    let each = |entry: ddt_wallet::Entry| {
        entry.accounts.into_iter().map(move |account| (account, entry.name.clone()))
    };
    Ok(entries.into_iter().flat_map(each).collect())
}

/// A lock in words. `clock` is the epoch clock, where it is known.
fn words(info: &LockInfo, clock: Option<Millis>) -> String {
    let mut rows = vec![
        ("lock", info.lock.to_string()),
        ("status", status_words(info.status).to_string()),
        ("amount", format!("{} APT", info.amount)),
        ("from", info.from.to_string()),
        ("to", info.to.to_string()),
        ("hash", info.hash.to_string()),
        ("deadline", moment::show(info.deadline)),
    ];
    if info.status == LockStatus::Open {
        rows.extend(clock.map(|clock| ("refund", refund_words(info, clock))));
    }
    rows.extend(info.secret.map(|secret| ("secret", secret.to_string())));
    let rows: Vec<(String, String)> =
        rows.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    table(&rows)
}

fn status_words(status: LockStatus) -> &'static str {
    match status {
        LockStatus::Open => "open",
        LockStatus::Claimed => "claimed: the receiver has the coins",
        LockStatus::Refunded => "refunded: the payer has the coins back",
        LockStatus::GivenBack => "given back: the receiver declined",
    }
}

/// When the ledger refunds, on its own clock.
fn refund_words(info: &LockInfo, clock: Millis) -> String {
    let left = info.refund_at.since(clock);
    match left {
        Millis(0) => "with the next anchor".to_string(),
        left => format!(
            "by the ledger itself, when its epoch clock has gone on by {} (later after an \
             outage, never earlier)",
            moment::span(left)
        ),
    }
}
