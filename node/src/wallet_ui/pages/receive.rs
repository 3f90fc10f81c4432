//! Being paid: the account's id, and a line that says what to pay.

use ddt_ledger::AccountId;
use maud::html;

use super::Answer;
use super::send::account_field;
use crate::wallet_ui::App;
use crate::wallet_ui::desk::Open;
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::{Page, field, notice, troubled};
use crate::wallet_ui::payment::{self, MEMO_BYTES_MAX};

/// `GET receive`; the query says how much, and why.
pub fn receive(app: &App, open: &Open, query: &Form) -> Answer {
    let account: AccountId = open.account(query.get("account"))?;
    let (amount, memo) = (query.trimmed("amount"), query.trimmed("memo"));
    let wanted = payment::line(&app.desk.global, account, amount, memo);
    let trouble = wanted.as_ref().err();
    let amount = html! {
        input #amount name="amount" value=(query.get("amount")) inputmode="decimal"
            maxlength="64";
    };
    let memo = html! {
        input #memo name="memo" value=(query.get("memo")) maxlength=(MEMO_BYTES_MAX);
    };
    let content = html! {
        (notice(trouble))
        p { "Your account: whoever pays needs nothing else." }
        p.line #account-id { (account) }
        @if let Ok(payment) = &wanted {
            p { "A payment request, which ddt pay and these pages take:" }
            p.line #payment-line { (payment) }
        }
        form method="get" action=(app.at("receive")) autocomplete="off" {
            (account_field(open, query.get("account")))
            (field("amount", "Amount, in APT", "May be empty", &amount))
            (field("memo", "Remark", "Public; may be empty", &memo))
            button { "Make the line" }
        }
    };
    let page = Page::new("Receive", content).render(app, Some(open));
    Ok(match trouble {
        Some(trouble) => troubled(page, trouble),
        None => page,
    })
}
