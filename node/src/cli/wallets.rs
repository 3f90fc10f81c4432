//! The keystore of this command, its passwords, and how its accounts are named.

use std::io::IsTerminal;
use std::path::Path;

use ddt_ledger::{AccountId, PublicKey};
use ddt_wallet::{Entry, KdfCost, Keystore, KeystoreError, Unlocked};
use zeroize::Zeroizing;

use super::Global;
use super::connection::home;
use super::wallet::book;
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// Opens the keystore in the data folder.
pub fn keystore(global: &Global) -> Result<Keystore, Failure> {
    Keystore::open_dir(&home(global).join("keystore")).map_err(failure)
}

/// A keystore's error as this command's failure.
pub fn failure(error: KeystoreError) -> Failure {
    Failure::new(FailureKind::Wallet, "wallet", error.to_string())
}

fn wallet_failure(words: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Wallet, "wallet", words)
}

/// The first line of a file that only its owner may read.
pub fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let missing = || Failure::usage(format!("there is no {}", path.display()));
    let text = secret_file::read(path)?.ok_or_else(missing)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_string()))
}

/// The keystore's password: from the file, or asked for.
pub fn password(global: &Global, prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = &global.password_file {
        return first_line(path);
    }
    let beside = home(global).join("password");
    if beside.exists() {
        return first_line(&beside);
    }
    ask(prompt, "--password-file FILE")
}

/// Asks for something secret on the terminal; `instead` is the flag for where there is none.
pub fn ask(prompt: &str, instead: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("nobody is there to type it: add {instead}")));
    }
    let typed = rpassword::prompt_password(format!("{prompt}: "));
    typed.map(Zeroizing::new).map_err(|error| Failure::fault(format!("nothing typed: {error}")))
}

/// Whether new wallets here get the public password of a development network.
pub fn is_password_public(global: &Global) -> bool {
    global.password_file.is_none() && home(global).join("password").exists()
}

/// A password for a new wallet: from --password-file, or asked for twice; on a development
/// network its public one, and then the wallet is marked UNSAFE.
pub fn new_password(global: &Global) -> Result<(Zeroizing<String>, KdfCost), Failure> {
    let first = password(global, "Password for the new wallet")?;
    if is_password_public(global) {
        return Ok((first, KdfCost::UNSAFE_TEST));
    }
    if global.password_file.is_none() {
        ask_again(&first)?;
    }
    Ok((first, KdfCost::DEFAULT))
}

/// Asks for the same password again.
pub fn ask_again(first: &str) -> Result<(), Failure> {
    match *ask("The same again", "--password-file FILE")? == *first {
        true => Ok(()),
        false => Err(Failure::usage("the two passwords differ; nothing was changed")),
    }
}

/// How an account of a wallet is written: `NAME` for its first, then `NAME/1`, `NAME/2`…
pub fn label(name: &str, index: usize) -> String {
    if index == 0 { name.to_string() } else { format!("{name}/{index}") }
}

/// Reads `NAME` or `NAME/1`.
pub fn address(text: &str) -> Result<(&str, usize), Failure> {
    let Some((name, digits)) = text.split_once('/') else { return Ok((text, 0)) };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits.parse::<usize>().ok().filter(|index| is_number && *index < 256);
    let wanted = || Failure::usage(format!("{text}: an account is NAME, NAME/1, … or NAME/255"));
    index.map(|index| (name, index)).ok_or_else(wanted)
}

/// The wallet to use: the one named, or the only one.
pub fn choose(keystore: &Keystore, name: Option<&str>) -> Result<Entry, Failure> {
    let mut listing = keystore.list().map_err(failure)?;
    let entries = &mut listing.entries;
    let names = entries.iter().map(|e| e.name.clone()).collect::<Vec<_>>().join(", ");
    let Some(name) = name else {
        return match entries.len() {
            1 => Ok(entries.remove(0)),
            0 => Err(wallet_failure("there is no wallet yet: make one with ddt wallet new NAME")),
            _ => Err(wallet_failure(format!("which wallet? add --from NAME; there are: {names}"))),
        };
    };
    if let Some(at) = entries.iter().position(|entry| entry.name == name) {
        return Ok(entries.swap_remove(at));
    }
    // A wallet that is there and does not read must not be told as one that is not.
    let file = keystore.path().join(format!("{name}.json"));
    if let Some(problem) = listing.problems.into_iter().find(|problem| problem.is_about(&file)) {
        return Err(failure(problem));
    }
    let there = match names.is_empty() {
        true => format!("make it with ddt wallet new {name}"),
        false => format!("there are: {names}"),
    };
    Err(wallet_failure(format!("there is no wallet {name}; {there}")))
}

/// The first public key of a wallet; needs no password.
pub fn public_key(global: &Global, name: &str) -> Result<PublicKey, Failure> {
    let keystore = Keystore::open_dir(&super::home(global).join("keystore")).map_err(failure)?;
    let entry = choose(&keystore, Some(name))?;
    let key = entry.keys.first().copied();
    key.ok_or_else(|| wallet_failure(format!("{name} only watches: its keys are elsewhere")))
}

/// A watched wallet cannot sign: said before anybody types a password.
pub fn must_sign(entry: &Entry) -> Result<(), Failure> {
    match entry.watch_only {
        true => Err(failure(KeystoreError::WatchOnly { name: entry.name.clone() })),
        false => Ok(()),
    }
}

/// The account of a wallet with this index.
pub fn nth_account(entry: &Entry, index: usize) -> Result<AccountId, Failure> {
    entry.accounts.get(index).copied().ok_or_else(|| {
        let (name, count) = (&entry.name, entry.accounts.len());
        let last = label(name, count.saturating_sub(1));
        let more = match entry.watch_only {
            true => String::new(),
            false => format!("; ddt wallet add-account {name} makes the next"),
        };
        wallet_failure(format!("{name} has no account {name}/{index}: its last is {last}{more}"))
    })
}

/// Opens a wallet with its password; `from` names one of its accounts, which is answered too.
pub fn unlock(global: &Global, from: Option<&str>) -> Result<(Unlocked, AccountId), Failure> {
    let (unlocked, index) = unlock_indexed(global, from)?;
    let account = unlocked.keys().get(index).map(|key| key.account());
    let account = account.ok_or_else(|| Failure::fault("the wallet does not hold that account"))?;
    Ok((unlocked, account))
}

/// The same, answering the index of the account.
pub fn unlock_indexed(global: &Global, from: Option<&str>) -> Result<(Unlocked, usize), Failure> {
    let keystore = keystore(global)?;
    let named = from.map(address).transpose()?;
    let entry = choose(&keystore, named.map(|(name, _)| name))?;
    must_sign(&entry)?;
    let index = named.map_or(0, |(_, index)| index);
    nth_account(&entry, index)?;
    let password = password(global, &format!("Password of {}", entry.name))?;
    let unlocked = keystore.unlock(&entry.name, &password).map_err(failure)?;
    Ok((unlocked, index))
}

/// An account of a wallet here, if there is a wallet of that name.
fn own(global: &Global, text: &str) -> Result<Option<AccountId>, Failure> {
    let keystore = keystore(global)?;
    let (name, index) = address(text)?;
    let is_wallet = ddt_wallet::keystore::check_name(name).is_ok()
        && keystore.path().join(format!("{name}.json")).symlink_metadata().is_ok();
    if !is_wallet {
        return Ok(None);
    }
    nth_account(&choose(&keystore, Some(name))?, index).map(Some)
}

/// An account by id, by the name of a wallet here, or by its name in the address book.
pub fn account(global: &Global, text: &str) -> Result<AccountId, Failure> {
    if let Ok(account) = text.parse::<AccountId>() {
        return Ok(account);
    }
    if text.starts_with("apt1") {
        return Err(no_account(text));
    }
    let (own, listed) = (own(global, text)?, book::open(global)?.get(text));
    match (own, listed) {
        (Some(own), Some(listed)) if own != listed => Err(Failure::usage(format!(
            "{text} is a wallet here ({own}) and somebody else in the address book ({listed}): \
             give the account id, or remove the entry with ddt wallet book remove {text}"
        ))),
        (Some(account), _) | (None, Some(account)) => Ok(account),
        (None, None) => Err(no_account(text)),
    }
}

/// The same where nothing is sent: a wallet here goes before the address book.
pub fn shown_account(global: &Global, text: &str) -> Result<AccountId, Failure> {
    if text.parse::<AccountId>().is_ok() || text.starts_with("apt1") {
        return account(global, text);
    }
    own(global, text)?.map_or_else(|| account(global, text), Ok)
}

fn no_account(text: &str) -> Failure {
    let shown: String = text.chars().take(80).collect();
    Failure::usage(format!(
        "{shown} is neither an account id (apt1…; check it for typing errors) nor the name of \
         a wallet here nor in the address book"
    ))
}

/// One account by id or name; without one, every account of every wallet here, by its label.
pub fn accounts(global: &Global, text: Option<&str>) -> Result<Vec<(String, AccountId)>, Failure> {
    if let Some(text) = text {
        return Ok(vec![(text.to_string(), shown_account(global, text)?)]);
    }
    let listing = keystore(global)?.list().map_err(failure)?;
    let labelled = |entry: Entry| {
        let numbered = entry.accounts.into_iter().enumerate();
        numbered.map(move |(index, account)| (label(&entry.name, index), account))
    };
    Ok(listing.entries.into_iter().flat_map(labelled).collect())
}
