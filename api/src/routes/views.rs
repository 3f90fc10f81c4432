//! The registry's views and events.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use ddt_ledger::admit::context_at;
use ddt_ledger::registry::Programme;
use ddt_ledger::schema::{FieldError, FieldInfo, REFUSALS, Value};
use ddt_ledger::system::Head;
use ddt_ledger::table::Rows;
use ddt_ledger::view::{NOT_FOUND, Page, ViewRow};
use serde_json::{Value as Json, json};

use super::ok;
use crate::error::Problem;
use crate::openapi::kind_schema;
use crate::paging::{Listing, Params, cursor_text};
use crate::reading::{App, Reading, to_json};

/// The parameters that every view takes beside its query.
const OWN: [&str; 3] = ["limit", "cursor", "proof"];

type Values = BTreeMap<String, Value>;

fn fields_json(fields: &[FieldInfo]) -> Json {
    let field = |field: &FieldInfo| {
        let (name, doc) = (field.name, field.doc.trim());
        json!({"name": name, "doc": doc, "schema": kind_schema(&field.kind)})
    };
    fields.iter().map(field).collect()
}

pub(super) async fn listed(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&[])?;
    let view = |view: &ViewRow| {
        json!({
            "name": view.name,
            "doc": view.doc,
            "path": view_path(view.name),
            "query": fields_json(view.query),
            "row": fields_json(view.row),
        })
    };
    let rows: Vec<Json> = app.backend.book().registry().views().map(view).collect();
    Ok(ok(json!({"rows": rows})))
}

pub(super) async fn registry(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    params.only(&[])?;
    let registry = app.backend.book().registry();
    let events = registry.rows().map(|row| {
        let refusal =
            |refusal: &ddt_ledger::Refusal| json!({"code": refusal.code, "words": refusal.words});
        json!({
            "tag": row.tag,
            "name": row.name,
            "signer": format!("{:?}", row.signer).to_lowercase(),
            "words": row.words,
            "work": row.work,
            "fields": fields_json(row.fields),
            "refusals": row.refusals.iter().map(refusal).collect::<Vec<_>>(),
        })
    });
    let events: Vec<Json> = events.collect();
    let programme = |programme: &&'static Programme| {
        let Programme { id, name, purpose, .. } = programme;
        json!({"id": id, "name": name, "purpose": purpose})
    };
    let programmes: Vec<Json> = registry.programmes.iter().map(programme).collect();
    Ok(ok(json!({"programmes": programmes, "rows": events})))
}

/// Where a view answers.
pub(crate) fn view_path(name: &str) -> String {
    format!("/v1/views/{}", name.replacen('.', "/", 1))
}

fn no_view(name: &str) -> Problem {
    Problem::not_found(format!("This network has no view {name}; /v1/views lists those it has."))
}

/// The query's values. `Value::parse` knows what each text should be.
fn values<'p>(
    view: &ViewRow,
    given: impl Iterator<Item = (&'p str, &'p str)>,
) -> Result<Values, Problem> {
    let mut values = Values::new();
    for (name, text) in given {
        let Some(field) = view.query.iter().find(|field| field.name == name) else {
            let unknown = REFUSALS.iter().find(|refusal| refusal.code == "field.unknown");
            let words = unknown.map_or("There is no such parameter.", |refusal| refusal.words);
            return Err(Problem::parameter(name, words));
        };
        let value = Value::parse(&field.kind, text).map_err(|error| error.inside(name))?;
        values.insert(name.to_string(), value);
    }
    Ok(values)
}

fn run(
    view: &ViewRow,
    values: &Values,
    rows: &dyn Rows,
    anchor: u64,
    page: &Page,
) -> Result<Listing, FieldError> {
    let head = Head::read(rows).ok_or(NOT_FOUND)?;
    let found = (view.run)(values, &context_at(rows, &head), rows, page)?;
    let next = found.next.map(|bytes| cursor_text('v', &bytes));
    let rows = found.rows.into_iter().map(|fields| Value::Group(fields).to_json()).collect();
    Ok(Listing { anchor, rows, next, proof: None })
}

/// A view's rows; with `proof`, as of the last certified anchor, with what proves the row
/// they come from, or that there is none.
pub(crate) fn view<'p>(
    reading: &Reading,
    name: &str,
    given: impl Iterator<Item = (&'p str, &'p str)>,
    page: &Page,
    proof: bool,
) -> Result<Listing, Problem> {
    let view = reading.registry().view(name).ok_or_else(|| no_view(name))?;
    let values = values(view, given)?;
    let head = reading.head.height;
    if !proof {
        return run(view, &values, &reading.snapshot, head, page).map_err(Problem::from);
    }
    let Some(key) = (view.proof_key)(&values)? else {
        let words = "This view's answer comes from more than one row and has no proof.";
        return Err(Problem::parameter("proof", words));
    };
    let Some(proven) = reading.prove(&key)? else {
        let listing = run(view, &values, &reading.snapshot, head, page)?;
        return Ok(Listing { proof: Some(Json::Null), ..listing });
    };
    let anchor = proven.certified.height;
    let rows = proven.certified.rows();
    let found = run(view, &values, &rows, anchor, page);
    if let Some(fault) = rows.fault() {
        return Err(fault.into());
    }
    let listing = match found {
        // The proof then says that there is no such row.
        Err(error) if error.refusal == NOT_FOUND => {
            Listing { anchor, rows: Vec::new(), next: None, proof: None }
        }
        found => found?,
    };
    Ok(Listing { proof: Some(to_json(&proven.proof)?), ..listing })
}

async fn answer(
    app: App,
    name: String,
    params: Params,
    fixed: Option<(&'static str, String)>,
) -> Result<Response, Problem> {
    let page = Page { limit: params.limit()?, after: params.cursor('v')? };
    let proof = params.flag("proof")?;
    let mut given: Vec<(String, String)> = params
        .all()
        .filter(|(name, _)| !OWN.contains(name))
        .map(|(name, text)| (name.to_string(), text.to_string()))
        .collect();
    given.extend(fixed.map(|(name, text)| (name.to_string(), text)));
    let listing = app.read(move |reading| {
        let given = given.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        view(reading, &name, given, &page, proof)
    });
    Ok(listing.await?.answer(&params))
}

pub(super) async fn shown(
    State(app): State<App>,
    Path((programme, name)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    answer(app, format!("{programme}.{name}"), params, None).await
}

pub(super) async fn domains(State(app): State<App>, params: Params) -> Result<Response, Problem> {
    answer(app, "domains.of_owner".to_string(), params, None).await
}

pub(super) async fn domain(
    State(app): State<App>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    params.only(&["proof"])?;
    let name = name.strip_suffix(".ddt").unwrap_or(&name).to_string();
    answer(app, "domains.record".to_string(), params, Some(("name", name))).await
}
