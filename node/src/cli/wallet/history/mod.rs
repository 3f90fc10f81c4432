//! `ddt wallet history`: what happened to an account, newest first.

mod csv;
mod filter;
mod rows;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ddt_ledger::AccountId;
use serde_json::{Value as Json, json};

use self::filter::Filter;
use self::rows::{Line, Reader};
use super::names::Names;
use super::show::every_account;
use super::{Global, Output};
use crate::cli::connection::Connection;
use crate::cli::moment;
use crate::cli::plain::plain;
use crate::cli::progress::Spinner;
use crate::cli::wallets;
use crate::failure::Failure;
use crate::secret_file;

/// Lines shown unless asked otherwise.
const LINES_SHOWN: usize = 50;
/// Most lines of one answer.
const LINES_MAX: u64 = 1_000_000;

/// `ddt wallet history`.
#[derive(Args)]
pub struct History {
    /// NAME or NAME/1 of a wallet here, an account id, or a name of the address book; without
    /// it, every account of the wallets here
    account: Option<String>,
    /// Only one kind: an event such as bank.transfer, a programme such as bank, fees, or
    /// deadline
    #[arg(long)]
    kind: Option<String>,
    /// Only from this day or second on, in UTC: 2026-11-21 or 2026-11-21T15:03:52Z
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only up to the end of this day or second, in UTC
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Only what went to or came from this account: an id, or a name known here
    #[arg(long, value_name = "ACCOUNT")]
    with: Option<String>,
    /// Only movements of at least so many APT
    #[arg(long, value_name = "APT")]
    min: Option<String>,
    /// At most so many lines: 50, or with --csv a million, unless asked otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=LINES_MAX))]
    limit: Option<u64>,
    /// Write comma-separated values to this file, or - for standard output
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// `ddt wallet history`.
pub fn run(global: &Global, args: &History, output: &Output) -> Result<(), Failure> {
    let filter = Filter::read(global, args)?;
    let is_to_stdout = args.csv.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if is_to_stdout && output.is_json() {
        return Err(Failure::usage("--json and --csv - both want standard output: choose one"));
    }
    let limit = match (args.limit, &args.csv) {
        (Some(limit), _) => usize::try_from(limit).unwrap_or(usize::MAX),
        (None, Some(_)) => usize::try_from(LINES_MAX).unwrap_or(usize::MAX),
        (None, None) => LINES_SHOWN,
    };
    let accounts: Vec<(String, AccountId)> = match &args.account {
        Some(text) => vec![(text.clone(), wallets::shown_account(global, text)?)],
        None => {
            let known = every_account(global, output)?.into_iter();
            known.map(|(name, account, _)| (name, account)).collect()
        }
    };
    let connection = Connection::open(global)?;
    let names = Names::load(global)?;
    let spinner = Spinner::new("reading the history");
    let mut reader = Reader::new(&connection, &names, &filter, &spinner);
    let (mut lines, mut is_cut) = (Vec::new(), false);
    for (name, account) in &accounts {
        is_cut |= reader.read(name, account, limit, &mut lines)?;
    }
    drop(spinner);
    // One account's lines are in order; those of several are put together.
    lines.sort_by_key(|line| std::cmp::Reverse(line.place));
    is_cut |= lines.len() > limit;
    lines.truncate(limit);
    match &args.csv {
        Some(_) if is_to_stdout => to_stdout(&csv::text(&lines)),
        Some(path) => {
            secret_file::replace(path, &csv::text(&lines))?;
            let words = format!("Wrote {} lines to {}.", lines.len(), path.display());
            let cut = if is_cut { " There is more: --limit asks for it." } else { "" };
            let data = json!({ "file": path, "lines": lines.len(), "is_cut": is_cut });
            output.result(data, words + cut);
            Ok(())
        }
        None => {
            let data: Vec<Json> = lines.iter().map(Line::to_json).collect();
            let data = json!({ "lines": data, "is_cut": is_cut });
            output.result(data, shown(&lines, is_cut, accounts.len() > 1));
            Ok(())
        }
    }
}

fn to_stdout(text: &str) -> Result<(), Failure> {
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    match written {
        // Whoever reads has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::fault(format!("standard output: {error}"))),
    }
}

fn shown(lines: &[Line], is_cut: bool, are_many: bool) -> String {
    let mut words: Vec<String> = lines.iter().map(|line| line_words(line, are_many)).collect();
    if lines.is_empty() {
        words.push("Nothing yet.".to_string());
    }
    if is_cut {
        words.push("There is more: --limit N asks for it.".to_string());
    }
    words.join("\n")
}

fn line_words(line: &Line, are_many: bool) -> String {
    let mut words = format!("{}  {:<22}", moment::text(line.time), line.event);
    if are_many {
        words.push_str(&format!("  {}", line.account_name));
    }
    words.push_str(&format!("  {} APT", line.effect()));
    if !line.counterparty.is_empty() {
        let way = if line.outgoing > line.incoming { "to" } else { "from" };
        words.push_str(&format!("  {way} {}", line.counterparty));
    }
    if !line.fee.is_zero() {
        words.push_str(&format!("  fee {}", line.fee));
    }
    if line.outcome != "done" {
        words.push_str(&format!("  {}", line.outcome.to_uppercase()));
    }
    if let Some(memo) = &line.memo {
        words.push_str(&format!("  \u{201c}{}\u{201d}", plain(memo)));
    }
    words
}
