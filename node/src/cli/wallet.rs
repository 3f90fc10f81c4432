//! `ddt wallet`: making wallets, seeing what is in them, paying.

use std::collections::BTreeMap;

use clap::Subcommand;
use ddt_ledger::Amount;
use ddt_ledger::schema::{Text, Value};
use ddt_wallet::{Entry, Keystore, Mnemonic, MnemonicError, Secret, WordCount};
use serde_json::{Value as Json, json};

use super::connection::Connection;
use super::output::{Output, table};
use super::send::{Sender, Waiting, row};
use super::{Global, wallets};
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// Make wallets, see what is in them, pay.
#[derive(Subcommand)]
pub enum WalletCommand {
    /// Make a wallet and show its words once
    New {
        /// Its name: a-z, 0-9, - and _
        name: String,
        /// Twelve words instead of twenty-four
        #[arg(long)]
        short: bool,
    },
    /// Bring a wallet back from its words
    Import {
        /// Its name here: a-z, 0-9, - and _
        name: String,
        /// File with the words; asked for without it
        #[arg(long, value_name = "FILE")]
        words_file: Option<std::path::PathBuf>,
    },
    /// Show an account without its key
    Watch {
        /// Its name here: a-z, 0-9, - and _
        name: String,
        /// The account, apt1…
        account: String,
    },
    /// The wallets here
    List,
    /// What an account has
    Balance {
        /// A wallet's name or an account id; without it, every wallet here
        account: Option<String>,
    },
    /// Pay: ddt wallet send 5 apt1… --from alice
    Send {
        /// How many APT
        amount: String,
        /// Who receives: an account id, or the name of a wallet here
        to: String,
        /// The wallet that pays
        #[arg(long)]
        from: Option<String>,
        /// A public remark for the receiver, at most 128 bytes
        #[arg(long)]
        memo: Option<String>,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// The wallet as pages in a browser on this machine
    Ui(super::ui::UiArgs),
}

/// `ddt wallet …`.
pub fn run(global: &Global, command: WalletCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WalletCommand::New { name, short } => new(global, &name, short, output),
        WalletCommand::Import { name, words_file } => {
            import(global, &name, words_file.as_deref(), output)
        }
        WalletCommand::Watch { name, account } => watch(global, &name, &account, output),
        WalletCommand::List => list(global, output),
        WalletCommand::Balance { account } => balance(global, account.as_deref(), output),
        WalletCommand::Send { amount, to, from, memo, waiting } => {
            let payment = Payment { amount, to, memo };
            pay(global, payment, from.as_deref(), waiting, output)
        }
        WalletCommand::Ui(args) => super::ui::run(global, &args, output),
    }
}

fn new(global: &Global, name: &str, short: bool, output: &Output) -> Result<(), Failure> {
    let count = if short { WordCount::Twelve } else { WordCount::TwentyFour };
    let words = Mnemonic::generate(count)
        .map_err(|error| Failure::fault(format!("no randomness from the system: {error}")))?;
    let phrase = words.phrase();
    let entry = create(global, name, words)?;
    let shown = format!(
        "Wallet {name} with the account {}\n\nIts words, shown this once. Whoever has them has \
         the money; without them a lost file is lost money. Write them on paper:\n\n  {}",
        first_account(&entry),
        phrase.as_str()
    );
    // The words go to whoever asked for them, on this one occasion, and nowhere else.
    let mut data = entry_json(&entry);
    if let Some(object) = data.as_object_mut() {
        object.insert("words".to_string(), Json::from(phrase.as_str()));
    }
    output.result(data, shown);
    Ok(())
}

fn create(global: &Global, name: &str, words: Mnemonic) -> Result<Entry, Failure> {
    let keystore = wallets::keystore(global)?;
    let (password, cost) = wallets::new_password(global)?;
    let secret = Secret::Words(words);
    keystore.create(name, &secret, &password, cost).map_err(wallets::failure)
}

fn import(
    global: &Global,
    name: &str,
    words_file: Option<&std::path::Path>,
    output: &Output,
) -> Result<(), Failure> {
    let phrase = match words_file {
        Some(path) => {
            let missing = || Failure::usage(format!("there is no {}", path.display()));
            secret_file::read(path)?.ok_or_else(missing)?
        }
        None => wallets::ask("The wallet's words")?,
    };
    let words = Mnemonic::parse(&phrase).map_err(|error| wrong_words(&error, output))?;
    if global.password_file.is_none() && super::connection::home(global).join("password").exists() {
        return Err(Failure::usage(
            "this folder's password is public: to import words of worth here, add \
             --password-file FILE with one of your own",
        ));
    }
    let entry = create(global, name, words)?;
    let shown = format!("Wallet {name} with the account {}", first_account(&entry));
    output.result(entry_json(&entry), shown);
    Ok(())
}

/// The nearest word is part of a secret: it is shown on a terminal, not in JSON or logs.
fn wrong_words(error: &MnemonicError, output: &Output) -> Failure {
    if let Some(word) = error.suggestion() {
        output.note(format!("Perhaps it should be: {word}"));
    }
    Failure::new(FailureKind::Wallet, "wallet.words", error.to_string())
}

fn watch(global: &Global, name: &str, account: &str, output: &Output) -> Result<(), Failure> {
    let account = account.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let entry = wallets::keystore(global)?.add_watch_only(name, account);
    let entry = entry.map_err(wallets::failure)?;
    output.result(entry_json(&entry), format!("Watching {account} as {name}"));
    Ok(())
}

fn first_account(entry: &Entry) -> String {
    entry.accounts.first().map(ToString::to_string).unwrap_or_default()
}

fn entry_json(entry: &Entry) -> Json {
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

fn list(global: &Global, output: &Output) -> Result<(), Failure> {
    let entries = entries(&wallets::keystore(global)?, output)?;
    let rows: Vec<(String, String)> = entries
        .iter()
        .map(|entry| {
            let mark = match (entry.watch_only, entry.unsafe_test) {
                (true, _) => "  (watched)",
                (_, true) => "  (UNSAFE test wallet)",
                _ => "",
            };
            (entry.name.clone(), format!("{}{mark}", first_account(entry)))
        })
        .collect();
    let words = match rows.is_empty() {
        true => "No wallets yet: ddt wallet new NAME makes one.".to_string(),
        false => table(&rows),
    };
    let data: Vec<Json> = entries.iter().map(entry_json).collect();
    output.result(json!({ "wallets": data }), words);
    Ok(())
}

fn balance(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let accounts = match account {
        Some(text) => vec![(text.to_string(), wallets::account(global, text)?)],
        None => {
            let entries = entries(&wallets::keystore(global)?, output)?;
            let first = |entry: Entry| Some((entry.name.clone(), *entry.accounts.first()?));
            entries.into_iter().filter_map(first).collect()
        }
    };
    let connection = Connection::open(global)?;
    let mut rows = Vec::new();
    let mut data = Vec::new();
    for (name, account) in accounts {
        let balance: Amount = connection.balance(&account)?;
        rows.push((name.clone(), format!("{balance} APT")));
        data.push(json!({ "name": name, "account": account, "balance": balance }));
    }
    let data = match (account, data.len()) {
        (Some(_), 1) => data.remove(0),
        _ => json!({ "balances": data }),
    };
    output.result(data, table(&rows));
    Ok(())
}

struct Payment {
    amount: String,
    to: String,
    memo: Option<String>,
}

fn pay(
    global: &Global,
    payment: Payment,
    from: Option<&str>,
    waiting: Waiting,
    output: &Output,
) -> Result<(), Failure> {
    let amount: Amount = payment.amount.parse().map_err(|refusal: ddt_ledger::Refusal| {
        Failure { field: Some("amount".to_string()), ..Failure::from(refusal) }
    })?;
    let to = wallets::account(global, &payment.to)?;
    let mut values = BTreeMap::from([
        ("to".to_string(), Value::Account(to)),
        ("amount".to_string(), Value::Amount(amount)),
    ]);
    if let Some(memo) = payment.memo {
        let memo =
            Text::<128>::new(memo).ok_or_else(|| Failure::usage("a memo has at most 128 bytes"))?;
        values.insert("memo".to_string(), Value::Text(memo.as_str().to_string()));
    }
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, from)?;
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let answer = sender.send(row("bank.transfer")?, values, waiting)?;
    sender.finish(&answer, waiting)
}
