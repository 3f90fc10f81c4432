//! The address book: names for the accounts of others.

use std::path::PathBuf;

use clap::Subcommand;
use ddt_ledger::AccountId;
use ddt_wallet::AddressBook;
use ddt_wallet::address_book::BookError;
use serde_json::{Value as Json, json};

use super::{Global, Output, lock};
use crate::cli::connection::home;
use crate::cli::output::table;
use crate::cli::wallets;
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// Names for the accounts of others.
#[derive(Subcommand)]
pub enum BookCommand {
    /// Name an account; the name is then a receiver everywhere
    Add {
        /// The name: a-z, 0-9, - and _
        name: String,
        /// The account, apt1…
        account: String,
    },
    /// Every name and its account
    List,
    /// Forget a name
    Remove {
        /// The name
        name: String,
    },
}

fn path(global: &Global) -> PathBuf {
    home(global).join("book.json")
}

fn failure(path: &std::path::Path, error: &BookError) -> Failure {
    let words = match error {
        BookError::Newer(_) | BookError::Damaged(_) => format!("{}: {error}", path.display()),
        _ => error.to_string(),
    };
    let kind = match error {
        BookError::Newer(_) | BookError::Damaged(_) => FailureKind::Fault,
        BookError::Missing(_) => FailureKind::NotFound,
        _ => FailureKind::Usage,
    };
    Failure::new(kind, "book", words)
}

/// The book of the data folder; an empty one when there is none.
pub fn open(global: &Global) -> Result<AddressBook, Failure> {
    let path = path(global);
    match secret_file::read(&path)? {
        Some(text) => AddressBook::parse(&text).map_err(|error| failure(&path, &error)),
        None => Ok(AddressBook::default()),
    }
}

/// Refuses a name for a wallet that the book has for somebody else: it would mean both.
pub fn must_not_hold(global: &Global, name: &str) -> Result<(), Failure> {
    match open(global)?.get(name) {
        None => Ok(()),
        Some(account) => Err(Failure::new(
            FailureKind::Usage,
            "book",
            format!(
                "{name} is {account} in the address book: choose another name for the wallet, \
                 or remove the entry with ddt wallet book remove {name}"
            ),
        )),
    }
}

/// Changes the book, one process at a time.
fn change<T>(
    global: &Global,
    change: impl FnOnce(&mut AddressBook) -> Result<T, BookError>,
) -> Result<T, Failure> {
    let path = path(global);
    let _alone = lock::hold(&path)?;
    let mut book = open(global)?;
    let changed = change(&mut book).and_then(|changed| Ok((changed, book.to_json()?)));
    let (changed, text) = changed.map_err(|error| failure(&path, &error))?;
    secret_file::replace(&path, &text)?;
    Ok(changed)
}

/// `ddt wallet book …`.
pub fn run(global: &Global, command: &BookCommand, output: &Output) -> Result<(), Failure> {
    match command {
        BookCommand::Add { name, account } => add(global, name, account, output),
        BookCommand::List => list(global, output),
        BookCommand::Remove { name } => {
            wallets::keystore(global)?;
            let account = change(global, |book| book.remove(name))?;
            let words = format!("{name} is nobody any more; it was {account}");
            output.result(json!({ "name": name, "account": account }), words);
            Ok(())
        }
    }
}

fn add(global: &Global, name: &str, account: &str, output: &Output) -> Result<(), Failure> {
    let account: AccountId = account.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let keystore = wallets::keystore(global)?;
    let listing = keystore.list().map_err(wallets::failure)?;
    if listing.entries.iter().any(|entry| entry.name == name) {
        let words = format!("{name} is a wallet here: choose another name for {account}");
        return Err(Failure::new(FailureKind::Usage, "book", words));
    }
    change(global, |book| book.add(name, account))?;
    let words = format!("{name} is {account}");
    output.result(json!({ "name": name, "account": account }), words);
    Ok(())
}

fn list(global: &Global, output: &Output) -> Result<(), Failure> {
    let book = open(global)?;
    let rows: Vec<(String, String)> =
        book.entries().map(|(name, account)| (name.to_string(), account.to_string())).collect();
    let data: Vec<Json> =
        book.entries().map(|(name, account)| json!({ "name": name, "account": account })).collect();
    let words = match rows.is_empty() {
        true => "The address book is empty: ddt wallet book add NAME apt1… adds one.".to_string(),
        false => table(&rows),
    };
    output.result(json!({ "entries": data }), words);
    Ok(())
}
