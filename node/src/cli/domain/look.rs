//! Looking: whether a name is free, whose it is, and which an account has.

use std::path::Path;

use ddt_contracts::domains::DomainName;
use serde_json::{Value as Json, json};

use super::super::connection::{Connection, text, view_path};
use super::super::output::{Output, table};
use super::super::{Global, ledger, wallets};
use super::{Desk, amount_at, domain_name, not_owned, term};
use crate::cli::moment;
use crate::failure::Failure;

/// What a name costs for a term, and whether it is free.
pub fn price_of(connection: &Connection, name: &DomainName, years: u8) -> Result<Json, Failure> {
    let query = [("name", name.to_string()), ("years", years.to_string())];
    let row = connection.view_one("domains.price", &query)?;
    row.ok_or_else(|| Failure::fault("the node names no price"))
}

/// A price in words: with the premium, where there is one.
pub fn price_words(quote: &Json) -> Result<String, Failure> {
    let (total, premium) = (amount_at(quote, "/total")?, amount_at(quote, "/premium")?);
    Ok(match premium.is_zero() {
        true => format!("{total} APT"),
        false => format!(
            "{total} APT, of which {premium} APT are a premium that falls to nothing with time"
        ),
    })
}

/// An offer in words.
pub fn offer_words(offer: &Json) -> String {
    let get = |pointer: &str| text(offer, pointer).unwrap_or_default();
    let to = text(offer, "/to").map(|to| format!(" to {to} alone")).unwrap_or_default();
    match get("/price").as_str() {
        "0" => format!("given by {}{to}", get("/seller")),
        price => format!("for sale at {price} APT{to}"),
    }
}

/// `ddt domain search`.
pub fn search(global: &Global, name: &str, years: u8, output: &Output) -> Result<(), Failure> {
    let desk = Desk::open(global, name, output)?;
    let (connection, name) = (&desk.connection, &desk.name);
    let quote = desk.quote(years)?;
    let alike = connection.view("domains.search", &[("prefix", name.to_string())])?;
    let is_free = quote.pointer("/is_free") == Some(&Json::Bool(true));
    let offer = if is_free { None } else { desk.view("domains.offer")? };
    let mut words = match (&offer, is_free) {
        (_, true) => format!("{name}.ddt is free: {} for {}", price_words(&quote)?, term(years)),
        (None, false) => format!("{name}.ddt is taken"),
        (Some(offer), false) => format!("{name}.ddt is taken; it is {}", offer_words(offer)),
    };
    for row in &alike {
        let other = text(row, "/record/name").unwrap_or_default();
        let status = text(row, "/record/status").unwrap_or_default();
        words.push_str(&format!("\n  {other}.ddt is {status}"));
    }
    let data =
        json!({ "name": name.to_string(), "quote": quote, "offer": offer, "registered": alike });
    output.result(data, words);
    Ok(())
}

/// Writes what proves a view's row, or that there is none.
pub fn write_proof(
    connection: &Connection,
    view: &str,
    name: &DomainName,
    path: &Path,
) -> Result<(), Failure> {
    let query = [("name", name.to_string()), ("proof", "1".to_string())];
    let answer = connection.get(&view_path(view, &query))?;
    ledger::write_proof(path, &answer).map(drop)
}

/// `ddt domain resolve`.
pub fn resolve(
    global: &Global,
    name: &str,
    proof: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let name = domain_name(name)?;
    let connection = Connection::open(global)?;
    if let Some(path) = proof {
        write_proof(&connection, "domains.record", &name, path)?;
    }
    let record = connection.view_one("domains.record", &[("name", name.to_string())])?;
    let record = record.ok_or_else(|| not_owned(&name))?;
    output.result(record.clone(), record_words(&record));
    Ok(())
}

/// A name's record in words.
pub fn record_words(record: &Json) -> String {
    let get = |pointer: &str| text(record, pointer).unwrap_or_default();
    let date = |pointer: &str| moment::show_at(record, pointer);
    let rows = [
        ("owner", get("/owner")),
        ("status", get("/status")),
        ("price", format!("{} APT", get("/price"))),
        ("from", date("/from")),
        ("until", date("/until")),
    ];
    let rows = rows.map(|(name, value)| (name.to_string(), value));
    format!("{}.ddt\n{}", get("/name"), table(&rows))
}

/// `ddt domain list`.
pub fn list(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let owners = wallets::accounts(global, account)?;
    let connection = Connection::open(global)?;
    let (mut names, mut waiting, mut words) = (Vec::new(), Vec::new(), String::new());
    for (name, owner) in owners {
        let owner = [("owner", owner.to_string())];
        for row in connection.view_all("domains.of_owner", &owner)? {
            let get = |pointer: &str| text(&row, pointer).unwrap_or_default();
            let (domain, status) = (get("/record/name"), get("/record/status"));
            let until = moment::show_at(&row, "/record/until");
            words.push_str(&format!("{domain}.ddt  {status} until {until}  {name}\n"));
            names.extend(row.pointer("/record").cloned());
        }
        waiting.extend(connection.view_all("domains.commits", &owner)?);
    }
    if names.is_empty() {
        words.push_str("No names yet.\n");
    }
    if !waiting.is_empty() {
        words.push_str(&format!("{} purchases wait for their reveal.\n", waiting.len()));
    }
    output.result(json!({ "domains": names, "commits": waiting }), words);
    Ok(())
}
