//! Any event of the registry, for programmers: a form from its row.

use maud::html;

use super::{Answer, review};
use crate::cli::proposal::is_for_wallets;
use crate::cli::send::{parse_fields, row};
use crate::wallet_ui::App;
use crate::wallet_ui::desk::Open;
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::{Page, field, form, lead_to, notice, troubled};
use crate::wallet_ui::inputs::{arguments, hint, input, input_name};
use crate::wallet_ui::trouble::Trouble;
use ddt_contracts::REGISTRY;
use ddt_ledger::registry::Row;

use super::send::account_field;

/// `GET events`: all that a wallet may sign.
pub fn list(app: &App, open: &Open, _: &Form) -> Answer {
    open.may_sign()?;
    let content = html! {
        p { "Every event that a wallet may sign, by its programme. Nothing is signed before \
             you have seen what it says." }
        @for programme in REGISTRY.programmes {
            @let rows = programme.rows.iter().filter(|row| is_for_wallets(row));
            h2 { (programme.name) }
            p.soft { (programme.purpose) }
            ul { @for row in rows {
                li {
                    a href=(format!("{}?name={}", app.at("event"), row.name)) { (row.name) }
                    " " small { (row.words) }
                }
            } }
        }
    };
    Ok(Page::new("Any event", content).render(app, Some(open)))
}

/// `GET event`: the form of the event that the query names.
pub fn empty(app: &App, open: &Open, query: &Form) -> Answer {
    open.may_sign()?;
    Ok(page(app, open, row(query.get("name"))?, query, None))
}

/// `POST event`: leads to the review, or back to the form.
pub fn filled(app: &App, open: &Open, form: &Form) -> Answer {
    open.may_sign()?;
    let row = row(form.get("name"))?;
    match propose(app, open, row, form) {
        Ok(id) => Ok(lead_to(app, &format!("review?id={id}"))),
        Err(trouble) => Ok(troubled(page(app, open, row, form, Some(&trouble)), &trouble)),
    }
}

fn propose(app: &App, open: &Open, row: &'static Row, form: &Form) -> Result<String, Trouble> {
    let account = open.account(form.get("account"))?;
    let values = parse_fields(&app.desk.global, row, &arguments(row, form))?;
    review::keep(app, open, row, account, values)
}

fn page(
    app: &App,
    open: &Open,
    row: &Row,
    filled: &Form,
    trouble: Option<&Trouble>,
) -> axum::response::Response {
    let content = html! {
        (notice(trouble))
        p.soft { (row.words) }
        (form(app, "event", &html! {
            input type="hidden" name="name" value=(row.name);
            (account_field(open, filled.get("account")))
            @for info in row.fields {
                @let name = input_name(info);
                @let about = format!("{} {}", info.doc.trim(), hint(&info.kind));
                (field(&name, info.name, about.trim(), &input(info, filled.get(&name))))
            }
            button.main { "Review" }
        }))
        p { a href=(app.at("events")) { "All events" } }
    };
    Page::new(row.name, content).render(app, Some(open))
}
