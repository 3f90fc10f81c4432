//! What is about to be signed, in words; consent; what became of it.

use std::collections::BTreeMap;

use ddt_api::Stage;
use ddt_ledger::codec::encode;
use ddt_ledger::registry::Row;
use ddt_ledger::schema::Value;
use ddt_ledger::{AccountId, Hash};
use ddt_wallet::sign::sign;
use maud::{Markup, html};

use super::Answer;
use crate::cli::connection::{Connection, now_us, text};
use crate::cli::plain::plain;
use crate::cli::proposal;
use crate::secret_file;
use crate::wallet_ui::App;
use crate::wallet_ui::desk::{Open, hold};
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::{Page, facts, form, lead_to, notice};
use crate::wallet_ui::reviews::{Fate, Review};
use crate::wallet_ui::trouble::Trouble;

/// How often a result looks again by itself.
const LOOKS_MAX: u32 = 60;

/// Makes the event, asks the node what would become of it, and keeps it until somebody agrees.
/// Answers the id of its review. Nothing is signed.
pub fn keep(
    app: &App,
    open: &Open,
    row: &'static Row,
    account: AccountId,
    values: BTreeMap<String, Value>,
) -> Result<String, Trouble> {
    let node = app.desk.node()?;
    let key = open.key(&app.desk.global, &node, &account)?;
    let proposal = proposal::propose(&node, row, &values, (account, &key), now_us())?;
    let refusal = refusal_of(&node, &encode(&proposal.draft))?;
    let balance = node.balance(&account)?;
    let id = hex::encode(secret_file::random()?.get(..16).unwrap_or_default());
    hold(&open.reviews).keep(&id, proposal, balance, refusal);
    Ok(id)
}

fn refusal_of(node: &Connection, draft: &[u8]) -> Result<Option<String>, Trouble> {
    let refusal = proposal::expected_refusal(&node.forecast_unsigned(draft)?);
    Ok(refusal.map(|refusal| format!("{} ({})", refusal.words, refusal.code)))
}

/// `GET review`.
pub fn review(app: &App, open: &Open, query: &Form) -> Answer {
    let id = query.get("id");
    let mut reviews = hold(&open.reviews);
    let review = reviews.find(id)?;
    if review.fate != Fate::Waiting {
        return Ok(lead_to(app, &format!("result?id={id}")));
    }
    let content = html! {
        (said(open, review))
        @match &review.refusal {
            Some(refusal) => {
                (notice(Some(&Trouble::input(format!("The rules would refuse this: {refusal}")))))
                p { "Nothing was signed, and no fee is paid." }
            }
            None => {
                (form(app, "confirm", &html! {
                    input type="hidden" name="id" value=(id);
                    button.main { "Sign and send" }
                }))
            }
        }
        p { a href=(app.at("overview")) { "Leave it" } }
    };
    Ok(Page::new("Review", content).render(app, Some(open)))
}

/// The very words of the bytes to be signed.
fn said(open: &Open, review: &Review) -> Markup {
    let description = &review.proposal.description;
    let plain = |text: &str| html! { (plain(text)) };
    let mut rows: Vec<(&str, Markup)> =
        description.fields.iter().map(|(name, value)| (*name, plain(value))).collect();
    let from = format!("{} ({})", description.author, open.entry.name);
    rows.push(("from", plain(&from)));
    rows.push(("balance", plain(&format!("{} APT", review.balance))));
    rows.push(("fee", plain(&format!("{} APT", review.proposal.fee))));
    let forecast = match review.refusal {
        Some(_) => "refused",
        None => "done, if nothing else comes first",
    };
    rows.push(("forecast", plain(forecast)));
    rows.push(("event", plain(description.name)));
    html! { p.words { (plain(&description.words)) } (facts(&rows)) }
}

/// `POST confirm`: signs and sends what was shown, the first time; leads to what became of it.
pub fn confirm(app: &App, open: &Open, form: &Form) -> Answer {
    let id = form.get("id");
    let is_first = hold(&open.reviews).agree(id)?;
    if is_first {
        let fate = sign_and_send(app, open, id).unwrap_or_else(|trouble| {
            Fate::Stopped(format!("{} Nothing was signed.", trouble.words))
        });
        // It may have been pushed out by others meanwhile.
        if let Ok(review) = hold(&open.reviews).find(id) {
            review.fate = fate;
        }
    }
    Ok(lead_to(app, &format!("result?id={id}")))
}

/// Everything that may go wrong before the signature is an error; afterwards it is a fate.
fn sign_and_send(app: &App, open: &Open, id: &str) -> Result<Fate, Trouble> {
    let draft = hold(&open.reviews).find(id)?.proposal.draft.clone();
    let node = app.desk.node()?;
    let key = open.key(&app.desk.global, &node, &draft.author)?;
    if let Some(refusal) = refusal_of(&node, &encode(&draft))? {
        return Err(Trouble::input(format!("The rules would refuse this now: {refusal}.")));
    }
    let signed = sign(draft, &key);
    let submitted = proposal::submit(&node, &signed, Stage::Sequenced);
    let trouble = submitted.err().map(|failure| failure.to_string());
    Ok(Fate::Sent { event: signed.id(), trouble })
}

/// Whether a request is one that a result makes by itself: that is no use of the wallet.
pub fn is_again(form: &Form) -> bool {
    !form.get("again").is_empty()
}

/// `GET result`: looks again by itself until the event is final.
pub fn result(app: &App, open: &Open, query: &Form) -> Answer {
    let id = query.get("id");
    let looks = query.get("again").parse::<u32>().unwrap_or(0);
    let (fate, words) = {
        let mut reviews = hold(&open.reviews);
        let review = reviews.find(id)?;
        (review.fate.clone(), review.proposal.description.words.clone())
    };
    let (shown, is_over) = match fate {
        Fate::Waiting => return Ok(lead_to(app, &format!("review?id={id}"))),
        Fate::Underway => (html! { p { "It is being signed and sent." } }, false),
        Fate::Stopped(why) => (notice(Some(&Trouble::input(why))), true),
        Fate::Sent { event, trouble } => sent(app, event, trouble)?,
    };
    let again = format!("{}?id={id}&again={}", app.at("result"), looks.saturating_add(1));
    let content = html! {
        p.words { (words) }
        (shown)
        @if !is_over { p { a href=(again) { "Look again" } } }
    };
    let next = (!is_over && looks < LOOKS_MAX).then_some(again);
    Ok(Page { title: "Result", next, content }.render(app, Some(open)))
}

/// What the node says of an event that was sent, and whether it is over.
fn sent(app: &App, event: Hash, trouble: Option<String>) -> Result<(Markup, bool), Trouble> {
    let node = app.desk.node()?;
    let page = format!("{}/event/{event}", node.api());
    let link = html! { a.id href=(page) rel="noreferrer" { (event) } };
    let known = match node.get(&format!("/v1/events/{event}")) {
        Ok(known) => Some(known),
        Err(failure) if failure.kind == crate::failure::FailureKind::NotFound => None,
        Err(failure) => return Err(failure.into()),
    };
    let Some(known) = known else {
        let words = trouble.unwrap_or_else(|| "The node does not know it yet.".to_string());
        let shown = html! { (notice(Some(&Trouble::input(words)))) p { "Event " (link) } };
        return Ok((shown, false));
    };
    let get = |pointer: &str| text(&known, pointer);
    let stage = get("/stage").unwrap_or_default();
    let mut rows = vec![("stage", html! { strong #stage { (stage) } })];
    for (name, pointer) in [
        ("outcome", "/outcome"),
        ("why", "/refusal/words"),
        ("fee, in APT", "/fee"),
        ("anchor", "/height"),
        ("number", "/number"),
    ] {
        rows.extend(get(pointer).map(|value| (name, html! { (value) })));
    }
    rows.push(("event", link));
    let is_over = Stage::from_word(&stage).is_some_and(|stage| stage >= Stage::Final);
    Ok((facts(&rows), is_over))
}
