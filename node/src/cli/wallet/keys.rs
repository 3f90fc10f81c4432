//! An account's keys: which there were, which is current, and replacing it by the next.

use std::collections::BTreeMap;

use clap::Args;
use ddt_contracts::accounts::possession_digest;
use ddt_ledger::schema::Value;
use ddt_ledger::{AccountId, Millis, PublicKey};
use ddt_wallet::Unlocked;
use ddt_wallet::keys::path_text;
use serde_json::{Value as Json, json};

use super::current::{self, LedgerKey, current_key, derive};
use super::pages::{Pages, patiently};
use super::{Global, Output};
use crate::cli::connection::{Connection, text};
use crate::cli::moment;
use crate::cli::send::{Sender, Waiting, check_outcome, row};
use crate::cli::wallets;
use crate::failure::{Failure, FailureKind};

/// `ddt wallet keys`.
#[derive(Args)]
pub struct Keys {
    /// The account: NAME or NAME/1
    name: String,
}

/// `ddt wallet rotate`.
#[derive(Args)]
pub struct Rotate {
    /// The account: NAME or NAME/1
    name: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// One replacement of an account's owner key, as the ledger's history tells it.
pub struct Replacement {
    /// The key that was replaced.
    pub old: Option<PublicKey>,
    /// The key that took its place.
    pub new: Option<PublicKey>,
    /// The anchor.
    pub height: u64,
    /// Its time.
    pub time: Millis,
}

/// Every replacement of an account's owner key, oldest first. A node that no longer keeps an
/// old event's bytes knows when it was, not which keys.
pub fn replacements(
    connection: &Connection,
    account: &AccountId,
) -> Result<Vec<Replacement>, Failure> {
    let query = [("account", account.to_string()), ("name", "accounts.rotate_key".to_string())];
    let mut pages = Pages::new(connection, "/v1/events", &query);
    let mut found = Vec::new();
    while let Some(rows) = pages.next()? {
        for event in rows {
            let is = |pointer: &str, wanted: &str| text(&event, pointer).as_deref() == Some(wanted);
            if is("/author", &account.to_string()) && is("/outcome", "done") {
                found.push(replacement(connection, &event)?);
            }
        }
    }
    found.reverse();
    Ok(found)
}

fn replacement(connection: &Connection, event: &Json) -> Result<Replacement, Failure> {
    let strange = || Failure::fault("the node's answer about an event makes no sense");
    let id = text(event, "/id").ok_or_else(strange)?;
    let height = event.pointer("/height").and_then(Json::as_u64).ok_or_else(strange)?;
    let whole = patiently(connection, &format!("/v1/events/{id}"))?;
    let key = |pointer: &str| text(&whole, pointer).and_then(|key| PublicKey::from_hex(&key));
    let time = anchor_time(connection, height)?;
    Ok(Replacement { old: key("/key"), new: key("/fields/new_key"), height, time })
}

/// The time of an anchor.
pub fn anchor_time(connection: &Connection, height: u64) -> Result<Millis, Failure> {
    let anchor = patiently(connection, &format!("/v1/anchors/{height}"))?;
    let time = anchor.pointer("/time").and_then(Json::as_u64);
    time.map(Millis).ok_or_else(|| Failure::fault("the node names no time of an anchor"))
}

/// `ddt wallet rotate`.
pub fn rotate(global: &Global, args: &Rotate, output: &Output) -> Result<(), Failure> {
    let connection = Connection::open(global)?;
    let (wallet, account) = wallets::unlock(global, Some(&args.name))?;
    let ledger = LedgerKey::ask(&connection, &account)?;
    if !ledger.is_open {
        let words = format!(
            "{account} has not opened: its first payment opens it, and only then has it a key \
             to replace"
        );
        return Err(Failure::new(FailureKind::Refused, "event.account", words));
    }
    let present = current_key(global, &connection, &wallet, &account)?;
    let index = current::index_of(&wallet, &account)
        .ok_or_else(|| Failure::fault("the wallet does not hold that account"))?;
    let next = derive(&wallet, index, ledger.rotations.saturating_add(1))?;
    let (new_key, path) = (next.key.public(), next.path());
    output.tell(format!(
        "The next key stands at {path}: the wallet's words bring it back. The present one, at \
         {}, signs nothing afterwards; what it signed and nobody submitted becomes void.",
        present.path()
    ));
    let possession = next.key.sign(&possession_digest(&account, &new_key));
    let values = BTreeMap::from([
        ("new_key".to_string(), Value::PublicKey(new_key)),
        ("possession".to_string(), Value::Bytes(possession.0.to_vec())),
    ]);
    let sender = Sender { global, connection: &connection, wallet: &wallet, account, output };
    let mut answer = sender.send(row("accounts.rotate_key")?, values, args.waiting)?;
    check_outcome(&answer)?;
    if let Some(object) = answer.as_object_mut() {
        object.insert("new_key".to_string(), json!(new_key));
        object.insert("path".to_string(), json!(path));
        object.insert("rotations".to_string(), json!(next.rotation));
    }
    sender.finish(&answer, args.waiting)
}

/// A key and its time.
struct Line {
    rotation: usize,
    key: Option<PublicKey>,
    from: Option<Millis>,
    until: Option<Millis>,
    /// The anchor at which it became the owner key, if it is not the first.
    anchor: Option<u64>,
    path: Option<String>,
    is_current: bool,
}

/// `ddt wallet keys`.
pub fn show(global: &Global, args: &Keys, output: &Output) -> Result<(), Failure> {
    let keystore = wallets::keystore(global)?;
    let (name, index) = wallets::address(&args.name)?;
    let entry = wallets::choose(&keystore, Some(name))?;
    let account = wallets::nth_account(&entry, index)?;
    // Which path a key has, only the secret tells; a watched account shows the keys alone.
    let wallet = match entry.watch_only {
        true => None,
        false => Some(wallets::unlock(global, Some(&args.name))?.0),
    };
    let connection = Connection::open(global)?;
    let ledger = LedgerKey::ask(&connection, &account)?;
    let replaced = replacements(&connection, &account)?;
    let first = entry.keys.get(index).copied();
    let lines = lines(&account, &ledger, &replaced, first, wallet.as_ref());
    let data: Vec<Json> = lines.iter().map(line_json).collect();
    let mut words: Vec<String> = vec![format!("{} is {account}", args.name)];
    words.extend(lines.iter().map(line_words));
    if replaced.len() != usize::try_from(ledger.rotations).unwrap_or(usize::MAX) {
        words.push(format!(
            "The key was replaced {} times; this node knows {} of them.",
            ledger.rotations,
            replaced.len()
        ));
    }
    if entry.watch_only {
        words.push("Watched: no key of it is here, so it cannot sign.".to_string());
    }
    let data = json!({
        "name": args.name, "account": account, "watch_only": entry.watch_only,
        "rotations": ledger.rotations, "keys": data,
    });
    output.result(data, words.join("\n"));
    Ok(())
}

fn lines(
    account: &AccountId,
    ledger: &LedgerKey,
    replaced: &[Replacement],
    first: Option<PublicKey>,
    wallet: Option<&Unlocked>,
) -> Vec<Line> {
    let first = first.or_else(|| replaced.first().and_then(|change| change.old));
    let mut keys = vec![(first, None)];
    keys.extend(replaced.iter().map(|change| (change.new, Some(change))));
    let own = wallet.and_then(|wallet| Some((wallet, current::index_of(wallet, account)?)));
    let path = |rotation: usize, key: Option<PublicKey>| {
        let (wallet, index) = own?;
        let rotation = u32::try_from(rotation).ok()?;
        let found = wallet.seed().rotated_key(index, rotation).ok()?;
        (Some(found.public()) == key).then(|| path_text(index, rotation))
    };
    keys.iter()
        .enumerate()
        .map(|(rotation, (key, change))| Line {
            rotation,
            key: *key,
            from: change.map(|change| change.time),
            anchor: change.map(|change| change.height),
            until: replaced.get(rotation).map(|change| change.time),
            path: path(rotation, *key),
            is_current: key.is_some_and(|key| ledger.is(account, &key)),
        })
        .collect()
}

fn line_json(line: &Line) -> Json {
    json!({
        "rotation": line.rotation, "key": line.key, "path": line.path,
        "anchor": line.anchor, "from": line.from, "until": line.until,
        "is_current": line.is_current,
    })
}

fn line_words(line: &Line) -> String {
    let key = line.key.map_or("(known by its hash alone)".to_string(), |key| key.to_string());
    let time = |time: Option<Millis>, none: &str| time.map_or(none.to_string(), moment::text);
    let when = match line.is_current {
        true => format!("current, since {}", time(line.from, "the beginning")),
        false => format!(
            "old, from {} until {}",
            time(line.from, "the beginning"),
            time(line.until, "now")
        ),
    };
    let path = line.path.as_deref().unwrap_or("path unknown here");
    format!("  {}  {key}  {when}  {path}", line.rotation)
}
