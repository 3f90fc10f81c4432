//! Paying: a form, then the review.

use std::collections::BTreeMap;

use ddt_ledger::Amount;
use ddt_ledger::schema::Value;
use maud::{Markup, html};

use super::{Answer, review};
use crate::cli::send::{parse_fields, row};
use crate::wallet_ui::App;
use crate::wallet_ui::desk::Open;
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::{Page, field, form, lead_to, notice, troubled};
use crate::wallet_ui::payment::{self, MEMO_BYTES_MAX};
use crate::wallet_ui::trouble::Trouble;

/// `GET send`; the query may fill the form.
pub fn empty(app: &App, open: &Open, query: &Form) -> Answer {
    open.may_sign()?;
    Ok(page(app, open, query, None))
}

/// `POST send`: leads to the review, or back to the form.
pub fn filled(app: &App, open: &Open, form: &Form) -> Answer {
    open.may_sign()?;
    match propose(app, open, form) {
        Ok(id) => Ok(lead_to(app, &format!("review?id={id}"))),
        Err(trouble) => Ok(troubled(page(app, open, form, Some(&trouble)), &trouble)),
    }
}

fn propose(app: &App, open: &Open, form: &Form) -> Result<String, Trouble> {
    let account = open.account(form.get("account"))?;
    let row = row("bank.transfer")?;
    review::keep(app, open, row, account, values(app, form)?)
}

/// The payment's fields. What is typed beside a payment request goes before what that says;
/// but another amount than it asks for is a mistake of somebody's.
fn values(app: &App, form: &Form) -> Result<BTreeMap<String, Value>, Trouble> {
    let asked = payment::read(&app.desk.node()?, form.trimmed("to"))?;
    let of_line = |name: &str| match (&asked, name) {
        (Some(asked), "to") => Some(asked.to.to_string()),
        (Some(asked), "amount") => asked.amount.map(|amount| amount.to_string()),
        (Some(asked), _) => asked.memo.clone(),
        (None, _) => None,
    };
    let typed_amount = form.trimmed("amount").parse::<Amount>().ok();
    if let (Some(wanted), Some(typed)) = (of_line("amount"), typed_amount)
        && wanted != typed.to_string()
    {
        let words = format!("amount: the request asks for {wanted} APT; leave this empty.");
        return Err(Trouble::input(words));
    }
    let typed = |name: &str| match form.trimmed(name) {
        "" => of_line(name).unwrap_or_default(),
        text if name == "to" => of_line(name).unwrap_or_else(|| text.to_string()),
        text => text.to_string(),
    };
    for (name, what) in [("to", "who receives"), ("amount", "how much")] {
        if typed(name).is_empty() {
            return Err(Trouble::input(format!("{name}: say {what}.")));
        }
    }
    let texts = ["to", "amount", "memo"].map(|name| format!("{name}={}", typed(name)));
    Ok(parse_fields(&app.desk.global, row("bank.transfer")?, &texts)?)
}

/// Which account: nothing to choose when there is one.
pub fn account_field(open: &Open, chosen: &str) -> Markup {
    let accounts = &open.entry.accounts;
    if accounts.len() < 2 {
        return html! {};
    }
    let choice = html! {
        select #account name="account" {
            @for account in accounts {
                @let id = account.to_string();
                option value=(id) selected[id == chosen] { (id) }
            }
        }
    };
    field("account", "Account", "", &choice)
}

fn page(
    app: &App,
    open: &Open,
    filled: &Form,
    trouble: Option<&Trouble>,
) -> axum::response::Response {
    let to = html! {
        input #to name="to" value=(filled.get("to")) required maxlength="1024" spellcheck="false"
            autocapitalize="off";
    };
    let amount = html! {
        input #amount name="amount" value=(filled.get("amount")) inputmode="decimal"
            maxlength="64";
    };
    let memo = html! {
        input #memo name="memo" value=(filled.get("memo")) maxlength=(MEMO_BYTES_MAX);
    };
    let content = html! {
        (notice(trouble))
        (form(app, "send", &html! {
            (account_field(open, filled.get("account")))
            (field("to", "To", "An account id, apt1…, the name of a wallet here, or a payment \
                request, ddt:…", &to))
            (field("amount", "Amount, in APT", "", &amount))
            (field("memo", "Remark", "Public, for the receiver; may be empty", &memo))
            button.main { "Review" }
        }))
        p.soft { "Nothing is signed before you have seen what it says." }
    };
    Page::new("Send", content).render(app, Some(open))
}
