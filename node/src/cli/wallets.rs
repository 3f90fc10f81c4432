//! The keystore of this command, its password, and which of its keys signs.

use std::io::IsTerminal;

use ddt_ledger::AccountId;
use ddt_wallet::{Entry, KdfCost, Keystore, KeystoreError, Unlocked};
use zeroize::Zeroizing;

use super::Global;
use super::connection::home;
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

/// The keystore's password: from the file, or asked for.
pub fn password(global: &Global, prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = &global.password_file {
        let text = secret_file::read(path)?;
        let missing = || Failure::usage(format!("there is no {}", path.display()));
        let text = text.ok_or_else(missing)?;
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_string()));
    }
    let beside = home(global).join("password");
    if let Some(text) = secret_file::read(&beside)? {
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_string()));
    }
    ask(prompt)
}

/// Asks for something secret on the terminal.
pub fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nobody is there to type the password: add --password-file FILE",
        ));
    }
    let typed = rpassword::prompt_password(format!("{prompt}: "));
    typed.map(Zeroizing::new).map_err(|error| Failure::fault(format!("no password: {error}")))
}

/// A password for a new wallet: from --password-file, or asked for twice; on a development
/// network its public one, and then the wallet is marked UNSAFE.
pub fn new_password(global: &Global) -> Result<(Zeroizing<String>, KdfCost), Failure> {
    let is_public = global.password_file.is_none() && home(global).join("password").exists();
    let first = password(global, "Password for the new wallet")?;
    if is_public {
        return Ok((first, KdfCost::UNSAFE_TEST));
    }
    if global.password_file.is_none() && *ask("The same again")? != *first {
        return Err(Failure::usage("the two passwords differ; nothing was made"));
    }
    Ok((first, KdfCost::DEFAULT))
}

/// The wallet to use: the one named, or the only one.
pub fn choose(keystore: &Keystore, name: Option<&str>) -> Result<Entry, Failure> {
    let listing = keystore.list().map_err(failure)?;
    let mut entries = listing.entries;
    let names = entries.iter().map(|e| e.name.clone()).collect::<Vec<_>>().join(", ");
    let missing = |words: String| Failure::new(FailureKind::Wallet, "wallet", words);
    match name {
        Some(name) => {
            let found = entries.into_iter().find(|entry| entry.name == name);
            found.ok_or_else(|| missing(format!("there is no wallet {name}; there are: {names}")))
        }
        None if entries.len() == 1 => Ok(entries.remove(0)),
        None if entries.is_empty() => {
            Err(missing("there is no wallet yet: make one with ddt wallet new NAME".to_string()))
        }
        None => Err(missing(format!("which wallet? add --from NAME; there are: {names}"))),
    }
}

/// Opens a wallet with its password.
pub fn unlock(global: &Global, name: Option<&str>) -> Result<(Unlocked, AccountId), Failure> {
    let keystore = keystore(global)?;
    let entry = choose(&keystore, name)?;
    let password = password(global, &format!("Password of {}", entry.name))?;
    let unlocked = keystore.unlock(&entry.name, &password).map_err(failure)?;
    let account = unlocked.keys().first().map(|key| key.account());
    let account = account.ok_or_else(|| Failure::fault("the wallet holds no key"))?;
    Ok((unlocked, account))
}

/// An account by id, or by the name of a wallet here.
pub fn account(global: &Global, text: &str) -> Result<AccountId, Failure> {
    if let Ok(account) = text.parse::<AccountId>() {
        return Ok(account);
    }
    let looks_like_id = text.starts_with("apt1");
    let entries = keystore(global)?.list().map_err(failure)?.entries;
    let found = entries.into_iter().find(|entry| entry.name == text && !looks_like_id);
    let account = found.and_then(|entry| entry.accounts.first().copied());
    account.ok_or_else(|| {
        Failure::usage(format!(
            "{text} is neither an account id (apt1…; check it for typing errors) nor the name \
             of a wallet here"
        ))
    })
}

/// One account by id or wallet's name; without one, the first account of every wallet here.
pub fn accounts(global: &Global, text: Option<&str>) -> Result<Vec<(String, AccountId)>, Failure> {
    if let Some(text) = text {
        return Ok(vec![(text.to_string(), account(global, text)?)]);
    }
    let listing = keystore(global)?.list().map_err(failure)?;
    let first = |entry: Entry| Some((entry.name, *entry.accounts.first()?));
    Ok(listing.entries.into_iter().filter_map(first).collect())
}
