//! Keeping a username: another key, another year, no more.

use std::collections::BTreeMap;

use ddt_contracts::usernames::possession_digest;
use ddt_ledger::Address;
use ddt_ledger::schema::Value;
use ddt_wallet::username::{KEYS_MAX, NameKeys, Username};
use serde_json::{Value as Json, json};

use super::row::{Own, address_words, name_keys};
use crate::cli::moment;
use crate::cli::output::table;
use crate::failure::{Failure, FailureKind};

/// The name's keys, and what was asked for of its row.
fn find(own: &Own<'_>, name: &Username) -> Result<NameKeys, Failure> {
    name_keys(name, own.connection.chain())
}

/// `ddt username rotate`.
pub fn rotate(own: &Own<'_>, name: &Username, address: Option<Address>) -> Result<(), Failure> {
    let keys = find(own, name)?;
    let (row, place) = own.held(&keys)?;
    let next = place.saturating_add(1);
    if next >= KEYS_MAX {
        let words = "that username was handed on too often; release it and claim it anew";
        return Err(Failure::new(FailureKind::Refused, "usernames.places", words));
    }
    let address = own.address(address)?;
    let handle = own.handle(&keys, next, address)?;
    let new_key = handle.key.public();
    let account = own.account;
    let words = format!(
        "Seal the username anew for {account}, {}, under a fresh one-time key.",
        address_words(address)
    );
    own.output.agree(words, "Do it?")?;
    let possession = handle.key.sign(&possession_digest(&keys.row, &new_key));
    let values = BTreeMap::from([
        ("row".to_string(), Value::Hash(keys.row)),
        ("new_key".to_string(), Value::PublicKey(new_key)),
        ("possession".to_string(), Value::Bytes(possession.0.to_vec())),
        ("ciphertext".to_string(), Value::Bytes(handle.ciphertext.to_vec())),
    ]);
    let old = own.wallet.seed().username_key(&keys.row, place);
    let answer = own.send(&old, "usernames.rotate", values)?;
    let words =
        format!("Done: it names the account's present key and address. Was {}.", row.holder);
    own.output.result(json!({ "event": answer, "holder": new_key }), words);
    Ok(())
}

/// `ddt username renew`.
pub fn renew(own: &Own<'_>, name: &Username) -> Result<(), Failure> {
    let keys = find(own, name)?;
    let (row, place) = own.held(&keys)?;
    let until = moment::show_at(&row.json, "/until");
    own.output.agree(format!("Keep the username for a year beyond {until}."), "Do it?")?;
    let answer = act(own, &keys, place, "usernames.renew").map_err(|failure| {
        let from = moment::show_at(&row.json, "/renewable");
        match failure.code.as_str() {
            "usernames.renew_early" => {
                Failure { words: format!("it can be renewed from {from}"), ..failure }
            }
            _ => failure,
        }
    })?;
    let (row, _) = own.held(&keys)?;
    let words = format!("Yours until {}.", moment::show_at(&row.json, "/until"));
    own.output.result(json!({ "event": answer, "until": row.json.pointer("/until") }), words);
    Ok(())
}

/// `ddt username release`.
pub fn release(own: &Own<'_>, name: &Username) -> Result<(), Failure> {
    let keys = find(own, name)?;
    let (_, place) = own.held(&keys)?;
    own.output.agree("Give the username up: anybody may take it at once.", "Give it up?")?;
    let answer = act(own, &keys, place, "usernames.release")?;
    own.output.result(json!({ "event": answer }), "Given up.");
    Ok(())
}

/// An event that needs nothing but the row.
fn act(own: &Own<'_>, keys: &NameKeys, place: u32, event: &str) -> Result<Json, Failure> {
    let key = own.wallet.seed().username_key(&keys.row, place);
    own.send(&key, event, BTreeMap::from([("row".to_string(), Value::Hash(keys.row))]))
}

/// `ddt username status`.
pub fn status(own: &Own<'_>, name: &Username) -> Result<(), Failure> {
    let keys = find(own, name)?;
    let (row, place) = own.held(&keys)?;
    let times = ["from", "until", "renewable", "ends"];
    let mut rows: Vec<(String, String)> = times
        .map(|field| (field.to_string(), moment::show_at(&row.json, &format!("/{field}"))))
        .into();
    rows.insert(0, ("status".to_string(), row.status.clone()));
    rows.push(("handed on".to_string(), format!("{place} times")));
    let mut data = row.json.clone();
    if let Some(object) = data.as_object_mut() {
        object.insert("place".to_string(), Json::from(place));
    }
    own.output.result(data, format!("This wallet holds that username.\n{}", table(&rows)));
    Ok(())
}
