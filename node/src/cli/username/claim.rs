//! Taking a username: commit, wait, claim. Everything comes from the wallet's words, the
//! name and the ledger, so an interrupted claim is gone on with by running it again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ddt_contracts::usernames::claim_hash;
use ddt_ledger::schema::{Bytes, Value};
use ddt_ledger::{Address, Hash};
use ddt_wallet::username::{Handle, NameKeys, Username};
use serde_json::{Value as Json, json};

use super::ADVICE;
use super::row::{Own, Shown, address_words, name_keys, shown};
use crate::cli::connection::text;
use crate::cli::moment;
use crate::cli::progress::Spinner;
use crate::failure::{Failure, FailureKind};

/// How long a commit is waited for.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const POLL: Duration = Duration::from_millis(500);

/// Takes a username for an account, or goes on with taking it. Answers what it found or did:
/// `{"account", "row", "holder", "from", "until", "was_held"}`.
///
/// # Errors
/// The name is another's; nobody agreed; the network is too slow.
pub fn claim(own: &Own<'_>, name: &Username, address: Option<Address>) -> Result<Json, Failure> {
    let keys = name_keys(name, own.connection.chain())?;
    if let Some(row) = shown(own.connection, &keys.row)? {
        own.place(&keys, &row).map_err(|_| taken())?;
        return Ok(answer(own, &keys, &row, true));
    }
    let address = own.address(address)?;
    let handle = own.handle(&keys, 0, address)?;
    let ciphertext = Bytes::new(handle.ciphertext)
        .ok_or_else(|| Failure::fault("the record is longer than a row"))?;
    let author = handle.key.account();
    let hash = claim_hash(&author, &keys.row, &ciphertext, &handle.salt);
    if is_committed(own, &handle, &hash)? {
        own.output.note("The commit stands; going on with the claim.");
    } else {
        let account = own.account;
        own.output.agree(
            format!(
                "Take this username for {account}, {}, for a year, without a fee.\n{ADVICE}",
                address_words(address)
            ),
            "Take it?",
        )?;
        let values = BTreeMap::from([("hash".to_string(), Value::Hash(hash))]);
        own.send(&handle.key, "usernames.commit", values)?;
    }
    own.output.note("Committed; the claim follows when the commit is old enough.");
    let claim = BTreeMap::from([
        ("row".to_string(), Value::Hash(keys.row)),
        ("ciphertext".to_string(), Value::Bytes(handle.ciphertext.to_vec())),
        ("salt".to_string(), Value::Hash(handle.salt)),
    ]);
    finish(own, &handle, &claim)?;
    let row = shown(own.connection, &keys.row)?;
    let row = row.filter(|row| row.holder == handle.key.public()).ok_or_else(taken)?;
    Ok(answer(own, &keys, &row, false))
}

fn taken() -> Failure {
    let words = "somebody has that username; choose another";
    Failure::new(FailureKind::Refused, "usernames.taken", words)
}

/// Whether the ledger holds this very commit.
fn is_committed(own: &Own<'_>, handle: &Handle, hash: &Hash) -> Result<bool, Failure> {
    let author = [("author", handle.key.account().to_string())];
    let commits = own.connection.view_all("usernames.commits", &author)?;
    let wanted = hash.to_string();
    Ok(commits.iter().any(|commit| text(commit, "/hash").as_deref() == Some(wanted.as_str())))
}

/// Claims as soon as the commit is old enough. A stamp that grew old meanwhile is made anew.
fn finish(own: &Own<'_>, handle: &Handle, claim: &BTreeMap<String, Value>) -> Result<(), Failure> {
    let start = Instant::now();
    let mut bytes = own.signed(&handle.key, "usernames.claim", claim.clone())?;
    while start.elapsed() < PATIENCE {
        let Some(refusal) = own.forecast(&bytes)? else {
            return own.submit(&bytes).map(drop);
        };
        match refusal.code.as_str() {
            "usernames.too_early" => {
                let _spinner = Spinner::new("waiting until the commit is old enough");
                std::thread::sleep(POLL);
            }
            "event.stamp_old" => {
                bytes = own.signed(&handle.key, "usernames.claim", claim.clone())?;
            }
            _ => return Err(refusal),
        }
    }
    let words = "the network makes no anchors; run the same command again later";
    Err(Failure::new(FailureKind::Fault, "timeout", words))
}

fn answer(own: &Own<'_>, keys: &NameKeys, row: &Shown, was_held: bool) -> Json {
    // A row that was there may stand for another account of the same wallet.
    let record = keys.open(own.connection.chain(), &row.ciphertext);
    let account = record.map_or(own.account, |record| record.account);
    json!({
        "account": account,
        "row": keys.row,
        "holder": row.holder,
        "status": row.status,
        "from": row.json.pointer("/from"),
        "until": row.json.pointer("/until"),
        "was_held": was_held,
    })
}

/// [`claim`]'s answer for people.
pub fn words(claimed: &Json) -> String {
    let verdict = match claimed.pointer("/was_held") {
        Some(Json::Bool(true)) => "This wallet holds that username already",
        _ => "The username is yours",
    };
    format!("{verdict}, until {}.", moment::show_at(claimed, "/until"))
}
