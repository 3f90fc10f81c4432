//! The backup: showing it to its owner, checking it; and the file's password.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use ddt_wallet::{Entry, KdfCost, Mnemonic, Secret, Unlocked};
use serde_json::json;
use zeroize::Zeroizing;

use super::make::typed_words;
use super::show::entry_json;
use super::{Global, Output};
use crate::cli::output::confirm;
use crate::cli::wallets;
use crate::failure::{Failure, FailureKind};
use crate::secret_file;

/// `ddt wallet export`.
#[derive(Args)]
pub struct Export {
    /// The wallet
    name: String,
    /// Write the words (or a seed's digits) to this new file of mode 0600 instead of the screen
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// You know that whoever sees them has the money: do not ask
    #[arg(long)]
    i_know: bool,
}

/// `ddt wallet check-words`.
#[derive(Args)]
pub struct CheckWords {
    /// The wallet
    name: String,
    /// File with the words to check; asked for without it
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
}

/// `ddt wallet password`.
#[derive(Args)]
pub struct Password {
    /// The wallet
    name: String,
    /// File whose first line is the new password; asked for without it
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

/// Opens a wallet that has a key, by its plain name.
pub fn open(global: &Global, name: &str) -> Result<Unlocked, Failure> {
    let keystore = wallets::keystore(global)?;
    let entry: Entry = wallets::choose(&keystore, Some(name))?;
    wallets::must_sign(&entry)?;
    let password = wallets::password(global, &format!("Password of {name}"))?;
    keystore.unlock(name, &password).map_err(wallets::failure)
}

/// Shows or writes a wallet's secret.
pub fn export(global: &Global, args: &Export, output: &Output) -> Result<(), Failure> {
    let is_seen = !output.is_json() && std::io::stdout().is_terminal();
    if args.words_file.is_none() && !is_seen {
        return Err(Failure::usage(
            "words are shown on a terminal only, where nothing keeps them: run this on one, or \
             add --words-file FILE",
        ));
    }
    let unlocked = open(global, &args.name)?;
    if !args.i_know {
        eprintln!(
            "Whoever sees or copies what {} is made of has its money, now and later.",
            args.name
        );
        confirm("Is nobody looking, and do you want it?").map_err(|failure| Failure {
            words: format!("{} (--i-know agrees without asking)", failure.words),
            ..failure
        })?;
    }
    let (what, text) = match unlocked.secret() {
        Secret::Words(words) => ("words", words.phrase()),
        Secret::Seed(seed) => ("seed", Zeroizing::new(hex::encode(seed.as_slice()))),
    };
    let Some(path) = &args.words_file else {
        let shown = format!("The {what} of {}:\n\n  {}", args.name, text.as_str());
        output.result(json!({}), Zeroizing::new(shown).as_str());
        return Ok(());
    };
    let line = Zeroizing::new(format!("{}\n", text.as_str()));
    secret_file::create_anywhere(path, &line)?;
    let shown = format!(
        "Wrote the {what} of {} to {}. It is not sealed: keep it off this machine, and delete \
         this copy.",
        args.name,
        path.display()
    );
    output.result(json!({ "name": args.name, "wrote": what, "file": path }), shown);
    Ok(())
}

/// Says whether a backup is this wallet's.
pub fn check_words(global: &Global, args: &CheckWords, output: &Output) -> Result<(), Failure> {
    let name = &args.name;
    let unlocked = open(global, name)?;
    let typed = typed_words(args.words_file.as_deref())?;
    same_words(&unlocked, &typed)?;
    let words = format!("These are the words of {name}: they bring all of it back.");
    output.result(json!({ "name": name, "matches": true }), words);
    Ok(())
}

/// Demands that a typed backup is the wallet's. Names the place of the first difference and
/// no word, right or wrong.
pub fn same_words(unlocked: &Unlocked, typed: &str) -> Result<(), Failure> {
    let wrong = |words: String| Err(Failure::new(FailureKind::Wallet, "wallet.words", words));
    let name = unlocked.name();
    let Secret::Words(words) = unlocked.secret() else {
        return wrong(format!(
            "{name} was made of a seed, not of words: ddt wallet export {name} writes the seed"
        ));
    };
    let Some(place) = words.first_difference(typed) else { return Ok(()) };
    let (count, wanted) = (typed.split_whitespace().count(), words.words().count());
    let mut sentence = match (count, place) {
        (0, _) => "there is no word".to_string(),
        (count, place) if place > count => {
            format!("the first {count} words are right, and {} are missing", wanted - count)
        }
        (count, place) if place > wanted => {
            format!("all {wanted} words are right, and {} follow that are not", count - wanted)
        }
        (_, place) => format!("word {place} is the first that is not the wallet's"),
    };
    if count != wanted && place <= wanted.min(count) {
        sentence.push_str(&format!("; these are {count} words, and the wallet has {wanted}"));
    }
    if Mnemonic::parse(typed).is_ok() {
        sentence.push_str("; they are another wallet's");
    }
    wrong(format!("these are not the words of {name}: {sentence}"))
}

/// Changes a wallet's password.
pub fn password(global: &Global, args: &Password, output: &Output) -> Result<(), Failure> {
    let name = &args.name;
    let keystore = wallets::keystore(global)?;
    let entry = wallets::choose(&keystore, Some(name))?;
    wallets::must_sign(&entry)?;
    let old = wallets::password(global, &format!("Present password of {name}"))?;
    // Before the new one is thought of: a wrong old one ends it.
    drop(keystore.unlock(name, &old).map_err(wallets::failure)?);
    let new = match &args.new_password_file {
        Some(path) => wallets::first_line(path)?,
        None => {
            let new = wallets::ask("New password", "--new-password-file FILE")?;
            wallets::ask_again(&new)?;
            new
        }
    };
    let entry =
        keystore.change_password(name, &old, &new, KdfCost::DEFAULT).map_err(wallets::failure)?;
    let words = format!(
        "The password of {name} is changed. Copies of its old file still open with the old one."
    );
    output.result(entry_json(&entry), words);
    Ok(())
}
