//! The API's page: what the OpenAPI document says, with forms to try it.

use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::frame::frame;
use crate::reading::App;

fn text<'j>(json: &'j Json, name: &str) -> &'j str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn list<'j>(json: &'j Json, name: &str) -> &'j [Json] {
    json.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn is_private(operation: &Json) -> bool {
    list(operation, "tags").iter().any(|tag| tag == "private")
}

fn form(path: &str, method: &str, operation: &Json) -> Markup {
    let has_body = operation.get("requestBody").is_some();
    html! {
        form.try action=(path) method=(method) data-path=(path) data-method=(method) {
            @for parameter in list(operation, "parameters") {
                @let is_required = parameter.get("required").is_some_and(|it| it == true);
                label {
                    (text(parameter, "name")) " "
                    small { (text(parameter, "description")) }
                    input name=(text(parameter, "name")) data-in=(text(parameter, "in"))
                        required[is_required];
                }
            }
            @if has_body {
                label {
                    "body " small { "JSON" }
                    textarea name="body" data-in="body" rows="3" { "{\"event\": \"\"}" }
                }
            }
            noscript { p { "Trying it needs JavaScript." } }
            button { "Try it" }
            pre hidden {}
        }
    }
}

fn operation(path: &str, method: &str, operation: &Json) -> Markup {
    html! {
        details.operation {
            summary { code { (method.to_uppercase()) " " (path) } " " (text(operation, "summary")) }
            @if is_private(operation) {
                p { "On the node's private listener, with its token." }
            } @else {
                (form(path, method, operation))
            }
        }
    }
}

pub(super) async fn docs(State(app): State<App>) -> Html<String> {
    let paths = app.document.get("paths").and_then(Json::as_object);
    let operations = paths.into_iter().flatten().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, described)| operation(path, method, described))
    });
    let schemas = app.document.get("components").and_then(|parts| parts.get("schemas"));
    let events = schemas.and_then(Json::as_object).into_iter().flatten();
    let events = events.filter_map(|(name, schema)| Some((name.strip_prefix("event.")?, schema)));
    let page = frame(
        "API",
        &html! {
            h1 { "API" }
            p {
                "Every path answers JSON; errors are problems (RFC 9457). The whole as "
                a href="/v1/openapi.json" { "OpenAPI 3.1" } "."
            }
            @for operation in operations { (operation) }
            h2 { "Events" }
            @for (name, schema) in events {
                details.operation {
                    summary { code { (name) } " " (text(schema, "description")) }
                    pre { (serde_json::to_string_pretty(schema).unwrap_or_default()) }
                }
            }
            script src="/assets/try.js" defer {}
        },
    );
    Html(page.into_string())
}
