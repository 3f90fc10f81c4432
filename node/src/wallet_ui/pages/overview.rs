//! What the wallet's accounts have.

use ddt_ledger::AccountId;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::Answer;
use crate::cli::connection::{Connection, text};
use crate::failure::Failure;
use crate::wallet_ui::App;
use crate::wallet_ui::desk::Open;
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::Page;

/// Most accounts shown; a wallet with more is a program's.
const ACCOUNTS_SHOWN: usize = 20;
/// Most names shown of an account.
const NAMES_SHOWN: usize = 100;

/// `GET overview`.
pub fn overview(app: &App, open: &Open, _: &Form) -> Answer {
    let node = app.desk.node()?;
    let accounts = &open.entry.accounts;
    let shown = accounts.iter().take(ACCOUNTS_SHOWN);
    let parts = shown.map(|account| part(&node, account)).collect::<Result<Vec<_>, _>>()?;
    let content = html! {
        @for part in parts { (part) }
        @if accounts.len() > ACCOUNTS_SHOWN {
            p.soft { (accounts.len() - ACCOUNTS_SHOWN) " more accounts: ddt wallet balance ID" }
        }
        p.soft { "Read from the node at " (node.api()) }
    };
    Ok(Page::new("Overview", content).render(app, Some(open)))
}

fn part(node: &Connection, account: &AccountId) -> Result<Markup, Failure> {
    let balance = node.balance(account)?;
    let limit = ("limit", NAMES_SHOWN.to_string());
    let owner = [("owner", account.to_string()), limit];
    let names = node.view("domains.of_owner", &owner)?;
    let commits = node.view("domains.commits", &owner)?;
    Ok(html! {
        section {
            p.balance { strong { (balance) } " APT" }
            p { a.id href=(format!("{}/account/{account}", node.api())) rel="noreferrer" {
                (account)
            } }
            @if !names.is_empty() {
                ul.names { @for row in &names { li { (name(node, row)) } } }
            }
            @if names.len() >= NAMES_SHOWN { p.soft { "and more: ddt domain list" } }
            @if !commits.is_empty() {
                p.soft { (commits.len()) " purchases of names wait for their reveal" }
            }
        }
    })
}

fn name(node: &Connection, row: &Json) -> Markup {
    let get = |pointer: &str| text(row, pointer).unwrap_or_default();
    let name = get("/record/name");
    html! {
        a href=(format!("{}/domain/{name}", node.api())) rel="noreferrer" { (name) ".ddt" }
        " " small { (get("/record/status")) }
    }
}
