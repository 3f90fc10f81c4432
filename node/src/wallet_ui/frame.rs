//! What every page has around its content. There is no script on any page.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::App;
use super::desk::Open;
use super::form::KEY_FIELD;
use super::trouble::Trouble;

/// The pages of an open wallet: path and name.
const PLACES: [(&str, &str); 5] = [
    ("overview", "Overview"),
    ("send", "Send"),
    ("receive", "Receive"),
    ("history", "History"),
    ("events", "Any event"),
];

/// A page, and what it does by itself.
pub struct Page<'a> {
    /// What it is about.
    pub title: &'a str,
    /// Where it goes by itself after a second.
    pub next: Option<String>,
    /// What it shows.
    pub content: Markup,
}

impl<'a> Page<'a> {
    /// A page that stays.
    pub fn new(title: &'a str, content: Markup) -> Page<'a> {
        Page { title, next: None, content }
    }

    /// The whole page; with an open wallet, the ways to its others.
    pub fn render(&self, app: &App, open: Option<&Open>) -> Response {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    @if let Some(next) = &self.next {
                        meta http-equiv="refresh" content=(format!("1;url={next}"));
                    }
                    title { (self.title) " – DDT wallet" }
                    link rel="icon" type="image/svg+xml" href="/icon.svg";
                    link rel="stylesheet" href="/style.css";
                }
                body {
                    header {
                        strong.home { "DDT wallet" }
                        @if let Some(open) = open {
                            nav aria-label="Pages" {
                                @for (path, name) in PLACES {
                                    @let is_here = name == self.title;
                                    a href=(app.at(path)) aria-current=[is_here.then_some("page")] {
                                        (name)
                                    } " "
                                }
                            }
                            (lock_button(app, open))
                        }
                    }
                    main { h1 { (self.title) } (self.content) }
                    footer {
                        "Keys stay in this process, on this machine. Stop it with Ctrl-C."
                    }
                }
            }
        };
        Html(page.into_string()).into_response()
    }
}

fn lock_button(app: &App, open: &Open) -> Markup {
    form(
        app,
        "lock",
        &html! {
            span.who {
                (open.entry.name)
                @if open.entry.watch_only { small { " watched" } }
                @if open.entry.unsafe_test { small.bad { " UNSAFE test wallet" } }
            }
            " " button { "Lock" }
        },
    )
}

/// A form that posts to one of our pages, with what shows that it is ours.
pub fn form(app: &App, page: &str, content: &Markup) -> Markup {
    html! {
        form method="post" action=(app.at(page)) autocomplete="off" {
            input type="hidden" name=(KEY_FIELD) value=(app.gate.form_key());
            (content)
        }
    }
}

/// A field with its name and what it means.
pub fn field(name: &str, label: &str, hint: &str, input: &Markup) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            (input)
            @if !hint.is_empty() { small { (hint) } }
        }
    }
}

/// What is wrong, above a form that can be sent again.
pub fn notice(trouble: Option<&Trouble>) -> Markup {
    html! { @if let Some(trouble) = trouble { p.notice role="alert" { (trouble.words) } } }
}

/// Names and values, one below the other.
pub fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! { dl { @for (name, value) in rows { dt { (name) } dd { (value) } } } }
}

/// An answer with the status of what went wrong.
pub fn troubled(mut response: Response, trouble: &Trouble) -> Response {
    *response.status_mut() = trouble.status;
    if let Some(seconds) = trouble.wait_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A page that says what went wrong.
pub fn trouble_page(app: &App, open: Option<&Open>, trouble: &Trouble) -> Response {
    let content = html! {
        p.notice role="alert" { (trouble.words) }
        @if open.is_some() {
            p { a href=(app.at("overview")) { "Back to the overview" } }
        }
    };
    let title = trouble.status.canonical_reason().unwrap_or("Trouble");
    troubled(Page::new(title, content).render(app, open), trouble)
}

/// Leads the browser to another page, which it asks for with GET.
pub fn lead_to(app: &App, path: &str) -> Response {
    let place = HeaderValue::from_str(&app.at(path));
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
