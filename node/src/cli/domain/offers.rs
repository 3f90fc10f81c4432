//! Names that change hands: given in two steps, or sold in one.

use ddt_ledger::Amount;
use ddt_ledger::schema::Value;
use serde_json::{Value as Json, json};

use super::super::connection::{Connection, text};
use super::super::output::Output;
use super::super::{Global, wallets};
use super::look::offer_words;
use super::{Desk, amount_at, refused};
use crate::failure::Failure;

/// `ddt domain transfer`.
pub fn transfer(desk: &Desk, to: &str, from: Option<&str>) -> Result<(), Failure> {
    let to = wallets::account(desk.global, to)?;
    desk.record()?;
    desk.output.tell(format!(
        "{name}.ddt stays yours until {to} accepts it: ddt domain accept {name}\n\
         ddt domain cancel {name} takes the offer back.",
        name = desk.name
    ));
    desk.send(from, "domains.transfer", [("to", Value::Account(to))])
}

/// `ddt domain sell`.
pub fn sell(
    desk: &Desk,
    price: Amount,
    to: Option<&str>,
    from: Option<&str>,
) -> Result<(), Failure> {
    let to = to.map(|to| wallets::account(desk.global, to)).transpose()?;
    desk.record()?;
    let who = to.map_or("anybody".to_string(), |to| to.to_string());
    desk.output.tell(format!(
        "From then on {who} may buy {name}.ddt for {price} APT: ddt domain accept {name}\n\
         ddt domain cancel {name} takes the offer back.",
        name = desk.name
    ));
    let to = to.map_or(Value::Nothing, Value::Account);
    desk.send(from, "domains.sell", [("price", Value::Amount(price)), ("to", to)])
}

/// `ddt domain cancel`.
pub fn cancel(desk: &Desk, from: Option<&str>) -> Result<(), Failure> {
    let offer = offer(desk)?;
    desk.output.tell(format!("{}.ddt is {}.", desk.name, offer_words(&offer)));
    desk.send(from, "domains.cancel", [])
}

fn offer(desk: &Desk) -> Result<Json, Failure> {
    desk.record()?;
    let words = format!("{}.ddt is neither given nor for sale", desk.name);
    desk.view("domains.offer")?.ok_or_else(|| refused("domains.no_offer", words))
}

/// `ddt domain accept`: takes a transfer, or buys at the price that was shown.
pub fn accept(desk: &Desk, agreed: Option<Amount>, from: Option<&str>) -> Result<(), Failure> {
    let offer = offer(desk)?;
    let price = amount_at(&offer, "/price")?;
    if let Some(agreed) = agreed.filter(|agreed| *agreed < price) {
        let words = format!("{}.ddt is for sale at {price} APT, not at {agreed}", desk.name);
        return Err(refused("domains.offer_changed", words));
    }
    desk.output.tell(format!("{}.ddt is {}.", desk.name, offer_words(&offer)));
    match price.is_zero() {
        true => desk.send(from, "domains.accept", []),
        // The event names this very price: should the owner change it meanwhile, nothing
        // is bought.
        false => desk.send(from, "domains.purchase", [("price", Value::Amount(price))]),
    }
}

/// `ddt domain offers`.
pub fn list(global: &Global, account: Option<&str>, output: &Output) -> Result<(), Failure> {
    let accounts = wallets::accounts(global, account)?;
    let connection = Connection::open(global)?;
    let inner = |row: Json| row.pointer("/offer").cloned();
    let for_sale = connection.view_all("domains.for_sale", &[])?;
    let for_sale: Vec<Json> = for_sale.into_iter().filter_map(inner).collect();
    let mut words = String::new();
    let (mut offered, mut mine) = (Vec::new(), Vec::new());
    for (wallet, account) in accounts {
        let query = [("account", account.to_string())];
        for offer in
            connection.view_all("domains.offered_to", &query)?.into_iter().filter_map(inner)
        {
            let name = text(&offer, "/name").unwrap_or_default();
            words.push_str(&format!("{name}.ddt is {} ({wallet})\n", offer_words(&offer)));
            offered.push(offer);
        }
        mine.push(account.to_string());
    }
    for offer in &for_sale {
        let get = |pointer: &str| text(offer, pointer).unwrap_or_default();
        let own = if mine.contains(&get("/seller")) { " by you" } else { "" };
        words.push_str(&format!("{}.ddt is {}{own}\n", get("/name"), offer_words(offer)));
    }
    if words.is_empty() {
        words.push_str("No offers.");
    }
    output.result(json!({ "offered": offered, "for_sale": for_sale }), words);
    Ok(())
}
