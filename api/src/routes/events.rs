//! Events: lists newest first, and one with all that is known of it.

use axum::extract::{Path, State};
use axum::response::Response;
use ddt_ledger::codec::encode;
use ddt_ledger::receipt::{Receipt, Subject};
use ddt_ledger::{AccountId, Hash, Zone};
use serde_json::{Map, Value as Json, json};

use super::receipts::{content, event_bytes, receipt_proof, receipt_row};
use super::{ok, path_part};
use crate::backend::Submitted;
use crate::error::Problem;
use crate::paging::{Listing, Params, cursor_text, place_bytes};
use crate::reading::{App, Reading, to_json};

/// A page looks at no more receipts than this; with a filter it may hold fewer rows than
/// asked for, and go on at its cursor.
const SCAN_MAX: usize = 10_000;
const SCAN_STEP: usize = 500;

/// Which receipts a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    zone: Option<Zone>,
    tag: Option<u16>,
    account: Option<AccountId>,
    subject: Option<String>,
}

impl Filter {
    fn read(app: &App, params: &Params) -> Result<Filter, Problem> {
        let mut tag = params.parsed::<u16>("tag", "An event's tag is")?;
        if let Some(name) = params.get("name") {
            let row = app.backend.book().registry().row_named(name);
            let row = row.ok_or_else(|| {
                Problem::parameter("name", "There is no such event; /v1/registry lists them.")
            })?;
            if tag.is_some_and(|tag| tag != row.tag) {
                return Err(Problem::parameter("name", "The tag is another event's."));
            }
            tag = Some(row.tag);
        }
        let subject = params.get("subject").unwrap_or("event");
        if !["event", "deadline", "fees", "all"].contains(&subject) {
            let words = "One of event, deadline, fees and all is wanted.";
            return Err(Problem::parameter("subject", words));
        }
        Ok(Filter {
            zone: params.parsed::<u32>("zone", "A zone's number is")?.map(Zone),
            tag,
            account: params.parsed("account", "An account id, apt1…, is")?,
            subject: Some(subject.to_string()).filter(|subject| subject != "all"),
        })
    }

    fn takes(&self, receipt: &Receipt) -> bool {
        let (subject, tag, zone) = match &receipt.subject {
            Subject::Event(place) => ("event", Some(place.tag), Some(place.zone)),
            Subject::Deadline { tag, .. } => ("deadline", Some(*tag), None),
            Subject::Fees { zone } => ("fees", None, Some(*zone)),
        };
        self.subject.as_ref().is_none_or(|wanted| wanted == subject)
            && (self.tag.is_none() || self.tag == tag)
            && (self.zone.is_none() || self.zone == zone)
    }
}

type Place = ddt_ledger::store::Place;

fn receipts_before(
    reading: &Reading,
    account: Option<&AccountId>,
    before: Option<Place>,
    limit: usize,
) -> Result<Vec<Receipt>, Problem> {
    let Some(account) = account else {
        return Ok(reading.snapshot.receipts_before(before, limit)?);
    };
    let places = reading.snapshot.history(account, before, limit)?;
    let receipt = |place| {
        let found = reading.snapshot.receipt(place)?;
        found.ok_or_else(|| Problem::fault("a receipt of an account's history is missing"))
    };
    places.into_iter().map(receipt).collect()
}

/// Receipts below `before` that the filter takes, newest first.
pub(crate) fn list(
    reading: &Reading,
    filter: &Filter,
    mut before: Option<Place>,
    limit: usize,
) -> Result<Listing, Problem> {
    let (registry, head) = (reading.registry(), reading.head.height);
    let (mut rows, mut seen, mut is_done) = (Vec::new(), 0usize, false);
    while !is_done && rows.len() < limit && seen < SCAN_MAX {
        let page = receipts_before(reading, filter.account.as_ref(), before, SCAN_STEP)?;
        is_done = page.len() < SCAN_STEP;
        for (at, receipt) in page.iter().enumerate() {
            seen = seen.saturating_add(1);
            before = Some((receipt.height, receipt.index));
            if filter.takes(receipt) {
                rows.push(receipt_row(registry, head, receipt));
            }
            if rows.len() >= limit {
                is_done &= at.saturating_add(1) == page.len();
                break;
            }
        }
    }
    let next = before.filter(|_| !is_done).map(|place| cursor_text('e', &place_bytes(place)));
    Ok(Listing { anchor: head, rows, next, proof: None })
}

pub(super) async fn listed(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&["zone", "tag", "name", "account", "subject", "limit", "cursor"])?;
    let filter = Filter::read(&app, &params)?;
    let (before, limit) = (params.place('e')?, params.limit()?);
    let listing = app.read(move |reading| list(reading, &filter, before, limit)).await?;
    Ok(listing.answer(&params))
}

/// Everything that touched an account, newest first.
pub(crate) fn of_account(
    reading: &Reading,
    account: AccountId,
    before: Option<Place>,
    limit: usize,
) -> Result<Listing, Problem> {
    let filter = Filter { account: Some(account), ..Filter::default() };
    list(reading, &filter, before, limit)
}

pub(super) async fn of_account_listed(
    State(app): State<App>,
    Path(account): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&["limit", "cursor"])?;
    let account: AccountId = path_part("account", &account, "An account id, apt1…,")?;
    let (before, limit) = (params.place('e')?, params.limit()?);
    let listing = app.read(move |reading| of_account(reading, account, before, limit)).await?;
    Ok(listing.answer(&params))
}

/// How an event is named: by id, or by `zone:number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventName {
    Id(Hash),
    Number(Zone, u64),
}

impl std::str::FromStr for EventName {
    type Err = ();

    fn from_str(text: &str) -> Result<EventName, ()> {
        if let Some(id) = Hash::from_hex(text) {
            return Ok(EventName::Id(id));
        }
        let (zone, number) = text.split_once(':').ok_or(())?;
        let zone = zone.parse().map_err(|_| ())?;
        Ok(EventName::Number(Zone(zone), number.parse().map_err(|_| ())?))
    }
}

fn no_event(reading: &Reading) -> Problem {
    let lowest = reading.book().lowest();
    let words = "This node knows no such event. It may not have been sequenced yet";
    Problem::not_found(match lowest {
        0 | 1 => format!("{words}."),
        _ => format!(
            "{words}, or before anchor {lowest} (lowest): this node keeps no \
             earlier history. Ask a node with all history."
        ),
    })
}

/// An event with its fields, its receipt and, asked for, what proves it.
pub(crate) fn event(reading: &Reading, name: EventName, proof: bool) -> Result<Json, Problem> {
    let id = match name {
        EventName::Id(id) => id,
        EventName::Number(zone, number) => {
            reading.snapshot.event_numbered(zone, number)?.ok_or_else(|| no_event(reading))?
        }
    };
    let Some(place) = reading.snapshot.event_place(&id)? else {
        let pending = reading.backend.pending(&id).ok_or_else(|| no_event(reading))?;
        return pending_event(reading, &pending, proof);
    };
    let receipt = reading.snapshot.receipt(place)?;
    let receipt = receipt.ok_or_else(|| Problem::fault("an event's receipt is missing"))?;
    let mut json = receipt_row(reading.registry(), reading.head.height, &receipt);
    let Some(object) = json.as_object_mut() else { return Ok(json) };
    object.insert("anchor".to_string(), reading.head.height.into());
    object.insert("soft_receipt".to_string(), Json::Null);
    if let Subject::Event(place) = &receipt.subject {
        object.insert("term".to_string(), place.term.into());
        object.insert("block".to_string(), place.block.into());
        object.insert("place".to_string(), place.place.into());
        match event_bytes(reading, place)? {
            Some(bytes) => object.extend(content(reading.registry(), &bytes)?),
            None => object.extend(no_content()),
        }
    }
    if proof {
        object.insert("proof".to_string(), to_json(&receipt_proof(reading, &receipt)?)?);
    }
    Ok(json)
}

fn no_content() -> Map<String, Json> {
    let names = ["fields", "words", "key", "role", "nonce", "valid_until", "signature", "bytes"];
    names.into_iter().map(|name| (name.to_string(), Json::Null)).collect()
}

fn pending_event(reading: &Reading, pending: &Submitted, proof: bool) -> Result<Json, Problem> {
    let soft = pending.soft_receipt.as_ref().map(|(soft, _)| soft);
    let json = json!({
        "anchor": reading.head.height,
        "height": null, "index": null, "stage": pending.stage,
        "subject": "event", "name": null, "tag": null,
        "id": pending.event, "author": null,
        "zone": soft.map(|soft| soft.zone), "number": soft.map(|soft| soft.number),
        "outcome": null, "refusal": null, "fee": null, "postings": [],
        "term": soft.map(|soft| soft.term), "block": soft.map(|soft| soft.height),
        "place": null,
        "soft_receipt": soft_receipt(pending)?,
    });
    let Json::Object(mut object) = json else { return Ok(json) };
    object.extend(no_content());
    if proof {
        object.insert("proof".to_string(), Json::Null);
    }
    Ok(Json::Object(object))
}

/// The router's promise, its canonical bytes and its signature.
pub(crate) fn soft_receipt(submitted: &Submitted) -> Result<Json, Problem> {
    let Some((soft, signature)) = &submitted.soft_receipt else { return Ok(Json::Null) };
    let mut json = to_json(soft)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("bytes".to_string(), hex::encode(encode(soft)).into());
        object.insert("signature".to_string(), to_json(signature)?);
    }
    Ok(json)
}

pub(super) async fn shown(
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&["proof"])?;
    let name = path_part("event", &name, "An event's id, or zone:number,")?;
    let proof = params.flag("proof")?;
    match proof {
        true => app.read(move |reading| event(reading, name, true)).await.map(ok),
        false => app.look_up(|reading| event(reading, name, false)).map(ok),
    }
}
