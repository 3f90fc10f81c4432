//! Accounts.

use axum::extract::{Path, State};
use axum::response::Response;
use ddt_ledger::AccountId;
use ddt_ledger::accounts::{Account, Duty};
use ddt_ledger::schema::Choice;
use ddt_ledger::table::Rows;
use serde_json::{Value as Json, json};

use super::{ok, path_part};
use crate::error::Problem;
use crate::paging::Params;
use crate::reading::{App, Reading, to_json};

/// Most node keys shown with an account.
const NODE_KEYS_MAX: usize = 100;

fn node_key((key, duty): &(ddt_ledger::PublicKey, Duty)) -> Json {
    json!({
        "key": key,
        "role": ddt_ledger::event::Role::WORDS.get(duty.role as usize),
        "allowance": duty.allowance,
        "nonce_highest": duty.nonces.highest(),
        "is_revoked": duty.is_revoked,
    })
}

fn row(rows: &dyn Rows, id: &AccountId, anchor: u64) -> Json {
    let account = Account::read(rows, id);
    let duties = Duty::of_account(rows, id, None, NODE_KEYS_MAX);
    let known = account.as_ref();
    json!({
        "anchor": anchor,
        "account": id,
        "is_open": known.is_some(),
        "balance": known.map(|account| account.balance).unwrap_or_default(),
        // While the first key is current only its hash is known: the id.
        "key": known.and_then(|account| account.key),
        "rotations": known.map_or(0, |account| account.rotations),
        "opened": known.map(|account| account.opened),
        "nonce_highest": known.map_or(0, |account| account.nonces.highest()),
        "node_keys": duties.iter().map(node_key).collect::<Vec<_>>(),
    })
}

/// What an account has. Any well-formed id is an account; it opens with its first payment.
/// With `proof` the answer is as of the last certified anchor.
pub(crate) fn account(reading: &Reading, id: AccountId, proof: bool) -> Result<Json, Problem> {
    if !proof {
        return Ok(row(&reading.snapshot, &id, reading.head.height));
    }
    let proven = reading.prove(&Account::full_key(&id))?;
    let (mut json, proof) = match &proven {
        None => (row(&reading.snapshot, &id, reading.head.height), Json::Null),
        Some(proven) => {
            let rows = proven.certified.rows();
            let json = row(&rows, &id, proven.certified.height);
            if let Some(fault) = rows.fault() {
                return Err(fault.into());
            }
            (json, to_json(&proven.proof)?)
        }
    };
    if let Some(object) = json.as_object_mut() {
        object.insert("proof".to_string(), proof);
    }
    Ok(json)
}

pub(super) async fn account_shown(
    State(app): State<App>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&["proof"])?;
    let id = path_part("account", &id, "An account id, apt1…,")?;
    let proof = params.flag("proof")?;
    // A proof waits for the commit under way, a row does not.
    match proof {
        true => app.read(move |reading| account(reading, id, true)).await.map(ok),
        false => app.look_up(|reading| account(reading, id, false)).map(ok),
    }
}
