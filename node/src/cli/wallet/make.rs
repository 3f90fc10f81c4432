//! Making wallets, bringing them back, watching, further accounts.

use std::path::{Path, PathBuf};

use clap::Args;
use ddt_ledger::AccountId;
use ddt_wallet::{Entry, Keystore, Mnemonic, MnemonicError, Secret, WordCount};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::show::{entry_json, first_account};
use super::{Global, Output, book};
use crate::cli::wallets;
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// `ddt wallet new`.
#[derive(Args)]
pub struct New {
    /// Its name: a-z, 0-9, - and _
    name: String,
    /// Twelve words instead of twenty-four
    #[arg(long)]
    short: bool,
}

/// `ddt wallet import`.
#[derive(Args)]
pub struct Import {
    /// Its name here: a-z, 0-9, - and _
    name: String,
    #[command(flatten)]
    source: Source,
    /// How many of its accounts to bring back; a wallet's file says so itself
    #[arg(long, value_name = "N")]
    accounts: Option<u32>,
    /// File whose first line is the password of the file given with --keystore
    #[arg(long, value_name = "FILE", requires = "keystore")]
    keystore_password_file: Option<PathBuf>,
}

/// Where the secret comes from.
#[derive(Args)]
#[group(multiple = false)]
struct Source {
    /// File with the words; asked for when no source is given
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// File with a seed of 32 bytes, raw or as 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,
    /// A wallet's file, from another folder or machine
    #[arg(long, value_name = "FILE")]
    keystore: Option<PathBuf>,
}

/// `ddt wallet watch`.
#[derive(Args)]
pub struct Watch {
    /// Its name here: a-z, 0-9, - and _
    name: String,
    /// The account, apt1…
    account: String,
}

/// `ddt wallet add-account`.
#[derive(Args)]
pub struct AddAccount {
    /// The wallet
    name: String,
}

/// Makes a wallet and shows its words.
pub fn new(global: &Global, args: &New, output: &Output) -> Result<(), Failure> {
    let name = &args.name;
    let count = if args.short { WordCount::Twelve } else { WordCount::TwentyFour };
    let words = Mnemonic::generate(count)
        .map_err(|error| Failure::fault(format!("no randomness from the system: {error}")))?;
    let phrase = words.phrase();
    let entry = create(global, name, &Secret::Words(words), 1)?;
    let shown = Zeroizing::new(format!(
        "Wallet {name} with the account {}\n\nIts words, shown this once. Whoever has them has \
         the money; without them a lost file is lost money. Write them on paper:\n\n  {}\n\nThen \
         see whether you wrote them right: ddt wallet check-words {name}",
        first_account(&entry),
        phrase.as_str()
    ));
    // The words go to whoever asked for them, on this one occasion, and nowhere else.
    let mut data = entry_json(&entry);
    if let Some(object) = data.as_object_mut().filter(|_| output.is_json()) {
        object.insert("words".to_string(), Json::from(phrase.as_str()));
    }
    output.result(data, shown.as_str());
    Ok(())
}

fn create(global: &Global, name: &str, secret: &Secret, count: u32) -> Result<Entry, Failure> {
    let keystore = wallets::keystore(global)?;
    book::must_not_hold(global, name)?;
    let (password, cost) = wallets::new_password(global)?;
    keystore.create_with(name, secret, count, &password, cost).map_err(wallets::failure)
}

/// Brings a wallet back.
pub fn import(global: &Global, args: &Import, output: &Output) -> Result<(), Failure> {
    let (secret, known) = match &args.source {
        Source { seed_file: Some(path), .. } => (read_seed(path)?, None),
        Source { keystore: Some(path), .. } => read_keystore(path, args)?,
        Source { words_file, .. } => (read_words(words_file.as_deref(), output)?, None),
    };
    if wallets::is_password_public(global) {
        return Err(Failure::usage(
            "this folder's password is public: to import a wallet of worth here, add \
             --password-file FILE with one of your own",
        ));
    }
    let count = args.accounts.or(known).unwrap_or(1);
    let entry = create(global, &args.name, &secret, count)?;
    let others = same_elsewhere(global, &entry)?;
    let (name, account) = (&entry.name, first_account(&entry));
    let mut shown = match entry.accounts.len() {
        1 => format!("Wallet {name} with the account {account}"),
        count => format!("Wallet {name} with {count} accounts, the first is {account}"),
    };
    for other in &others {
        shown.push_str(&format!("\nThe wallet {other} here has the same account."));
    }
    let mut data = entry_json(&entry);
    if let Some(object) = data.as_object_mut() {
        object.insert("same_as".to_string(), Json::from(others));
    }
    output.result(data, shown);
    Ok(())
}

/// Names of other wallets here with the same first account.
fn same_elsewhere(global: &Global, entry: &Entry) -> Result<Vec<String>, Failure> {
    let listing = wallets::keystore(global)?.list().map_err(wallets::failure)?;
    let others = listing.entries.into_iter().filter(|other| other.name != entry.name);
    let same = others.filter(|other| other.accounts.first() == entry.accounts.first());
    Ok(same.map(|other| other.name).collect())
}

fn read_words(path: Option<&Path>, output: &Output) -> Result<Secret, Failure> {
    let phrase = typed_words(path)?;
    let words = Mnemonic::parse(&phrase).map_err(|error| wrong_words(&error, output))?;
    Ok(Secret::Words(words))
}

/// Words from a file that only its owner may read, or asked for.
pub fn typed_words(path: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let Some(path) = path else { return wallets::ask("The wallet's words", "--words-file FILE") };
    let missing = || Failure::usage(format!("there is no {}", path.display()));
    secret_file::read(path)?.ok_or_else(missing)
}

/// The nearest word is part of a secret: it is shown on a terminal, not in JSON or logs.
fn wrong_words(error: &MnemonicError, output: &Output) -> Failure {
    if let Some(word) = error.suggestion() {
        output.note(format!("Perhaps it should be: {word}"));
    }
    Failure::new(FailureKind::Wallet, "wallet.words", error.to_string())
}

/// A seed is 32 bytes, or their 64 digits; nothing else is taken for one.
fn read_seed(path: &Path) -> Result<Secret, Failure> {
    let missing = || Failure::usage(format!("there is no {}", path.display()));
    let bytes = secret_file::read_bytes(path)?.ok_or_else(missing)?;
    let wrong = |words: &str| Failure::new(FailureKind::Wallet, "wallet.seed", words);
    let mut seed = Zeroizing::new([0; 32]);
    if let Ok(raw) = <&[u8; 32]>::try_from(bytes.as_slice()) {
        seed.copy_from_slice(raw);
    } else if hex::decode_to_slice(bytes.trim_ascii(), seed.as_mut_slice()).is_err() {
        let length = bytes.len();
        let words = format!(
            "a seed is a file of 32 bytes, or of 64 hexadecimal digits; {} has {length} bytes \
             of something else",
            path.display()
        );
        return Err(wrong(&words));
    }
    if seed.windows(2).all(|pair| pair.first() == pair.last()) {
        return Err(wrong("32 equal bytes are no secret: this is not a seed"));
    }
    Ok(Secret::Seed(seed))
}

/// A wallet's file: its secret, and how many accounts it has.
fn read_keystore(path: &Path, args: &Import) -> Result<(Secret, Option<u32>), Failure> {
    let password = match &args.keystore_password_file {
        Some(file) => wallets::first_line(file)?,
        None => wallets::ask("Password of that file", "--keystore-password-file FILE")?,
    };
    let unlocked = Keystore::open_file(path, &password).map_err(wallets::failure)?;
    let count = u32::try_from(unlocked.keys().len()).ok();
    let secret = match unlocked.secret() {
        Secret::Words(words) => Mnemonic::from_entropy(&words.entropy())
            .map(Secret::Words)
            .map_err(|error| Failure::fault(error.to_string()))?,
        Secret::Seed(seed) => Secret::Seed(seed.clone()),
    };
    Ok((secret, count))
}

/// Adds a wallet without a key.
pub fn watch(global: &Global, args: &Watch, output: &Output) -> Result<(), Failure> {
    let (name, account) = (&args.name, &args.account);
    let account: AccountId = account.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let keystore = wallets::keystore(global)?;
    book::must_not_hold(global, name)?;
    let entry = keystore.add_watch_only(name, account).map_err(wallets::failure)?;
    let words = format!("Watching {account} as {name}. It has no key here: it cannot sign.");
    output.result(entry_json(&entry), words);
    Ok(())
}

/// Makes the next account.
pub fn add_account(global: &Global, args: &AddAccount, output: &Output) -> Result<(), Failure> {
    let keystore = wallets::keystore(global)?;
    let entry = wallets::choose(&keystore, Some(&args.name))?;
    wallets::must_sign(&entry)?;
    let password = wallets::password(global, &format!("Password of {}", entry.name))?;
    let entry = keystore.add_account(&entry.name, &password).map_err(wallets::failure)?;
    let index = entry.accounts.len().saturating_sub(1);
    let label = wallets::label(&entry.name, index);
    let account = wallets::nth_account(&entry, index)?;
    let mut data = entry_json(&entry);
    if let Some(object) = data.as_object_mut() {
        object.insert("added".to_string(), Json::from(label.as_str()));
        object.insert("added_account".to_string(), Json::from(account.to_string()));
    }
    let words = format!(
        "{label} is the account {account}\nThe wallet's words bring it back too: ddt wallet \
         import NAME --accounts {}",
        entry.accounts.len()
    );
    output.result(data, words);
    Ok(())
}
