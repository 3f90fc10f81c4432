//! `ddt batch FILE`: many payments in one event, all or none.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use ddt_contracts::bank::PAYMENTS_MAX;
use ddt_ledger::schema::Value;
use ddt_ledger::{AccountId, Amount};

use super::connection::Connection;
use super::output::Output;
use super::send::{Sender, Waiting, row};
use super::{Global, wallets};
use crate::failure::Failure;

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Make several payments in one event, all or none: lines of "account,amount".
#[derive(Args)]
pub struct BatchArgs {
    /// File with a payment a line: an account id or the name of a wallet here, a comma, an
    /// amount; empty lines and what follows # mean nothing
    file: PathBuf,
    /// The wallet that pays
    #[arg(long)]
    from: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// `ddt batch`.
pub fn run(global: &Global, args: &BatchArgs, output: &Output) -> Result<(), Failure> {
    let file = std::fs::File::open(&args.file).map_err(|error| Failure::io(&args.file, &error))?;
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::io(&args.file, &error))?;
    let name = args.file.display();
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::usage(format!("{name} has over {FILE_BYTES_MAX} bytes")));
    }
    let payments = payments(&text, |to| wallets::account(global, to))
        .map_err(|words| Failure::usage(format!("{name}: {words}")))?;
    let sum = payments.iter().try_fold(Amount::ZERO, |sum, (_, amount)| sum.plus(*amount));
    let sum = sum.ok_or_else(|| Failure::from(ddt_ledger::book::OVERFLOW))?;
    let about = format!("{} payments, {sum} APT together.", payments.len());
    output.tell(about);
    let payment = |(to, amount): (AccountId, Amount)| {
        Value::Group(vec![("to", Value::Account(to)), ("amount", Value::Amount(amount))])
    };
    let list = Value::List(payments.into_iter().map(payment).collect());
    let values = BTreeMap::from([("payments".to_string(), list)]);
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, args.from.as_deref())?;
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let answer = sender.send(row("bank.batch")?, values, args.waiting)?;
    sender.finish(&answer, args.waiting)
}

/// Reads the payments; names the line that is wrong.
fn payments(
    text: &str,
    account: impl Fn(&str) -> Result<AccountId, Failure>,
) -> Result<Vec<(AccountId, Amount)>, String> {
    let mut payments = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let here = |words: String| format!("line {number}: {words}");
        let (to, amount) = line
            .split_once(',')
            .ok_or_else(|| here("want an account, a comma and an amount".to_string()))?;
        let to = account(to.trim()).map_err(|failure| here(failure.words))?;
        let amount: Amount = amount
            .trim()
            .parse()
            .map_err(|refusal: ddt_ledger::Refusal| here(refusal.to_string()))?;
        if amount.is_zero() {
            return Err(here("a payment of nothing does nothing".to_string()));
        }
        if payments.len() == PAYMENTS_MAX {
            return Err(here(format!("one batch makes at most {PAYMENTS_MAX} payments")));
        }
        payments.push((to, amount));
    }
    match payments.is_empty() {
        true => Err("there is no payment in it".to_string()),
        false => Ok(payments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(AccountId, Amount)>, String> {
        payments(text, |name| match name {
            "bob" => Ok(AccountId([7; 32])),
            other => Err(Failure::usage(format!("{other} is nobody"))),
        })
    }

    /// Broken by: a line that is skipped, or an error without its line.
    #[test]
    fn each_line_is_a_payment_or_says_what_is_wrong() {
        let good = read("# wages\n\nbob,5\n bob , 0.5 # late\r\n").unwrap();
        assert_eq!(good.len(), 2);
        assert_eq!(good[1].1.to_string(), "0.5");
        for (text, words) in [
            ("", "no payment"),
            ("# bob,5", "no payment"),
            ("bob,5\nbob", "line 2: want an account"),
            ("\n\nbob;5", "line 3: want an account"),
            ("eve,5", "line 1: eve is nobody"),
            ("bob,five", "line 1: "),
            ("bob,1,5", "line 1: "),
            ("bob,-5", "line 1: "),
            ("bob,0", "line 1: a payment of nothing"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
        assert_eq!(read(&"bob,1\n".repeat(64)).unwrap().len(), 64);
        assert!(read(&"bob,1\n".repeat(65)).unwrap_err().contains("line 65: one batch"));
    }
}
