//! What touched an account, newest first.

use ddt_ledger::{AccountId, Amount};
use maud::{Markup, html};
use serde_json::Value as Json;

use super::Answer;
use super::send::account_field;
use crate::cli::connection::text;
use crate::failure::Failure;
use crate::wallet_ui::App;
use crate::wallet_ui::desk::Open;
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::Page;

/// Rows of a page.
const ROWS: usize = 20;

/// `GET history`, from the query's cursor on.
pub fn history(app: &App, open: &Open, query: &Form) -> Answer {
    let account = open.account(query.get("account"))?;
    let node = app.desk.node()?;
    let cursor = query.get("cursor");
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("limit", &ROWS.to_string());
    if !cursor.is_empty() {
        pairs.append_pair("cursor", cursor);
    }
    let listing = node.get(&format!("/v1/accounts/{account}/events?{}", pairs.finish()))?;
    let rows = listing.pointer("/rows").and_then(Json::as_array).cloned().unwrap_or_default();
    let rows = rows.iter().map(|row| line(row, &account, node.api()));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let older = text(&listing, "/next").map(|cursor| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let pairs = pairs.append_pair("account", &account.to_string());
        format!("{}?{}", app.at("history"), pairs.append_pair("cursor", &cursor).finish())
    });
    let content = html! {
        @if open.entry.accounts.len() > 1 {
            form method="get" action=(app.at("history")) {
                (account_field(open, &account.to_string()))
                button { "Show" }
            }
        }
        @if rows.is_empty() { p.soft { "Nothing here." } } @else {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Anchor" }
                    th scope="col" { "What" }
                    th.number scope="col" { "Change, in APT" }
                } }
                tbody { @for row in rows { (row) } }
            } }
        }
        @if let Some(older) = older { p { a rel="next" href=(older) { "Older" } } }
    };
    Ok(Page::new("History", content).render(app, Some(open)))
}

fn line(row: &Json, account: &AccountId, api: &str) -> Result<Markup, Failure> {
    let get = |pointer: &str| text(row, pointer).unwrap_or_default();
    let what = match (get("/subject").as_str(), get("/name")) {
        ("fees", _) => "fees of a zone".to_string(),
        ("deadline", name) => format!("deadline {name}"),
        (_, name) => name,
    };
    let (height, outcome) = (get("/height"), get("/outcome"));
    let page = match text(row, "/id") {
        Some(id) => format!("{api}/event/{id}"),
        None => format!("{api}/anchor/{height}"),
    };
    Ok(html! {
        tr {
            td { (height) }
            td {
                a href=(page) rel="noreferrer" { (what) }
                @if outcome != "done" { " " small.bad { (outcome) } }
            }
            td.number { (change(row, account)?) }
        }
    })
}

/// What a row's postings add to or take from the account's balance.
fn change(row: &Json, account: &AccountId) -> Result<String, Failure> {
    let postings = row.pointer("/postings").and_then(Json::as_array);
    let account = account.to_string();
    let is_ours = |posting: &Json, side: &str| {
        text(posting, &format!("/{side}/kind")).as_deref() == Some("account")
            && text(posting, &format!("/{side}/account")).as_ref() == Some(&account)
    };
    let (mut gained, mut lost) = (Amount::ZERO, Amount::ZERO);
    for posting in postings.into_iter().flatten() {
        let amount: Amount = text(posting, "/amount").unwrap_or_default().parse()?;
        let too_much = || Failure::fault("the node names more money than there can be");
        if is_ours(posting, "to") {
            gained = gained.plus(amount).ok_or_else(too_much)?;
        }
        if is_ours(posting, "from") {
            lost = lost.plus(amount).ok_or_else(too_much)?;
        }
    }
    Ok(match (gained.minus(lost), lost.minus(gained)) {
        (Some(gain), _) if !gain.is_zero() => format!("+{gain}"),
        (_, Some(loss)) if !loss.is_zero() => format!("−{loss}"),
        _ => "0".to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Broken by: counting an allowance as the balance, or one side of a posting alone.
    #[test]
    fn changes_are_of_the_balance() {
        let (us, other) = (AccountId([1; 32]), AccountId([2; 32]));
        let party = |account: &AccountId, kind: &str| json!({"kind": kind, "account": account});
        let posting = |from: Json, to: Json, amount: &str| {
            let reason = "payment";
            json!({"from": from, "to": to, "amount": amount, "reason": reason})
        };
        let change = |postings: &[Json]| change(&json!({"postings": postings}), &us).unwrap();
        let (mine, theirs) = (party(&us, "account"), party(&other, "account"));
        let fees = json!({"kind": "fees", "zone": 0});
        let paid = posting(mine.clone(), theirs.clone(), "5");
        let fee = posting(mine.clone(), fees.clone(), "0.001");
        assert_eq!(change(&[fee.clone(), paid.clone()]), "−5.001");
        assert_eq!(change(&[posting(theirs, mine.clone(), "2")]), "+2");
        assert_eq!(change(&[posting(party(&us, "allowance"), fees, "1")]), "0");
        assert_eq!(change(&[posting(mine.clone(), mine, "1")]), "0");
        assert_eq!(change(&[]), "0");
    }
}
