//! `ddt swap claim`: showing a secret, which pays out a lock.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use ddt_contracts::bank::{LockInfo, LockStatus, lock_hash};
use ddt_ledger::Hash;
use ddt_ledger::schema::Value;
use serde_json::json;

use super::{find, find_all, lock_id, secret, words};
use crate::cli::connection::Connection;
use crate::cli::output::Output;
use crate::cli::send::{Sender, Waiting, check_outcome, row};
use crate::cli::{Global, wallets};
use crate::failure::{Failure, FailureKind};

/// Pay out a lock by showing its secret.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("source").required(true)))]
pub struct ClaimArgs {
    /// The lock
    lock: String,
    /// The secret, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", group = "source")]
    secret: Option<String>,
    /// File with the secret
    #[arg(long, value_name = "FILE", group = "source")]
    secret_file: Option<PathBuf>,
    /// A node of the other network, on which a lock under the same hash was claimed
    #[arg(long, value_name = "URL", group = "source")]
    seen_on: Option<String>,
    /// That other lock; without it, it is looked for by its hash
    #[arg(long, value_name = "LOCK", requires = "seen_on")]
    seen_lock: Option<String>,
    /// The wallet that signs; the receiver is paid whoever it is
    #[arg(long)]
    from: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// `ddt swap claim`.
pub fn run(global: &Global, args: &ClaimArgs, output: &Output) -> Result<(), Failure> {
    let lock = lock_id(&args.lock)?;
    let connection = Connection::open(global)?;
    let info = find(&connection, &lock)?;
    if info.status != LockStatus::Open {
        let shown = words(&info, None);
        let shown = format!("the lock has ended, nobody can claim it any more\n{shown}");
        return Err(Failure::new(FailureKind::Refused, "bank.lock_ended", shown.trim_end()));
    }
    let secret = secret_of(args, &info)?;
    if lock_hash(&secret) != info.hash {
        let words = "that is not this lock's secret: its SHA-256 is another; nothing was signed";
        return Err(Failure::new(FailureKind::Refused, "bank.secret", words));
    }
    let (wallet, account) = wallets::unlock(global, args.from.as_deref())?;
    let values = BTreeMap::from([
        ("lock".to_string(), Value::Hash(lock)),
        ("secret".to_string(), Value::Hash(secret)),
    ]);
    let about = format!("Pays {} APT to {}, less the fee.", info.amount, info.to);
    output.tell(about);
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let answer = sender.send(row("bank.claim")?, values, args.waiting).map_err(no_account)?;
    check_outcome(&answer)?;
    let info = find(&connection, &lock)?;
    let data = json!({ "lock": lock, "secret": secret, "to": info.to, "submitted": answer });
    output.result(data, format!("Claimed.\n{}", words(&info, None)));
    Ok(())
}

fn secret_of(args: &ClaimArgs, info: &LockInfo) -> Result<Hash, Failure> {
    match (&args.secret, &args.secret_file, &args.seen_on) {
        (Some(text), _, _) => secret::from_text(text),
        (_, Some(path), _) => secret::from_file(path),
        (_, _, Some(url)) => seen(url, args.seen_lock.as_deref(), info),
        _ => Err(Failure::usage("add --secret, --secret-file or --seen-on")),
    }
}

/// The secret that a claim on another network showed. Whoever that node is, it cannot lie:
/// only the secret has the hash.
fn seen(url: &str, lock: Option<&str>, info: &LockInfo) -> Result<Hash, Failure> {
    let there = Connection::elsewhere(url)?;
    let locks = match lock {
        Some(lock) => vec![find(&there, &lock_id(lock)?)?],
        None => find_all(&there, "bank.locks_by_hash", ("hash", info.hash.to_string()))?,
    };
    let mut secrets = locks.iter().filter_map(|lock| lock.secret);
    secrets.find(|secret| lock_hash(secret) == info.hash).ok_or_else(|| {
        let words = format!(
            "no lock with the hash {} was claimed there yet: its secret is not known; try again \
             when it is",
            info.hash
        );
        Failure::new(FailureKind::NotFound, "swap.not_claimed", words)
    })
}

/// Who has no account can sign nothing, but anybody can claim for them.
fn no_account(mut failure: Failure) -> Failure {
    if failure.code == "event.account" {
        failure.words.push_str(
            " Anybody else may make this claim with --from: it pays the receiver all the same, \
             and costs who makes it nothing.",
        );
    }
    failure
}
