//! Pages as a browser loads them: each link leads somewhere, none leads elsewhere.

use std::collections::{BTreeSet, VecDeque};

use crate::support::network::Network;

/// Pages looked at, at most.
const PAGES_MAX: usize = 80;

/// The values of attributes that a browser follows or loads.
fn links(page: &str) -> Vec<String> {
    let attributes = ["href=\"", "src=\"", "poster=\"", "data=\""];
    let values = |attribute: &'static str| {
        page.split(attribute).skip(1).filter_map(|rest| rest.split_once('"'))
    };
    let plain = |text: &str| text.replace("&amp;", "&");
    attributes.into_iter().flat_map(values).map(|(value, _)| plain(value)).collect()
}

/// Addresses of other places; names of XML dialects are no addresses.
fn strangers(page: &str, own: &str) -> Vec<String> {
    let addresses = page.match_indices("://").map(|(at, _)| {
        let start = page[..at].rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
        page[start..].split(['"', '\'', '<', ' ', ')', '\n']).next().unwrap_or_default()
    });
    let known = |address: &&str| !address.starts_with(own) && !address.contains("www.w3.org/");
    addresses.filter(known).map(str::to_string).collect()
}

// Broken by: a font, script or picture from somebody else's server, or a dead link.
#[test]
fn pages_need_nobody_else() {
    let network = Network::new();
    network.ddt(&["domain", "buy", "shown", "--from", "alice"]).data();
    let mut seen: BTreeSet<String> =
        ["/", "/docs", "/search?q=shown", "/search?q=0:1"].map(str::to_string).into();
    let mut waiting: VecDeque<String> = seen.iter().cloned().collect();
    let mut kinds = BTreeSet::new();
    while let Some(path) = waiting.pop_front() {
        let answer = network.get(&path);
        if let (303, Some(found)) = (answer.status, answer.header("location")) {
            assert!(found.starts_with('/'), "{path} leads to {found}");
            waiting.push_back(found.to_string());
            continue;
        }
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let kind = answer.header("content-type").unwrap_or_default().to_string();
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        let text = answer.text();
        let is_shown = ["text/html", "text/css", "javascript"].iter().any(|k| kind.contains(k));
        if is_shown {
            let strangers = strangers(&text, network.text("api"));
            assert!(strangers.is_empty(), "{path}: {strangers:?}");
        }
        kinds.insert(kind.split(';').next().unwrap_or_default().to_string());
        if !kind.starts_with("text/html") {
            continue;
        }
        for link in links(&text) {
            let path = link.split('#').next().unwrap_or_default();
            let is_own = path.starts_with('/') && !path.starts_with("//");
            assert!(path.is_empty() || is_own, "{link} is no path of this node");
            let is_wanted = is_own && !path.contains('{') && seen.len() < PAGES_MAX;
            if is_wanted && seen.insert(path.to_string()) {
                waiting.push_back(path.to_string());
            }
        }
    }
    assert!(kinds.contains("text/html"), "{kinds:?}");
    assert!(seen.len() > 5, "pages lead to pages: {seen:?}");
    let home = network.get("/").text();
    assert!(home.contains("<html") && home.contains("viewport"), "made for a phone too");
}

// Broken by: a document that leaves out a path which the node serves.
#[test]
fn the_document_lists_what_there_is() {
    let network = Network::new();
    let document = network.json("/v1/openapi.json");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    for path in ["/v1/status", "/v1/events", "/v1/live", "/v1/views/domains/record", "/livez"] {
        assert!(paths.contains_key(path), "{path}");
    }
    let plain = paths.iter().filter(|(path, item)| {
        let parameters = item["get"]["parameters"].as_array();
        let is_free = |parameter: &serde_json::Value| parameter["required"] != true;
        let is_asked_for_nothing = parameters.is_none_or(|list| list.iter().all(is_free));
        item.get("get").is_some() && is_asked_for_nothing && !path.contains('{')
    });
    for (path, _) in plain.filter(|(path, _)| *path != "/v1/live") {
        // The document is of both listeners; the private one answers elsewhere.
        let status = network.get(path).status;
        let is_private = ["/v1/node", "/v1/reveals", "/v1/backup"].contains(&path.as_str());
        assert_eq!(status, if is_private { 404 } else { 200 }, "{path}");
    }
}
