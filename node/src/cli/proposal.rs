//! An event between what somebody wants and what the ledger made of it: its bytes, their
//! words, its fee, its submission. Asks nobody and prints nothing.

use std::collections::BTreeMap;

use ddt_api::Stage;
use ddt_contracts::REGISTRY;
use ddt_ledger::codec::encode;
use ddt_ledger::event::{Draft, Signed};
use ddt_ledger::registry::{Row, Signer};
use ddt_ledger::schema::Value;
use ddt_ledger::{AccountId, Amount, Hash};
use ddt_wallet::OwnerKey;
use ddt_wallet::describe::{Description, describe};
use ddt_wallet::sign::{Occasion, draft};
use serde_json::Value as Json;

use super::connection::{Connection, text};
use crate::failure::{Failure, FailureKind};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Whether a wallet may sign this event.
pub fn is_for_wallets(row: &Row) -> bool {
    matches!(row.signer, Signer::Owner | Signer::Anyone)
}

/// An event before its signature.
pub struct Proposal {
    /// What will be signed.
    pub draft: Draft,
    /// What those bytes say.
    pub description: Description,
    /// What it costs.
    pub fee: Amount,
}

/// Makes the event that `author` would sign with this key; signs nothing.
pub fn propose(
    connection: &Connection,
    row: &'static Row,
    values: &BTreeMap<String, Value>,
    (author, key): (AccountId, &OwnerKey),
    nonce: u64,
) -> Result<Proposal, Failure> {
    if !is_for_wallets(row) {
        return Err(Failure::usage(format!("{} is signed by a node, not a wallet", row.name)));
    }
    let occasion = Occasion::owner(connection.chain(), author, key.public(), nonce);
    let draft = draft(row, values, occasion)?;
    let description = describe(&draft, &REGISTRY)?;
    let fee = match (row.stamp)(draft.body.as_slice()) {
        Some(_) => Amount::ZERO,
        None => connection.fee(encode(&draft).len() + SIGNATURE_BYTES)?,
    };
    Ok(Proposal { draft, description, fee })
}

/// The refusal that a forecast expects, if it does.
pub fn expected_refusal(forecast: &Json) -> Option<Failure> {
    let code = text(forecast, "/refusal/code")?;
    let words = text(forecast, "/refusal/words").unwrap_or_default();
    Some(Failure::new(FailureKind::Refused, &code, words))
}

/// Submits a signed event and waits for a stage. A lost answer names the event, which may have
/// been taken all the same.
pub fn submit(connection: &Connection, signed: &Signed, stage: Stage) -> Result<Json, Failure> {
    let submitted = connection.submit(&encode(signed), stage);
    submitted.map_err(|failure| perhaps_taken(failure, &signed.id()))
}

/// An answer that was lost says nothing about the event: it must not be paid twice.
pub fn perhaps_taken(mut failure: Failure, event: &Hash) -> Failure {
    if matches!(failure.kind, FailureKind::Unreachable | FailureKind::Fault) {
        failure.words.push_str(&format!(
            " The event {event} may have been taken all the same: look with ddt ledger event \
             {event} before you send anything again."
        ));
    }
    failure
}
