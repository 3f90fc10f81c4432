//! What every page has around its content.

use maud::{DOCTYPE, Markup, html};

/// A whole page.
pub(super) fn frame(title: &str, content: &Markup) -> Markup {
    let places = [
        ("/anchors", "Anchors"),
        ("/events", "Events"),
        ("/zones", "Zones"),
        ("/routers", "Routers"),
        ("/economy", "Economy"),
        ("/docs", "API"),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – DDT" }
                link rel="icon" type="image/svg+xml" href="/assets/icon.svg";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/live.js" defer {}
            }
            body {
                header {
                    a.home href="/" { "DDT" }
                    nav aria-label="Pages" {
                        @for (path, name) in places { a href=(path) { (name) } " " }
                    }
                    form role="search" action="/search" method="get" {
                        input type="search" name="q" required maxlength="128"
                            aria-label="Search" placeholder="Height, hash, account, domain";
                        button { "Search" }
                    }
                }
                main { (content) }
                footer { "Everything here is read from this node's own copy of the ledger." }
            }
        }
    }
}
