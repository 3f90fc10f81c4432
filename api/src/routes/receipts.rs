//! Receipts and the events behind them, as JSON.

use std::sync::Mutex;

use ddt_ledger::book::{Party, Posting};
use ddt_ledger::codec::encode;
use ddt_ledger::event::Signed;
use ddt_ledger::merkle::ListTree;
use ddt_ledger::proof::{Claim, Hex, Proof};
use ddt_ledger::receipt::{EventPlace, Outcome, Receipt, Subject};
use ddt_ledger::registry::{Registry, ledger_refusals};
use ddt_ledger::schema::{Choice, Value, fill_words};
use serde_json::{Map, Value as Json, json};

use crate::backend::Stage;
use crate::error::Problem;
use crate::reading::Reading;

fn party(party: &Party) -> Json {
    match party {
        Party::Account(account) => json!({"kind": "account", "account": account}),
        Party::Hold { programme, key } => {
            json!({"kind": "hold", "programme": programme, "key": key})
        }
        Party::Allowance { account, key } => {
            json!({"kind": "allowance", "account": account, "node_key": key})
        }
        Party::Fees(zone) => json!({"kind": "fees", "zone": zone}),
        Party::Pool => json!({"kind": "pool"}),
        Party::Minted => json!({"kind": "minted"}),
        Party::Burned => json!({"kind": "burned"}),
        Party::Genesis => json!({"kind": "genesis"}),
    }
}

fn posting(posting: &Posting) -> Json {
    json!({
        "from": party(&posting.from),
        "to": party(&posting.to),
        "amount": posting.amount,
        "reason": posting.reason,
    })
}

/// The sentence of a refusal's code.
fn refusal_words(registry: &Registry, code: &str) -> &'static str {
    let declared = registry.rows().flat_map(|row| row.refusals.iter().copied());
    let found = declared.chain(ledger_refusals()).find(|refusal| refusal.code == code);
    found.map_or("", |refusal| refusal.words)
}

fn outcome(registry: &Registry, outcome: &Outcome) -> (&'static str, Json) {
    let (word, code) = match outcome {
        Outcome::Done => return ("done", Json::Null),
        Outcome::Refused(code) => ("refused", code),
        Outcome::Void(code) => ("void", code),
        Outcome::Bug(code) => ("bug", code),
    };
    (word, json!({"code": code, "words": refusal_words(registry, code)}))
}

/// How far a receipt of anchor `height` is, seen from anchor `head`.
pub(crate) fn stage(height: u64, head: u64) -> Stage {
    if height < head { Stage::Proven } else { Stage::Final }
}

/// A receipt as a row of lists; every row has the same fields.
pub(crate) fn receipt_row(registry: &Registry, head: u64, receipt: &Receipt) -> Json {
    let (outcome, refusal) = outcome(registry, &receipt.outcome);
    let place = match &receipt.subject {
        Subject::Event(place) => Some(place),
        _ => None,
    };
    let (subject, tag, name, zone) = match &receipt.subject {
        Subject::Event(place) => {
            let name = registry.row(place.tag).map(|row| row.name);
            ("event", Some(place.tag), name, Some(place.zone))
        }
        Subject::Deadline { tag, .. } => {
            ("deadline", Some(*tag), registry.deadline(*tag).map(|(_, row)| row.name), None)
        }
        Subject::Fees { zone } => ("fees", None, None, Some(*zone)),
    };
    json!({
        "height": receipt.height,
        "index": receipt.index,
        "stage": stage(receipt.height, head),
        "subject": subject,
        "name": name,
        "tag": tag,
        "id": place.map(|place| place.id),
        "author": place.map(|place| place.author),
        "zone": zone,
        "number": place.map(|place| place.number),
        "outcome": outcome,
        "refusal": refusal,
        "fee": receipt.fee,
        "postings": receipt.postings.iter().map(posting).collect::<Vec<_>>(),
    })
}

/// What stands in an event's own bytes.
pub(crate) fn content(registry: &Registry, bytes: &[u8]) -> Result<Map<String, Json>, Problem> {
    let signed = Signed::decode(bytes).map_err(Problem::fault)?;
    let draft = &signed.draft;
    let role = ddt_ledger::event::Role::WORDS.get(draft.role as usize).copied();
    let row = registry.row(draft.tag);
    let fields = row.and_then(|row| (row.show)(draft.body.as_slice()).ok());
    let words = row.zip(fields.as_ref()).map(|(row, fields)| fill_words(row.words, fields));
    let json = json!({
        "fields": fields.map(|fields| Value::Group(fields).to_json()),
        "words": words,
        "key": draft.key,
        "role": role,
        "nonce": draft.nonce,
        "valid_until": draft.valid_until,
        "signature": signed.signature,
        "bytes": hex::encode(bytes),
    });
    match json {
        Json::Object(object) => Ok(object),
        _ => Ok(Map::new()),
    }
}

/// An anchored event's bytes, while its lane block is kept here.
pub(crate) fn event_bytes(
    reading: &Reading,
    place: &EventPlace,
) -> Result<Option<Vec<u8>>, Problem> {
    let block = (place.zone, place.term, place.block);
    Ok(reading.backend.lanes().event(block, place.place, &place.id)?)
}

/// What proves a receipt, once the anchor after its own names its root.
pub(crate) fn receipt_proof(
    reading: &Reading,
    receipt: &Receipt,
) -> Result<Option<Proof>, Problem> {
    if receipt.height >= reading.head.height {
        return Ok(None);
    }
    // An anchor's receipts may be tens of megabytes: one request at a time reads them all.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|error| error.into_inner());
    let all = reading.snapshot.receipts(receipt.height, 0, usize::MAX)?;
    let path = ListTree::new(all.iter().map(encode)).prove(u64::from(receipt.index));
    let path = path.ok_or_else(|| Problem::fault("a receipt is not among its anchor's"))?;
    let claim = Claim::Receipt { receipt: Hex(encode(receipt)), path };
    reading.proof(&reading.snapshot, receipt.height, claim).map(Some)
}
