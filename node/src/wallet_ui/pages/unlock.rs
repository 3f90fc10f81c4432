//! Opening a wallet with its password, and locking it.

use axum::extract::{Request, State};
use axum::response::Response;
use ddt_wallet::{Entry, Listing};
use maud::{Markup, html};

use super::{Answer, Shared, broken};
use crate::cli::{connection, wallets};
use crate::wallet_ui::App;
use crate::wallet_ui::form::Form;
use crate::wallet_ui::frame::{Page, field, form, lead_to, notice, trouble_page, troubled};
use crate::wallet_ui::trouble::Trouble;

/// `GET unlock`.
pub async fn shown(State(app): Shared) -> Response {
    if app.desk.open(false).is_some() {
        return lead_to(&app, "overview");
    }
    let shared = app.clone();
    let page =
        move || page(&shared, "", None).unwrap_or_else(|it| trouble_page(&shared, None, &it));
    let page = tokio::task::spawn_blocking(page).await;
    page.unwrap_or_else(|_| trouble_page(&app, None, &broken()))
}

/// `POST unlock`.
pub async fn tried(State(app): Shared, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&app.gate, &head.headers, body).await {
        Ok(form) => form,
        Err(trouble) => return trouble_page(&app, None, &trouble),
    };
    let shared = app.clone();
    // A guess costs time and memory on purpose: not on a thread that serves others.
    let done = tokio::task::spawn_blocking(move || {
        let app = &*shared;
        match app.desk.unlock(form.get("wallet"), form.get("password")) {
            Ok(()) => lead_to(app, "overview"),
            Err(trouble) => page(app, form.get("wallet"), Some(&trouble))
                .map(|page| troubled(page, &trouble))
                .unwrap_or_else(|trouble| trouble_page(app, None, &trouble)),
        }
    });
    done.await.unwrap_or_else(|_| trouble_page(&app, None, &broken()))
}

/// `POST lock`.
pub async fn locked(State(app): Shared, request: Request) -> Response {
    let (head, body) = request.into_parts();
    match Form::read(&app.gate, &head.headers, body).await {
        Ok(_) => {
            app.desk.lock();
            lead_to(&app, "unlock")
        }
        Err(trouble) => trouble_page(&app, None, &trouble),
    }
}

fn page(app: &App, chosen: &str, trouble: Option<&Trouble>) -> Answer {
    let keystore = app.desk.keystore()?;
    let listing = keystore.list().map_err(wallets::failure)?;
    let content = html! {
        (notice(trouble))
        @if listing.entries.is_empty() {
            p { "There is no wallet here yet. On the command line, in the same data folder: " }
            pre { "ddt wallet new NAME" }
        } @else {
            (form(app, "unlock", &fields(app, &listing, chosen)))
        }
        @for problem in &listing.problems { p.notice { (problem) } }
    };
    Ok(Page::new("Unlock a wallet", content).render(app, None))
}

fn label(entry: &Entry) -> String {
    let mark = match (entry.watch_only, entry.unsafe_test) {
        (true, _) => " – watched, needs no password",
        (_, true) => " – UNSAFE test wallet",
        _ => "",
    };
    format!("{}{mark}", entry.name)
}

fn fields(app: &App, listing: &Listing, chosen: &str) -> Markup {
    let wallets = html! {
        select #wallet name="wallet" {
            @for entry in &listing.entries {
                option value=(entry.name) selected[entry.name == chosen] { (label(entry)) }
            }
        }
    };
    let password = html! {
        input #password type="password" name="password" autocomplete="off" autofocus;
    };
    let public = connection::home(&app.desk.global).join("password");
    let hint = match public.exists() {
        true => format!("The password of this network's test wallets is in {}", public.display()),
        false => String::new(),
    };
    html! {
        (field("wallet", "Wallet", "", &wallets))
        (field("password", "Password", &hint, &password))
        button.main { "Unlock" }
    }
}
